import { execFile } from 'node:child_process';
import path from 'node:path';
import { kubernetesProgram } from './tools';

const WITHIN_MS = 180_000;

/** kubectl by one kubeconfig, against the server that this names or another. */
export class Kubectl {
  constructor(
    readonly kubeconfig: string,
    private readonly server?: string,
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {}

  /** The same user, at one API server. */
  at(server: string): Kubectl {
    return new Kubectl(this.kubeconfig, server);
  }

  /**
   * What it prints.
   *
   * @throws with what it says when it fails
   */
  run(args: readonly string[], input?: string): Promise<string> {
    const where = ['--kubeconfig', this.kubeconfig, ...(this.server === undefined ? [] : ['--server', this.server])];
    // It keeps what it learned of servers below HOME.
    const env = { PATH: '/usr/bin:/bin', HOME: path.dirname(this.kubeconfig), ...this.environment };
    return new Promise((resolve, reject) => {
      const child = execFile(
        kubernetesProgram('kubectl'),
        [...where, ...args],
        { env, timeout: WITHIN_MS, maxBuffer: 64 * 1024 ** 2 },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`kubectl ${args.join(' ')} failed: ${stderr.trim() || error.message}`, { cause: error }));
        },
      );
      child.stdin?.end(input);
    });
  }

  async json(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.run([...args, '-o', 'json'])) as unknown;
  }

  /** Makes or changes objects as the API takes them. */
  async apply(objects: readonly object[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await this.run(['apply', '--server-side', '-f', '-'], list);
  }
}
