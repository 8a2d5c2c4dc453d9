import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BranchBounds, Children } from './branch-page';
import { readBranch } from './branch-page';
import { ELEMENT_BYTES, FIRST_DATA_PAGE, Header, PAGE_HEADER_BYTES, PageFlag, readU64 } from './layout';
import { compareKeys } from './key-order';
import type { LeafReader } from './leaf-page';
import type { LeafRun, PagedFile } from './leaf-runs';
import { extentOf, leafRuns } from './leaf-runs';
import type { PageClaims } from './page-claims';
import type { PageMemory } from './page-memory';
import { MAX_PAGE_BYTES } from './page-memory';
import type { ProblemList, SnapshotProblemCode } from './problems';
import type { SnapshotFile } from './snapshot-file';

/** With at least two children a page, 2^40 pages are 40 levels deep; real files have four. */
const MAX_DEPTH = 40;
/** Branch pages hold keys of at most 32 KiB and many children; etcd's are single pages. */
const MAX_BRANCH_BYTES = 1 << 20;
/** Bytes that may be judged before others get their turn: about two milliseconds. */
const TURN_BYTES = 1 << 22;

export interface WalkedFile extends PagedFile {
  readonly file: SnapshotFile;
}

/**
 * Walks the trees of a file in key order. Every page is claimed before it is read, so that no page is read for two parents, and all walks
 * together are bounded by the file's pages: at worst leaves that lie apart cost the gap that is read along with each.
 */
export class TreeWalk {
  private turn = 0;

  constructor(
    private readonly source: WalkedFile,
    private readonly memory: PageMemory,
    private readonly claims: PageClaims,
    private readonly problems: ProblemList,
  ) {}

  /** Gives every leaf page of the tree to the reader. Subtrees of which all keys are below `from` are left out. */
  async walk(root: number, leaves: LeafReader, from?: Buffer): Promise<void> {
    if (root < FIRST_DATA_PAGE || root >= this.source.pages) {
      this.fail('page-out-of-bounds', `a bucket's root is page ${root}, outside 2..${this.source.pages - 1}`);
      return;
    }
    if (!this.claims.follow(root)) return;
    const leafDepth = this.leafDepth(root);
    if (leafDepth === undefined) {
      this.fail('page-depth', `the tree below page ${root} has no leaf in ${MAX_DEPTH} levels`, root);
      return;
    }
    const runs = this.runs(root, leafDepth, { low: undefined, high: undefined }, from);
    for (const run of runs) {
      let got = 0;
      for (const { first, at, bytes } of run.extents) {
        got += this.source.file.readSync(this.memory.bytes, this.memory.run + at, bytes, first * this.source.pageSize);
      }
      this.visit(run, leaves);
      this.turn += got;
      if (this.turn < TURN_BYTES) continue;
      this.turn = 0;
      await nextTurn();
    }
  }

  /** All leaves of a bbolt tree are equally deep, so the way to the first one tells. */
  private leafDepth(root: number): number | undefined {
    const head = Buffer.alloc(PAGE_HEADER_BYTES + ELEMENT_BYTES);
    for (let page = root, depth = 0; depth < MAX_DEPTH; depth++) {
      this.source.file.readSync(head, 0, head.length, page * this.source.pageSize);
      if (head.readUInt16LE(Header.flags) !== PageFlag.branch) return depth;
      page = readU64(head, PAGE_HEADER_BYTES + 8);
      if (page < FIRST_DATA_PAGE || page >= this.source.pages) return depth + 1;
    }
    return undefined;
  }

  /** The leaves below a page that is claimed already. */
  private *runs(page: number, levels: number, between: Omit<BranchBounds, 'pages'>, from?: Buffer): Generator<LeafRun> {
    if (levels === 0) {
      yield* leafRuns({ pages: [page], keys: between.low === undefined ? [] : [between.low] }, this.source);
      return;
    }
    const bytes = this.branchBytes(page);
    const children = bytes && readBranch(bytes, page, { ...between, pages: this.source.pages }, this.problems);
    if (children === undefined) return;
    const { pages, keys } = this.unclaimed(from === undefined ? children : skipBelow(children, from));
    if (levels === 1) yield* leafRuns({ pages, keys }, this.source);
    else
      for (const [i, child] of pages.entries())
        yield* this.runs(child, levels - 1, { low: keys[i], high: keys[i + 1] ?? between.high }, from);
  }

  /** Claims the first page of each child, and leaves out those that another page has. */
  private unclaimed(children: Children): Children {
    const fresh = children.pages.map((page) => this.claims.follow(page));
    if (fresh.every(Boolean)) return children;
    return { pages: children.pages.filter((_, i) => fresh[i]), keys: children.keys.filter((_, i) => fresh[i]) };
  }

  private visit(run: LeafRun, leaves: LeafReader): void {
    const { pageSize } = this.source;
    for (let i = 0; i < run.pages.length; i++) {
      const page = run.pages[i] ?? 0;
      const extent = extentOf(run.extents, page);
      if (extent === undefined) continue;
      const start = this.memory.run + extent.at;
      const offset = start + (page - extent.first) * pageSize;
      const span = this.span(this.memory.bytes, offset, page);
      if (span === undefined) continue;
      const bytes = span * pageSize;
      const separator = run.keys[i];
      if (offset + bytes <= start + extent.bytes) this.checkSpan(page, span, offset, leaves.read(offset, bytes, page, separator));
      else if (bytes > MAX_PAGE_BYTES)
        this.fail('page-too-large', `page ${page} has ${span} pages, more than ${MAX_PAGE_BYTES} bytes`, page);
      else {
        this.turn += this.source.file.readSync(this.memory.bytes, this.memory.big, bytes, page * pageSize);
        this.checkSpan(page, span, this.memory.big, leaves.read(this.memory.big, bytes, page, separator));
      }
    }
  }

  /** bbolt gives a page what its content needs; versions before 1.3.7 one page more where the content ends with a page. */
  private checkSpan(page: number, span: number, offset: number, end: number | undefined): void {
    if (end === undefined || span <= Math.floor((end - offset) / this.source.pageSize) + 1) return;
    this.fail('page-overflow', `page ${page} takes ${span} pages for ${end - offset} bytes`, page);
  }

  /** The pages that a followed page takes, all claimed; undefined, with a problem, if it must not be read. */
  private span(header: Buffer, at: number, page: number): number | undefined {
    const id = readU64(header, at);
    if (id !== page) return this.fail('page-id-mismatch', `page ${page} says that it is page ${id}`, page);
    const span = header.readUInt32LE(at + Header.overflow) + 1;
    if (page + span > this.source.pages) {
      return this.fail('page-overflow', `page ${page} takes ${span} pages, behind the last page ${this.source.pages - 1}`, page);
    }
    return this.claims.extend(page, span) ? span : undefined;
  }

  private branchBytes(page: number): Buffer | undefined {
    const { file, pageSize } = this.source;
    const bytes = Buffer.alloc(pageSize);
    file.readSync(bytes, 0, pageSize, page * pageSize);
    const span = this.span(bytes, 0, page);
    if (span === undefined || span === 1) return span && bytes;
    if (span * pageSize > MAX_BRANCH_BYTES) {
      this.fail('page-too-large', `branch page ${page} takes ${span} pages`, page);
      return undefined;
    }
    const all = Buffer.alloc(span * pageSize);
    file.readSync(all, 0, all.length, page * pageSize);
    return all;
  }

  private fail(code: SnapshotProblemCode, message: string, page?: number): number | undefined {
    this.problems.add(code, message, page);
    return undefined;
  }
}

function skipBelow({ pages, keys }: Children, from: Buffer): Children {
  const behind = keys.findIndex((key) => compareKeys(key.bytes, key.start, key.end, from, 0, from.length) > 0);
  const first = Math.max(0, (behind < 0 ? keys.length : behind) - 1);
  return { pages: pages.slice(first), keys: keys.slice(first) };
}
