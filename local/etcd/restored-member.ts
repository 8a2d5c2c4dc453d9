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
/** A minute is far more than any call takes; a watch that is not refused would last for ever. */
const OUTPUT = { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 };

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
  /** The revision that it serves, and the cluster id that it counts in. */
  position(): Promise<{ readonly revision: number; readonly lineage: string }>;
  put(key: string, value: string): Promise<void>;
  /** What etcd says to a watch from a revision on that it refuses; fails when it accepts it. */
  refusalOfWatch(revision: number): Promise<string>;
  stop(): Promise<void>;
}

export interface RestoreOptions {
  /** Of the new member and of its folder below `folder`. @default 'restored' */
  readonly name?: string;
  /** What `--bump-revision` adds, with `--mark-compacted` beside it. @default - nothing */
  readonly bump?: number;
}

/** Restores a plain snapshot file with `etcdutl` into a new data folder below `folder` and boots etcd from it. */
export async function bootRestored(
  file: string,
  folder: string,
  release: EtcdRelease,
  { name = 'restored', bump }: RestoreOptions = {},
): Promise<RestoredMember> {
  const dataDir = path.join(folder, name);
  const log = path.join(folder, `${name}.log`);
  const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`) as [string, string];
  const cluster = [
    `--name=${name}`,
    `--data-dir=${dataDir}`,
    `--initial-cluster=${name}=${peer}`,
    `--initial-cluster-token=${name}-${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
  ];
  const bumped = bump === undefined ? [] : [`--bump-revision=${bump}`, '--mark-compacted'];
  await run(etcdProgram(release, 'etcdutl'), ['snapshot', 'restore', file, ...cluster, ...bumped], OUTPUT);

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
    position: async () => {
      const Answer = z.tuple([z.object({ Status: z.object({ header: z.object({ cluster_id: z.number(), revision: z.number() }) }) })]);
      const text = await ctl('endpoint', 'status', '-w', 'json');
      const [{ Status: { header } }] = Answer.parse(JSON.parse(text)); // prettier-ignore
      // The id is larger than what JSON numbers hold exactly, so it is read from the text.
      const [, id = ''] = /"cluster_id":\s*(\d+)/.exec(text) ?? [];
      return { revision: header.revision, lineage: BigInt(id).toString(16) };
    },
    put: async (key, value) => {
      await ctl('put', key, value);
    },
    refusalOfWatch: (revision) =>
      ctl('watch', 'x', '--rev', String(revision)).then(
        (said) => {
          throw new Error(`a watch from revision ${revision} ended without an error: ${said}`);
        },
        (error: unknown) => z.object({ stderr: z.string() }).parse(error).stderr,
      ),
    stop: () => endProcess(child, 5_000),
  };
}
