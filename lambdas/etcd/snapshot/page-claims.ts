import type { ProblemList } from './problems';

/**
 * Who uses each page of a file: two bits a page, so 512 KiB for 8 GiB of pages of 4 KiB.
 *
 * A page that is found used is not looked behind, and every page looked at before it is marked: whatever the pages claim, all claims
 * together look at each page once, and at one more page each.
 */
export class PageClaims {
  private readonly used: Uint8Array;
  private readonly free: Uint8Array;

  /** @param pages the file's page count, already bounded by the file's size */
  constructor(
    readonly pages: number,
    private readonly problems: ProblemList,
  ) {
    this.used = new Uint8Array(Math.ceil(pages / 8));
    this.free = new Uint8Array(Math.ceil(pages / 8));
  }

  /** Marks `span` pages from `page` on as used. False, with a problem, if one of them is used already: do not follow it. */
  use(page: number, span: number, by: string): boolean {
    return this.take(page, page + span, by);
  }

  /** Marks the first page of a branch or leaf as used; false as {@link use}. To be asked before anything is read. */
  follow(page: number): boolean {
    return this.take(page, page + 1);
  }

  /** Marks the overflow of a page that is followed; false as {@link use}. */
  extend(page: number, span: number): boolean {
    return this.take(page + 1, page + span, undefined, page);
  }

  private take(first: number, end: number, by?: string, page = first): boolean {
    for (let id = first; id < end; id++) {
      if (isSet(this.used, id)) {
        this.problems.add('page-used-twice', `page ${id} is used by ${by ?? `page ${page}`}, and by another page before`, id);
        return false;
      }
      if (isSet(this.free, id))
        this.problems.add('page-free-but-used', `page ${id} is in the free list and used by ${by ?? `page ${page}`}`, id);
      set(this.used, id);
    }
    return true;
  }

  /** Marks a page of the free list. */
  release(page: number): void {
    if (isSet(this.free, page)) this.problems.add('freelist-damaged', `page ${page} is in the free list twice`, page);
    set(this.free, page);
  }

  /** Runs of pages that are neither used nor free, as [first, last]. */
  *lost(): Generator<readonly [first: number, last: number]> {
    let first: number | undefined;
    for (let id = 0; id <= this.pages; id++) {
      const lost = id < this.pages && !isSet(this.used, id) && !isSet(this.free, id);
      if (lost) first ??= id;
      else if (first !== undefined) {
        yield [first, id - 1];
        first = undefined;
      }
    }
  }
}

const isSet = (bits: Uint8Array, id: number): boolean => ((bits[id >>> 3] ?? 0) & (1 << (id & 7))) !== 0;
const set = (bits: Uint8Array, id: number): void => {
  bits[id >>> 3] = (bits[id >>> 3] ?? 0) | (1 << (id & 7));
};
