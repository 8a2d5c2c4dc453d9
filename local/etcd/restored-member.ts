import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { endProcess, tailOf, waitUntil } from '../child-process';
import { freePort } from '../free-port';
import type { EtcdRelease } from '../tools';
import { etcdProgram, pythonPath } from '../tools';

const run = promisify(execFile);
const READY_WITHIN_MS = 60_000;
const OUTPUT = { maxBuffer: 64 * 1024 * 1024 };

const Status = z.object({ hash: z.number(), revision: z.number(), totalKey: z.number(), totalSize: z.number() });

/** What `etcdutl snapshot status` says of a file; the hash as eight hex digits, as it prints it in its table. */
export async function snapshotStatus(
  file: string,
  release: EtcdRelease,
): Promise<{ hash: string; revision: number; totalKeys: number; bytes: number }> {
  const { stdout } = await run(etcdProgram(release, 'etcdutl'), ['snapshot', 'status', file, '-w', 'json'], OUTPUT);
  const { hash, revision, totalKey, totalSize } = Status.parse(JSON.parse(stdout));
  return { hash: hash.toString(16).padStart(8, '0'), revision, totalKeys: totalKey, bytes: totalSize };
}

/** A member that was booted from a snapshot, alone, on loopback and without TLS. */
export interface RestoredMember {
  /** Live keys under a prefix. */
  count(prefix: string): Promise<number>;
  /** Eight hex digits. */
  hashKv(revision: number): Promise<string>;
  stop(): Promise<void>;
}

/** Restores a plain snapshot file with `etcdutl` into a new data folder below `folder` and boots etcd from it. */
export async function bootRestored(file: string, folder: string, release: EtcdRelease): Promise<RestoredMember> {
  const dataDir = path.join(folder, 'restored');
  const log = path.join(folder, 'restored.log');
  const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`) as [string, string];
  const cluster = [
    `--name=restored`,
    `--data-dir=${dataDir}`,
    `--initial-cluster=restored=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
  ];
  await run(etcdProgram(release, 'etcdutl'), ['snapshot', 'restore', file, ...cluster], OUTPUT);

  const output = openSync(log, 'a');
  const listen = [`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`, `--listen-peer-urls=${peer}`];
  const args = [etcdProgram(release, 'etcd'), ...cluster, ...listen, '--unsafe-no-fsync', '--log-level=warn'];
  const child = spawn(pythonPath(), [path.join(__dirname, 'end-with-parent.py'), ...args], { stdio: ['ignore', output, output] });
  closeSync(output);
  const ctl = async (...words: string[]): Promise<string> =>
    (await run(etcdProgram(release, 'etcdctl'), ['--endpoints', client, ...words], OUTPUT)).stdout;

  const serves = () => {
    if (child.exitCode !== null) throw new Error(`etcd ended; its log says:\n${tailOf(log)}`);
    return ctl('get', 'x').then(
      () => true,
      () => false,
    );
  };
  await waitUntil('etcd serves from the restored data', READY_WITHIN_MS, serves, 100).catch(async (error: unknown) => {
    await endProcess(child, 1_000);
    throw error;
  });
  return {
    count: async (prefix) => {
      const [, count] = /^"Count" : (\d+)$/m.exec(await ctl('get', prefix, '--prefix', '--count-only', '-w', 'fields')) ?? [];
      return Number(count);
    },
    hashKv: async (revision) => {
      const Answer = z.tuple([z.object({ HashKV: z.object({ hash: z.number() }) })]);
      const [{ HashKV }] = Answer.parse(JSON.parse(await ctl('endpoint', 'hashkv', '--rev', String(revision), '-w', 'json')));
      return HashKV.hash.toString(16).padStart(8, '0');
    },
    stop: () => endProcess(child, 5_000),
  };
}
