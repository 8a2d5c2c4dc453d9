import { fnv1a64, Header, Meta, META_MAGIC, META_VERSION, NO_FREELIST, PAGE_SIZES, PageFlag, readU64 } from './layout';
import type { ProblemList } from './problems';
import type { SnapshotFile } from './snapshot-file';

/** What the newest transaction says about the file. `freelist` is undefined where the database keeps none. */
export interface BoltMeta {
  readonly pageSize: number;
  readonly root: number;
  readonly freelist: number | undefined;
  /** Pages that the transaction spans, the two meta pages included. */
  readonly pages: number;
  readonly transaction: number;
}

type Judged = { readonly meta: BoltMeta } | { readonly damage: string };

/** Judges one meta page, 80 bytes from its page header on (bbolt `Meta.Validate`). */
function judge(bytes: Buffer, page: number, pageSize: number): Judged {
  if (bytes.length < Meta.end) return { damage: `the file ends inside meta page ${page}` };
  const magic = bytes.readUInt32LE(Meta.magic);
  if (magic !== META_MAGIC) return { damage: `magic is ${magic.toString(16)}, not ${META_MAGIC.toString(16)}` };
  const version = bytes.readUInt32LE(Meta.version);
  if (version !== META_VERSION) return { damage: `version is ${version}, not ${META_VERSION}` };
  const [checksum, sum] = [bytes.readBigUInt64LE(Meta.checksum), fnv1a64(bytes.subarray(Meta.magic, Meta.checksum))];
  if (checksum !== sum) return { damage: `checksum is ${checksum.toString(16)}, its bytes give ${sum.toString(16)}` };
  const stated = bytes.readUInt32LE(Meta.pageSize);
  if (stated !== pageSize) return { damage: `page size is ${stated}, the page lies as if it were ${pageSize}` };
  const freelist = bytes.readBigUInt64LE(Meta.freelist);
  return {
    meta: {
      pageSize,
      root: readU64(bytes, Meta.root),
      freelist: freelist === NO_FREELIST ? undefined : Number(freelist),
      pages: readU64(bytes, Meta.pages),
      transaction: readU64(bytes, Meta.transaction),
    },
  };
}

function checkHeader(bytes: Buffer, page: number, problems: ProblemList): void {
  if (bytes.length < Meta.end) return;
  const id = readU64(bytes, Header.id);
  if (id !== page) problems.add('page-id-mismatch', `meta page ${page} says that it is page ${id}`, page);
  const flags = bytes.readUInt16LE(Header.flags);
  if (flags !== PageFlag.meta) problems.add('page-flags', `meta page ${page} has flags 0x${flags.toString(16)}, not 0x4`, page);
  const [count, overflow] = [bytes.readUInt16LE(Header.count), bytes.readUInt32LE(Header.overflow)];
  if (count !== 0 || overflow !== 0)
    problems.add('page-count', `meta page ${page} has count ${count} and overflow ${overflow}, not 0`, page);
}

function head(file: SnapshotFile, position: number): Buffer {
  const bytes = Buffer.alloc(Meta.end);
  return bytes.subarray(0, file.readSync(bytes, 0, bytes.length, position));
}

/** The page size by the first page that passes for a meta page: the one at 0 says it, the other one lies at a page size. */
function findPageSize(file: SnapshotFile): number | undefined {
  const first = head(file, 0);
  const stated = first.length < Meta.end ? 0 : first.readUInt32LE(Meta.pageSize);
  if (PAGE_SIZES.includes(stated) && 'meta' in judge(first, 0, stated)) return stated;
  return PAGE_SIZES.find((size) => 'meta' in judge(head(file, size), 1, size));
}

/**
 * Reads both meta pages, reports what is wrong with each and returns the newer valid one, undefined if there is none.
 *
 * etcd streams a snapshot with the newest transaction in page 0 and the one before in page 1 (bbolt `Tx.WriteTo`); a database in use
 * alternates. Either way the two differ by exactly one transaction.
 */
export function readMeta(file: SnapshotFile, problems: ProblemList): BoltMeta | undefined {
  const pageSize = findPageSize(file);
  if (pageSize === undefined) {
    problems.add(
      'file-not-bolt',
      `neither meta page is valid: ${file.size} bytes that are not a bbolt database, or both pages are damaged`,
    );
    return undefined;
  }
  const valid: { readonly page: number; readonly meta: BoltMeta }[] = [];
  for (const page of [0, 1]) {
    const bytes = head(file, page * pageSize);
    checkHeader(bytes, page, problems);
    const judged = judge(bytes, page, pageSize);
    if ('meta' in judged) valid.push({ page, meta: judged.meta });
    else problems.add('meta-damaged', `meta page ${page} is damaged: ${judged.damage}`, page);
  }
  const [a, b] = valid;
  if (a === undefined) return undefined;
  if (b === undefined) return a.meta;
  const [newer, older] = a.meta.transaction >= b.meta.transaction ? [a, b] : [b, a];
  if (newer.meta.transaction - older.meta.transaction !== 1) {
    const message = `meta page ${older.page} is of transaction ${older.meta.transaction}, meta page ${newer.page} of ${newer.meta.transaction}: they must differ by one`;
    problems.add('meta-stale', message, older.page);
  }
  return newer.meta;
}
