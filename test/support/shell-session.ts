import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { killProcess } from '../../local/child-process';

/** One bash in which commands follow each other, as in front of a person: what one defines, the next ones have. */
export class ShellSession {
  private readonly bash: ChildProcessWithoutNullStreams;
  private printed = '';

  constructor(
    private readonly folder: string,
    env: NodeJS.ProcessEnv,
  ) {
    this.bash = spawn('/bin/bash', ['--noprofile', '--norc'], { cwd: folder, env });
    for (const stream of [this.bash.stdout, this.bash.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.printed += text));
    // Node gives sockets, which nobody can open as /dev/stdout.
    this.bash.stdin.write('exec > >(cat) 2>&1\n');
  }

  /** What the commands print, on either stream. @throws Error with that, when the last of them fails or they take too long */
  async run(commands: string, timeoutMs = 60_000): Promise<string> {
    const mark = `ended-${randomUUID()}`;
    const file = path.join(this.folder, 'commands.sh');
    writeFileSync(file, commands);
    this.printed = '';
    this.bash.stdin.write(`source ${file} < /dev/null 2>&1; echo "${mark} $?"\n`);
    const [output, status] = await this.until(mark, timeoutMs);
    if (status !== '0') throw new Error(`these commands ended with ${status ?? 'nothing'}:\n${commands}\n${output}`);
    return output;
  }

  stop(): Promise<void> {
    return killProcess(this.bash);
  }

  private until(mark: string, timeoutMs: number): Promise<readonly [output: string, status: string | undefined]> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const [output = '', rest] = this.printed.split(`${mark} `);
        if (rest?.includes('\n') !== true) return;
        clearTimeout(timer);
        this.bash.stdout.off('data', look);
        resolve([output, rest.trim()]);
      };
      const timer = setTimeout(() => {
        this.bash.stdout.off('data', look);
        reject(new Error(`these commands did not end within ${timeoutMs} ms, and printed:\n${this.printed}`));
      }, timeoutMs);
      this.bash.stdout.on('data', look);
    });
  }
}
