import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { endProcess, hasEnded, killProcess } from '../child-process';
import { pythonPath } from '../tools';
import type { StaticPod } from './static-pod';
import { readStaticPod } from './static-pod';

const LOOK_EVERY_MS = 100;
/** A kubelet waits 10 s after the first crash and up to 5 minutes; a test waits for neither. */
const FIRST_BACK_OFF_MS = 200;
const LONGEST_BACK_OFF_MS = 3_000;

export interface KubeletOptions {
  readonly manifestDir: string;
  readonly logDir: string;
  /** The file of a program that a manifest names, which on a real node is inside an image. */
  readonly programOf: (name: string) => string;
}

/** One manifest that is being run. Other content is another pod, as it is for a kubelet. */
interface Running {
  readonly text: string;
  readonly pod: StaticPod;
  child: ChildProcess;
  crashes: number;
  notBefore: number;
  ending: Promise<void> | undefined;
}

/**
 * What a kubelet does for static pods: runs every file of the manifest folder that is a pod, whatever its name unless that is hidden,
 * starts it again when it ends, and ends it (SIGTERM, SIGKILL after the grace time) when its manifest changes or goes.
 */
export class Kubelet {
  private readonly pods = new Map<string, Running>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: KubeletOptions) {}

  start(): void {
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS);
    this.look();
  }

  /** The id of the process of a pod that runs now. */
  pid(podName: string): number | undefined {
    return [...this.pods.values()].find(({ pod, child }) => pod.name === podName && !hasEnded(child))?.child.pid;
  }

  /** Everything at once, as when the power goes. */
  async kill(): Promise<void> {
    this.pause();
    await Promise.all([...this.pods.values()].map(({ child }) => killProcess(child)));
    this.pods.clear();
  }

  /** The kubelet ends and its pods stay, as on a real node. */
  pause(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const wanted = this.manifests();
    for (const [file, running] of this.pods) if (wanted.get(file)?.text !== running.text) this.end(file, running);
    for (const [file, { text, pod }] of wanted) {
      const running = this.pods.get(file);
      if (running === undefined) {
        this.pods.set(file, { text, pod, child: this.launch(pod), crashes: 0, notBefore: 0, ending: undefined });
      } else this.startAgain(running);
    }
  }

  private manifests(): Map<string, { readonly text: string; readonly pod: StaticPod }> {
    const found = new Map<string, { readonly text: string; readonly pod: StaticPod }>();
    for (const file of readdirSync(this.options.manifestDir).filter((name) => !name.startsWith('.'))) {
      const text = textOf(path.join(this.options.manifestDir, file));
      const pod = text === undefined ? undefined : readStaticPod(text);
      if (text !== undefined && pod !== undefined) found.set(file, { text, pod });
    }
    return found;
  }

  private startAgain(running: Running): void {
    if (running.ending !== undefined || !hasEnded(running.child)) return;
    if (running.notBefore === 0) {
      running.notBefore = Date.now() + Math.min(FIRST_BACK_OFF_MS * 2 ** running.crashes++, LONGEST_BACK_OFF_MS);
    }
    if (Date.now() < running.notBefore) return;
    running.notBefore = 0;
    running.child = this.launch(running.pod);
  }

  private end(file: string, running: Running): void {
    running.ending ??= endProcess(running.child, running.pod.graceSeconds * 1000).then(() => {
      if (this.pods.get(file) === running) this.pods.delete(file);
    });
  }

  private launch({ name, command: [program, ...args] }: StaticPod): ChildProcess {
    const log = openSync(path.join(this.options.logDir, `${name}.log`), 'a');
    const wrapper = path.join(__dirname, '../etcd/end-with-parent.py');
    const child = spawn(pythonPath(), [wrapper, this.options.programOf(program), ...args], {
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return child;
  }
}

/** undefined when it went while the folder was read. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
