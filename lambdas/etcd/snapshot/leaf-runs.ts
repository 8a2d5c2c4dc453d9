import type { Children } from './branch-page';
import { RUN_BYTES } from './page-memory';

/** Pages between two leaves (mostly the overflow of the first) that are cheaper to read along than to skip. */
const GAP_BYTES = 1 << 16;
/** Leaf pages of ascending ids that are read together: `bytes` from the first page on. */
export interface LeafRun extends Children {
  readonly bytes: number;
}

/** Splits children that are leaves into runs, in their order. */
export function* adjacentRuns({ pages, keys }: Children, pageSize: number): Generator<LeafRun> {
  for (let i = 0; i < pages.length;) {
    const first = pages[i] ?? 0;
    let [last, j] = [first, i + 1];
    for (let next = pages[j]; next !== undefined && next > last; next = pages[j]) {
      if ((next - last) * pageSize > GAP_BYTES || (next + 1 - first) * pageSize > RUN_BYTES) break;
      last = next;
      j++;
    }
    yield { pages: pages.slice(i, j), keys: keys.slice(i, j), bytes: (last + 1 - first) * pageSize };
    i = j;
  }
}
