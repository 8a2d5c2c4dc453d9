import type { LiveHashKv } from '../cluster-view';
import { int64, numbersOf } from './message-fields';
import type { UnaryMethod } from './unary-call';

/**
 * HashKV at a revision (etcdserverpb/rpc.proto, service Maintenance): etcd3 1.1.2 names the method `hashKV`, but grpc-js offers it as
 * `hashKv`, so the library's call fails before it is sent.
 */
export const HASH_KV: UnaryMethod<number, LiveHashKv> = { path: '/etcdserverpb.Maintenance/HashKV', encode, decode };

/** HashKVRequest { int64 revision = 1 } */
function encode(revision: number): Buffer {
  const bytes = [0x08];
  let rest = BigInt(revision);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** HashKVResponse { ResponseHeader header = 1; uint32 hash = 2; int64 compact_revision = 3; int64 hash_revision = 4 } */
function decode(message: Buffer): LiveHashKv {
  const numbers = numbersOf(message);
  const hash = Number(BigInt.asUintN(32, numbers.get(2) ?? 0n));
  return { hash: hash.toString(16).padStart(8, '0'), compactRevision: int64(numbers.get(3)) };
}
