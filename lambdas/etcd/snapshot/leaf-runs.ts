import type { Children } from './branch-page';
import { RUN_BYTES } from './page-memory';

/** Pages between two leaves (mostly the overflow of the first) that are cheaper to read along than to skip. */
const GAP_BYTES = 1 << 16;

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
export function* leafRuns(children: Children, pageSize: number): Generator<LeafRun> {
  const { pages, keys } = children;
  const extents = extentsOf(pages, pageSize);
  const last = extents.at(-1);
  if (pages.length <= 1 || (last !== undefined && last.at + last.bytes <= RUN_BYTES)) {
    if (pages.length > 0) yield { pages, keys, extents };
    return;
  }
  const half = pages.length >>> 1;
  yield* leafRuns({ pages: pages.slice(0, half), keys: keys.slice(0, half) }, pageSize);
  yield* leafRuns({ pages: pages.slice(half), keys: keys.slice(half) }, pageSize);
}

function extentsOf(pages: readonly number[], pageSize: number): Extent[] {
  const extents: Extent[] = [];
  let [first, last, at] = [-1, -1, 0];
  const close = () => {
    if (first < 0) return;
    const bytes = (last + 1 - first) * pageSize;
    extents.push({ first, at, bytes });
    at += bytes;
  };
  for (const page of [...pages].sort((a, b) => a - b)) {
    if (first < 0 || (page - last) * pageSize > GAP_BYTES) {
      close();
      first = page;
    }
    last = page;
  }
  close();
  return extents;
}

/** The extent that holds a page of the run. */
export function extentOf(extents: readonly Extent[], page: number): Extent | undefined {
  let [low, high] = [0, extents.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((extents[middle]?.first ?? 0) <= page) low = middle;
    else high = middle;
  }
  return extents[low];
}
