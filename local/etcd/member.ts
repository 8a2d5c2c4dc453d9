import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import { endProcess, killProcess, tailOf, waitUntil } from '../child-process';
import { pythonPath } from '../tools';

const READY_WITHIN_MS = 30_000;
const GRACE_MS = 5_000;
const PROBE_MS = 2_000;

/** PEM texts by which a client reaches the cluster: the same shape as the functions' secret. */
export interface EtcdCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** One etcd process and what can happen to it. */
export interface EtcdMember {
  readonly name: string;
  /** `https://host:port` */
  readonly clientUrl: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly pid: number | undefined;
  /** Starts it again after `stop` or `kill`, with further flags that win over the old ones; does not wait for anything. */
  start(flags?: readonly string[]): void;
  /** Waits until it serves linearizable reads. */
  ready(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL: no farewell to the others. */
  kill(): Promise<void>;
  /** SIGSTOP: connections are accepted by the kernel, and nobody answers. */
  pause(): void;
  resume(): void;
}

export interface MemberOptions {
  readonly name: string;
  readonly clientUrl: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly credentials: EtcdCredentials;
}

/** etcd answers /health with 200 only while it has a leader and no alarm, after a read through raft. */
export function isHealthy(clientUrl: string, { ca, cert, key }: EtcdCredentials): Promise<boolean> {
  return new Promise((resolve) => {
    // Whether the certificate is good is for others to find out: here only the process counts.
    const probe = request(
      `${clientUrl}/health`,
      { ca, cert, key, agent: false, timeout: PROBE_MS, rejectUnauthorized: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    probe.on('timeout', () => probe.destroy());
    probe.on('error', () => resolve(false));
    probe.end();
  });
}

function launch({ program, args, logFile }: MemberOptions): ChildProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(pythonPath(), [path.join(__dirname, 'end-with-parent.py'), program, ...args], {
    env: { PATH: '/usr/bin:/bin', ...(process.platform === 'linux' ? {} : { HOME: process.env['HOME'] }) },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

/** Starts one member; `ready` tells when the cluster around it serves. */
export function startMember(options: MemberOptions): EtcdMember {
  const { name, clientUrl, dataDir, logFile, credentials } = options;
  let child = launch(options);
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    name,
    clientUrl,
    dataDir,
    logFile,
    get pid() {
      return running() ? child.pid : undefined;
    },
    start: (flags = []) => {
      if (!running()) child = launch({ ...options, args: [...options.args, ...flags] });
    },
    ready: () =>
      waitUntil(`etcd member ${name} gets healthy`, READY_WITHIN_MS, () => {
        if (!running()) throw new Error(`etcd member ${name} ended, its log says:\n${tailOf(logFile, 10)}`);
        return isHealthy(clientUrl, credentials);
      }),
    stop: () => endProcess(child, GRACE_MS),
    kill: () => killProcess(child),
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
  };
}
