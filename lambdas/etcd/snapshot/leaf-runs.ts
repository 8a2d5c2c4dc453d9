import type { Children } from './branch-page';
import type { PageMemory } from './page-memory';
import { RUN_BYTES } from './page-memory';
import type { SnapshotFile } from './snapshot-file';

/** Pages between two leaves (mostly the overflow of the first) that are cheaper to read along than to skip. */
const GAP_BYTES = 1 << 16;
/** Shorter reads are faster done at once than handed to another thread. */
const HANDED_OVER_BYTES = 1 << 15;

/** Leaf pages of ascending ids that are read together: `bytes` from the first page on. */
export interface LeafRun extends Children {
  readonly bytes: number;
}

/** A run in the page memory at `at`; `got` bytes of it are there, at once or later. */
export interface RunReading {
  readonly run: LeafRun;
  readonly at: number;
  readonly got: number | Promise<number>;
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

/** Reads runs ahead of their use, each into a room of its own of the page memory. */
export class ReadAhead {
  private readonly queue: RunReading[] = [];
  private started = 0;

  constructor(
    private readonly runs: Generator<LeafRun>,
    private readonly file: SnapshotFile,
    private readonly pageSize: number,
    private readonly memory: PageMemory,
  ) {}

  /** The next run; its memory is its own until the one after it is asked for. */
  next(): RunReading | undefined {
    while (this.queue.length < this.memory.runs.length - 1) {
      const next = this.runs.next();
      if (next.done) break;
      this.queue.push(this.start(next.value));
    }
    return this.queue.shift();
  }

  /** Waits until nothing writes to the page memory any more. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.queue.map(({ got }) => Promise.resolve(got)));
  }

  private start(run: LeafRun): RunReading {
    const at = this.memory.runs[this.started++ % this.memory.runs.length] ?? 0;
    const position = (run.pages[0] ?? 0) * this.pageSize;
    if (run.bytes < HANDED_OVER_BYTES) return { run, at, got: this.file.readSync(this.memory.bytes, at, run.bytes, position) };
    const got = this.file.read(this.memory.bytes, at, run.bytes, position);
    got.catch(() => 0); // told to whoever awaits it; not to the process, should the walk end before
    return { run, at, got };
  }
}
