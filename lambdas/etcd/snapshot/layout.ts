/**
 * How bbolt lays a file out (bbolt `internal/common/{page,meta,bucket,inode}.go`). Everything is little endian.
 *
 *     page      id u64, flags u16, count u16, overflow u32, then `count` elements of 16 bytes, then their data without gaps
 *     branch    pos u32, ksize u32, child page u64             pos counts from the element itself
 *     leaf      flags u32 (1 = the value is a bucket), pos u32, ksize u32, vsize u32; the value follows its key
 *     bucket    root page u64, sequence u64; root 0 means that the bucket's only page follows inline
 *     meta      magic u32, version u32, page size u32, flags u32, root bucket, freelist page u64, page count u64,
 *               transaction u64, FNV-1a-64 of the 56 bytes before it
 *     freelist  page ids u64; a count of 0xFFFF means that the first id is the real count
 *
 * A page whose overflow is n takes n + 1 pages of the file. A snapshot has a SHA-256 of all pages behind them.
 */
export const PAGE_HEADER_BYTES = 16;
export const ELEMENT_BYTES = 16;
export const BUCKET_HEADER_BYTES = 16;
export const PAGE_ID_BYTES = 8;
export const TRAILER_BYTES = 32;
/** etcd and etcdutl take a file for a snapshot with trailer when its size leaves 32 over whole sectors. */
export const SECTOR_BYTES = 512;
/** bbolt's `MaxKeySize`. */
export const MAX_KEY_BYTES = 32_768;
export const FIRST_DATA_PAGE = 2;
export const LARGE_FREELIST_COUNT = 0xffff;

export const PageFlag = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const;
export const BUCKET_ELEMENT = 0x01;

export const Header = { id: 0, flags: 8, count: 10, overflow: 12 } as const;
export const Meta = {
  magic: 16,
  version: 20,
  pageSize: 24,
  flags: 28,
  root: 32,
  sequence: 40,
  freelist: 48,
  pages: 56,
  transaction: 64,
  checksum: 72,
  end: 80,
} as const;
export const META_MAGIC = 0xed0cdaed;
export const META_VERSION = 2;
/** Page sizes that bbolt itself tries when the first meta page is damaged. */
export const PAGE_SIZES = [4096, 8192, 16_384, 32_768, 65_536, 2048, 1024];
/** The freelist page of a database that does not keep its free list, as etcd's does not (`NoFreelistSync`). */
export const NO_FREELIST = 0xffff_ffff_ffff_ffffn;

/** FNV-1a with 64 bits, of meta pages only: a BigInt per byte is far too slow for more. */
export function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

/** An unsigned 64-bit number as a double: exact below 2^53, and far above any bound that it is compared with otherwise. */
export const readU64 = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;

const byteAt = (bytes: Buffer, at: number): number => bytes[at] ?? 0;
const readU32BE = (bytes: Buffer, at: number): number =>
  ((byteAt(bytes, at) << 24) | (byteAt(bytes, at + 1) << 16) | (byteAt(bytes, at + 2) << 8) | byteAt(bytes, at + 3)) >>> 0;

/** As {@link readU64}, big endian; by single bytes, which the hot loop over revisions has faster than Buffer's own methods. */
export const readU64BE = (bytes: Buffer, at: number): number => readU32BE(bytes, at) * 2 ** 32 + readU32BE(bytes, at + 4);
