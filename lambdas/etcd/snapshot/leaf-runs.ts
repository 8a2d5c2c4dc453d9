import type { Children } from './branch-page';
import { RUN_BYTES } from './page-memory';

/** Bytes between two leaves (mostly the overflow of the first) that are cheaper to read along than to skip: about 3 µs either way. */
const GAP_BYTES = 1 << 15;
/**
 * Read along behind the last leaf of an extent, whose overflow is not known beforehand: objects of Kubernetes rarely take more, so that a
 * leaf which lies alone costs one read and not two.
 */
const TAIL_BYTES = 12 * 1024;

export interface PagedFile {
  readonly pageSize: number;
  /** Pages that the meta page counts and the file has. */
  readonly pages: number;
}

/** A piece of the file that is read at once: `bytes` from page `first` on, to `at` in the memory of the run. */
export interface Extent {
  readonly first: number;
  readonly at: number;
  readonly bytes: number;
}

/** Leaf pages in key order, and the extents that hold them, in the order of the file. */
export interface LeafRun extends Children {
  readonly extents: readonly Extent[];
}

/**
 * Splits children that are leaves into runs of at most RUN_BYTES, in key order.
 *
 * etcd's free list hands out pages in no order, so that neighbours in the tree are close in the file, but rarely next to each other.
 */
export function* leafRuns(children: Children, source: PagedFile): Generator<LeafRun> {
  const { pages, keys } = children;
  const extents = extentsOf(pages, source);
  const last = extents.at(-1);
  if (pages.length <= 1 || (last !== undefined && last.at + last.bytes <= RUN_BYTES)) {
    if (pages.length > 0) yield { pages, keys, extents };
    return;
  }
  const half = pages.length >>> 1;
  yield* leafRuns({ pages: pages.slice(0, half), keys: keys.slice(0, half) }, source);
  yield* leafRuns({ pages: pages.slice(half), keys: keys.slice(half) }, source);
}

function extentsOf(pages: readonly number[], { pageSize, pages: count }: PagedFile): Extent[] {
  const extents: Extent[] = [];
  const [gap, tail] = [Math.floor(GAP_BYTES / pageSize), Math.floor(TAIL_BYTES / pageSize)];
  const sorted = new Float64Array(pages).sort();
  let at = 0;
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i] ?? 0;
    let last = first;
    for (let next = sorted[i + 1]; next !== undefined && next - last <= gap; next = sorted[i + 1]) {
      last = next;
      i++;
    }
    const bytes = (Math.min(last + 1 + tail, count) - first) * pageSize;
    extents.push({ first, at, bytes });
    at += bytes;
  }
  return extents;
}

/** The extent that holds a page of the run. */
export function extentOf(extents: readonly Extent[], page: number): Extent | undefined {
  let low = 0;
  let high = extents.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((extents[middle]?.first ?? 0) <= page) low = middle;
    else high = middle;
  }
  return extents[low];
}
