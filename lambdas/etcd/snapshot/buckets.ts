import { BUCKET_HEADER_BYTES, Header, readU64 } from './layout';
import type { LeafSink } from './leaf-page';
import { LeafReader } from './leaf-page';
import type { PageMemory } from './page-memory';
import { MAX_INLINE_BYTES } from './page-memory';
import type { ProblemList } from './problems';
import { quotedName } from './quoted-name';
import type { TreeWalk } from './tree-walk';

/**
 * etcd has about ten buckets and nests none; this is where a damaged file is told from a strange one. A bucket is remembered until it was
 * read, by its name (at most 32 KiB) and inline page (at most 64 KiB): 10 MiB for all of a file.
 */
const MAX_BUCKETS = 100;
const MAX_NESTING = 16;

/** A bucket by its name; its tree begins at page `root`, or at `inline` where the only page lies inside the parent's. */
export interface Bucket {
  readonly name: string;
  readonly page: number;
  readonly root: number;
  readonly inline: Buffer | undefined;
}

/** What a caller wants to see of a bucket; all offsets are into the page memory. */
export interface BucketReader {
  entry?(key: number, value: number, end: number, page: number): void;
  data?(start: number, end: number): void;
}

/** How many buckets a reading has met, in all bucket trees together. */
interface Met {
  buckets: number;
}

class BucketSink implements LeafSink {
  readonly nested: Bucket[] = [];

  constructor(
    private readonly memory: PageMemory,
    private readonly problems: ProblemList,
    private readonly met: Met,
    private readonly reader: BucketReader,
  ) {}

  entry(key: number, value: number, end: number, page: number): void {
    this.reader.entry?.(key, value, end, page);
  }

  data(start: number, end: number): void {
    this.reader.data?.(start, end);
  }

  bucket(key: number, value: number, end: number, page: number): void {
    const { bytes } = this.memory;
    const name = bytes.toString('latin1', key, value);
    const length = end - value;
    const root = length < BUCKET_HEADER_BYTES ? 0 : readU64(bytes, value);
    const fits =
      root === 0 ? length > BUCKET_HEADER_BYTES && length <= BUCKET_HEADER_BYTES + MAX_INLINE_BYTES : length === BUCKET_HEADER_BYTES;
    if (!fits)
      this.problems.add('bucket-damaged', `bucket ${quotedName(name)} on page ${page} has ${length} bytes with root ${root}`, page);
    else if (++this.met.buckets > MAX_BUCKETS)
      this.problems.add(
        'bucket-damaged',
        `page ${page} has bucket number ${this.met.buckets}, more than the ${MAX_BUCKETS} that are read`,
        page,
      );
    else
      this.nested.push({
        name,
        page,
        root,
        inline: root === 0 ? Buffer.from(bytes.subarray(value + BUCKET_HEADER_BYTES, end)) : undefined,
      });
  }
}

/** Walks buckets, whether they have pages of their own or not, with the buckets inside them. */
export class Buckets {
  private readonly met: Met = { buckets: 0 };

  constructor(
    private readonly walk: TreeWalk,
    private readonly memory: PageMemory,
    private readonly problems: ProblemList,
  ) {}

  /** The buckets of the file's root bucket, which holds nothing else. */
  async list(root: number): Promise<Bucket[]> {
    const misplaced = (_key: number, _value: number, _end: number, page: number) =>
      this.problems.add('bucket-damaged', `the root bucket has an entry on page ${page} that is no bucket`, page);
    const sink = new BucketSink(this.memory, this.problems, this.met, { entry: misplaced });
    await this.walk.walk(root, new LeafReader(this.memory, this.problems, sink));
    return sink.nested;
  }

  /** Gives the entries of a bucket to the reader, from `from` on or a little before; of buckets inside only the pages are judged. */
  async read(bucket: Bucket, reader: BucketReader, from?: Buffer, depth = 0): Promise<void> {
    const sink = new BucketSink(this.memory, this.problems, this.met, reader);
    const leaves = new LeafReader(this.memory, this.problems, sink);
    if (bucket.inline === undefined) await this.walk.walk(bucket.root, leaves, from);
    else this.readInline(bucket.name, bucket.page, bucket.inline, leaves);
    if (sink.nested.length === 0) return;
    if (depth >= MAX_NESTING)
      this.problems.add('bucket-damaged', `bucket ${quotedName(bucket.name)} is nested more than ${MAX_NESTING} deep`, bucket.page);
    else for (const inner of sink.nested) await this.read(inner, {}, undefined, depth + 1);
  }

  private readInline(name: string, page: number, inline: Buffer, leaves: LeafReader): void {
    const fail = (what: string) => this.problems.add('bucket-damaged', `inline bucket ${quotedName(name)} on page ${page}: ${what}`, page);
    const offset = this.memory.place(inline);
    if (inline.length < BUCKET_HEADER_BYTES) {
      fail(`has a page of ${inline.length} bytes`);
      return;
    }
    const [id, overflow] = [readU64(inline, Header.id), inline.readUInt32LE(Header.overflow)];
    if (id !== 0 || overflow !== 0) fail(`says that it is page ${id} with overflow ${overflow}, not 0`);
    const end = leaves.read(offset, inline.length, page);
    if (end !== undefined && end !== offset + inline.length) fail(`has ${offset + inline.length - end} bytes behind its last entry`);
  }
}
