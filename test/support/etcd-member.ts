import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, credentials } from '@grpc/grpc-js';
import type { EtcdBinaries } from './etcd-binaries';

const run = promisify(execFile);

/** Runs one of etcd's command line tools and returns what it printed. */
export async function tool(path: string, ...args: string[]): Promise<string> {
  return (await run(path, args, { maxBuffer: 1 << 28, env: { ...process.env, ETCDCTL_API: '3' } })).stdout;
}

/** A port that was free a moment ago, below the range that outgoing connections take theirs from. */
async function freePort(): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) {
      await new Promise((resolve) => server.close(resolve));
      return port;
    }
    if (attempt > 50) throw new Error(`no free port after ${attempt} attempts`);
  }
}

type FieldValue = number | Uint8Array;

function varint(value: number): number[] {
  const out: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}

/** A protobuf message from `[field number, value]` pairs in the order given; numbers are varints, bytes are length-delimited. */
export function message(...fields: readonly (readonly [number, FieldValue])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) =>
      typeof value === 'number'
        ? [Buffer.from([...varint(number * 8), ...varint(value)])]
        : [Buffer.from([...varint(number * 8 + 2), ...varint(value.length)]), value],
    ),
  );
}

/** A real single etcd member on plain loopback, with a data folder of its own that goes away with it. */
export class EtcdMember {
  private constructor(
    readonly binaries: EtcdBinaries,
    readonly folder: string,
    readonly endpoint: string,
    private readonly process: ChildProcess,
    private readonly client: Client,
  ) {}

  static async start(binaries: EtcdBinaries, options: { dataDir?: string; folder?: string } = {}): Promise<EtcdMember> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'etcd-member-'));
    const [client, peer] = [`127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
    const args = ['--name', 'm', '--data-dir', options.dataDir ?? join(folder, 'data'), '--unsafe-no-fsync', '--log-level', 'error'];
    args.push('--listen-client-urls', `http://${client}`, '--advertise-client-urls', `http://${client}`);
    args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `m=${peer}`);
    args.push('--quota-backend-bytes', String(8 * 2 ** 30), '--max-txn-ops', '1024', '--snapshot-count', '2000000');
    if (options.dataDir !== undefined) args.push('--force-new-cluster');
    const log = openSync(join(folder, 'etcd.log'), 'a');
    const process = spawn(binaries.etcd, args, { stdio: ['ignore', log, log] });
    const member = new EtcdMember(binaries, folder, client, process, new Client(client, credentials.createInsecure()));
    await member.ready();
    return member;
  }

  private async ready(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.call('KV/Range', message([1, Buffer.from('\0')]));
        return;
      } catch (error) {
        if (attempt > 150 || this.process.exitCode !== null)
          throw new Error(`etcd did not start, see ${this.folder}/etcd.log`, { cause: error });
        await pause(100);
      }
    }
  }

  /** One unary call by its short name, `KV/Put`, with raw protobuf in and out. */
  call(method: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, answer?: Buffer) =>
        answer === undefined ? reject(error ?? new Error('no answer')) : resolve(answer);
      this.client.makeUnaryRequest(
        `/etcdserverpb.${method}`,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        request,
        done,
      );
    });
  }

  etcdctl(...args: string[]): Promise<string> {
    return tool(this.binaries.etcdctl, '--endpoints', this.endpoint, ...args);
  }

  put(key: string, value: string | Buffer, lease = 0): Promise<Buffer> {
    return this.call('KV/Put', message([1, Buffer.from(key)], [2, Buffer.from(value)], [3, lease]));
  }

  delete(key: string): Promise<Buffer> {
    return this.call('KV/DeleteRange', message([1, Buffer.from(key)]));
  }

  /** Waits for the removal of old entries too when `physical`; otherwise it goes on in the background. */
  compact(revision: number, physical = true): Promise<Buffer> {
    return this.call('KV/Compact', message([1, revision], [2, physical ? 1 : 0]));
  }

  async snapshot(path: string): Promise<string> {
    rmSync(path, { force: true });
    await this.etcdctl('snapshot', 'save', path);
    return path;
  }

  /** The live member's answer to HashKV, as eight hex digits. */
  async hashKv(revision = 0): Promise<{ hash: string; compactRevision: number }> {
    const printed = await this.etcdctl('endpoint', 'hashkv', '--rev', String(revision), '-w', 'json');
    const parsed: unknown = JSON.parse(printed);
    const text = JSON.stringify(parsed);
    const number = (name: string) => Number(new RegExp(`"${name}":(-?\\d+)`).exec(text)?.[1]);
    return { hash: number('hash').toString(16).padStart(8, '0'), compactRevision: number('compact_revision') };
  }

  /** Ends the process and removes the folder; `keepData` leaves the files for another member to open. */
  async stop(keepData = false): Promise<void> {
    this.client.close();
    if (this.process.exitCode === null) {
      this.process.kill('SIGKILL');
      await once(this.process, 'exit');
    }
    if (!keepData) rmSync(this.folder, { recursive: true, force: true });
  }
}
