import type { BoltMeta } from './meta';
import { FIRST_DATA_PAGE, Header, LARGE_FREELIST_COUNT, PAGE_HEADER_BYTES, PAGE_ID_BYTES, PageFlag, readU64 } from './layout';
import type { PageClaims } from './page-claims';
import type { ProblemList } from './problems';
import type { SnapshotFile } from './snapshot-file';

/** Ids are read so many bytes at a time, whatever count the page claims. */
const CHUNK_BYTES = 65_536;

/**
 * Reads the free list into `claims`; false if the database keeps none or it cannot be trusted, so that a page that nobody uses
 * means nothing.
 */
export function readFreelist(file: SnapshotFile, meta: BoltMeta, claims: PageClaims, problems: ProblemList): boolean {
  const page = meta.freelist;
  if (page === undefined) {
    problems.note(
      'page-accounting',
      'no page is used twice; the database keeps no free list, so that lost pages cannot be told from free ones',
    );
    return false;
  }
  if (page < FIRST_DATA_PAGE || page >= claims.pages) {
    problems.add('freelist-damaged', `the free list is said to be on page ${page} of ${claims.pages}`);
    return false;
  }
  const chunk = Buffer.alloc(CHUNK_BYTES);
  file.readSync(chunk, 0, PAGE_HEADER_BYTES + PAGE_ID_BYTES, page * meta.pageSize);
  const problem = headerProblem(chunk, page, claims.pages);
  if (problem !== undefined) {
    problems.add('freelist-damaged', problem, page);
    return false;
  }
  const span = chunk.readUInt32LE(Header.overflow) + 1;
  const short = chunk.readUInt16LE(Header.count);
  const large = short === LARGE_FREELIST_COUNT;
  const count = large ? readU64(chunk, PAGE_HEADER_BYTES) : short;
  const start = PAGE_HEADER_BYTES + (large ? PAGE_ID_BYTES : 0);
  if (start + count * PAGE_ID_BYTES > span * meta.pageSize) {
    problems.add('freelist-damaged', `the free list counts ${count} pages, more than fit into its ${span} pages`, page);
    return false;
  }
  claims.use(page, span, 'the free list');
  readIds(file, { position: page * meta.pageSize + start, count, pages: claims.pages }, chunk, (id, ordered) => {
    if (!ordered) problems.add('freelist-damaged', `page ${id} is out of order or out of bounds in the free list`, page);
    if (id >= FIRST_DATA_PAGE && id < claims.pages) claims.release(id);
  });
  problems.note('page-accounting', 'every page is either used once or free once');
  return true;
}

function headerProblem(header: Buffer, page: number, pages: number): string | undefined {
  const [id, flags, overflow] = [readU64(header, Header.id), header.readUInt16LE(Header.flags), header.readUInt32LE(Header.overflow)];
  if (id !== page) return `the free list on page ${page} says that it is page ${id}`;
  if (flags !== PageFlag.freelist) return `the free list's page ${page} has flags 0x${flags.toString(16)}, not 0x10`;
  if (page + overflow >= pages) return `the free list's page ${page} has overflow ${overflow}, behind the last page ${pages - 1}`;
  return undefined;
}

interface Ids {
  readonly position: number;
  readonly count: number;
  readonly pages: number;
}

function readIds(file: SnapshotFile, ids: Ids, chunk: Buffer, take: (id: number, ordered: boolean) => void): void {
  let before = FIRST_DATA_PAGE - 1;
  for (let done = 0; done < ids.count;) {
    const part = Math.min(ids.count - done, chunk.length / PAGE_ID_BYTES);
    file.readSync(chunk, 0, part * PAGE_ID_BYTES, ids.position + done * PAGE_ID_BYTES);
    for (let i = 0; i < part; i++) {
      const id = readU64(chunk, i * PAGE_ID_BYTES);
      take(id, id > before && id < ids.pages);
      before = id;
    }
    done += part;
  }
}
