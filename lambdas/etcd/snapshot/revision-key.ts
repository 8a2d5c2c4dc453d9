import { readU64BE } from './layout';

/** Lengths of the keys of etcd's `key` bucket: main revision u64, `_`, sub revision u64, big endian, and a `t` behind tombstones. */
export const REVISION_KEY_BYTES = 17;
export const TOMBSTONE_KEY_BYTES = 18;
const SEPARATOR_AT = 8;
const SEPARATOR = 0x5f;
const TOMBSTONE = 0x74;

/** True if [start, end) is a revision key (etcd `server/storage/mvcc/revision.go`, `BytesToBucketKey`) below 2^53. */
export function isRevisionKey(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length !== REVISION_KEY_BYTES && (length !== TOMBSTONE_KEY_BYTES || bytes[end - 1] !== TOMBSTONE)) return false;
  return (
    bytes[start + SEPARATOR_AT] === SEPARATOR &&
    mainOf(bytes, start) <= Number.MAX_SAFE_INTEGER &&
    subOf(bytes, start) <= Number.MAX_SAFE_INTEGER
  );
}

export const mainOf = (bytes: Buffer, start: number): number => readU64BE(bytes, start);
export const subOf = (bytes: Buffer, start: number): number => readU64BE(bytes, start + SEPARATOR_AT + 1);

/** The 17 bytes of a revision. */
export function revisionKey(main: number, sub: number): Buffer {
  const key = Buffer.alloc(REVISION_KEY_BYTES);
  key.writeBigUInt64BE(BigInt(main), 0);
  key[SEPARATOR_AT] = SEPARATOR;
  key.writeBigUInt64BE(BigInt(sub), SEPARATOR_AT + 1);
  return key;
}
