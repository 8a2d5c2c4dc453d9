import { Client, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { EtcdClientSecret } from '../../contract/secrets';
import type { LiveHashKv } from '../cluster-view';

/** etcdserverpb/rpc.proto, service Maintenance. */
const METHOD = '/etcdserverpb.Maintenance/HashKV';

export interface HashKvCaller {
  /** @throws ServiceError of gRPC, with etcd's own text in `details` */
  call(revision: number, deadlineMs: number): Promise<LiveHashKv>;
  close(): void;
}

/**
 * HashKV over a channel of its own: etcd3 1.1.2 names the method `hashKV`, but grpc-js offers it as `hashKv`, so the library's call fails before it is sent.
 *
 * @param endpoint `https://host:port`
 */
export function openHashKv(endpoint: string, secret: EtcdClientSecret): HashKvCaller {
  const tls = credentials.createSsl(Buffer.from(secret.ca), Buffer.from(secret.key), Buffer.from(secret.cert));
  const client = new Client(endpoint.replace(/^https:\/\//, ''), tls);
  return {
    call: (revision, deadlineMs) =>
      new Promise((resolve, reject) => {
        const done = (error: ServiceError | null, answer?: LiveHashKv) => {
          if (answer) resolve(answer);
          else reject(error ?? new Error(`${endpoint} answered HashKV with nothing`));
        };
        client.makeUnaryRequest(METHOD, encodeRequest, decodeResponse, revision, { deadline: Date.now() + deadlineMs }, done);
      }),
    close: () => client.close(),
  };
}

/** HashKVRequest { int64 revision = 1 } */
function encodeRequest(revision: number): Buffer {
  const bytes = [0x08];
  let rest = BigInt(revision);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** HashKVResponse { ResponseHeader header = 1; uint32 hash = 2; int64 compact_revision = 3; int64 hash_revision = 4 } */
function decodeResponse(message: Buffer): LiveHashKv {
  const numbers = new Map<number, bigint>();
  for (let at = 0; at < message.length;) {
    const tag = varint(message, at);
    const value = varint(message, tag.next);
    const wireType = Number(tag.value & 7n);
    if (wireType !== 0 && wireType !== 2) throw new RangeError(`a HashKV answer holds a field of wire type ${wireType}`);
    if (wireType === 0) numbers.set(Number(tag.value >> 3n), value.value);
    at = wireType === 0 ? value.next : value.next + Number(value.value);
  }
  const hash = Number(BigInt.asUintN(32, numbers.get(2) ?? 0n));
  return { hash: hash.toString(16).padStart(8, '0'), compactRevision: Number(BigInt.asIntN(64, numbers.get(3) ?? 0n)) };
}

function varint(bytes: Buffer, from: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  for (let at = from, shift = 0n; shift < 70n; at++, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) break;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value, next: at + 1 };
  }
  throw new RangeError('a HashKV answer is cut off inside a number');
}
