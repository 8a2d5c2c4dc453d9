import { field, integerField, message } from '../../local/etcd/protobuf';
import type { BoltItem, BoltOptions } from './bolt-file';
import { boltFile } from './bolt-file';

/** One entry of etcd's `key` bucket, in the order of revisions. */
export interface Change {
  readonly main: number;
  readonly sub?: number;
  readonly key: string;
  /** Left out for a tombstone. */
  readonly value?: Buffer;
  readonly created?: number;
  readonly version?: number;
}

export function revisionBytes(main: number, sub = 0, tombstone = false): Buffer {
  const bytes = Buffer.alloc(tombstone ? 18 : 17, 't');
  bytes.writeBigUInt64BE(BigInt(main), 0);
  bytes.write('_', 8);
  bytes.writeBigUInt64BE(BigInt(sub), 9);
  return bytes;
}

function keyValue({ main, key, value, created, version }: Change): Buffer {
  const head = field(1, key);
  if (value === undefined) return head;
  return message(head, integerField(2, created ?? main), integerField(3, main), integerField(4, version ?? 1), field(5, value));
}

const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

export interface StateOptions extends BoltOptions {
  readonly scheduled?: number;
  readonly finished?: number;
  readonly more?: readonly BoltItem[];
}

/** Entries of the key bucket as bbolt items. */
export const keyItems = (changes: readonly Change[]): BoltItem[] =>
  changes.map((change) => ({ key: revisionBytes(change.main, change.sub, change.value === undefined), value: keyValue(change) }));

/** Buckets as etcd has them, around a history. */
export function etcdBuckets(changes: readonly Change[], { scheduled, finished, more = [] }: StateOptions = {}): BoltItem[] {
  const meta: BoltItem[] = [{ key: Buffer.from('consistent_index'), value: u64(9) }];
  if (finished !== undefined) meta.push({ key: Buffer.from('finishedCompactRev'), value: revisionBytes(finished) });
  if (scheduled !== undefined) meta.push({ key: Buffer.from('scheduledCompactRev'), value: revisionBytes(scheduled) });
  meta.push({ key: Buffer.from('term'), value: u64(2) });
  const buckets: BoltItem[] = [
    { key: Buffer.from('alarm'), bucket: [], inline: true },
    { key: Buffer.from('cluster'), bucket: [{ key: Buffer.from('clusterVersion'), value: Buffer.from('3.6.0') }], inline: true },
    { key: Buffer.from('key'), bucket: keyItems(changes) },
    { key: Buffer.from('meta'), bucket: meta, inline: true },
    ...more,
  ];
  return buckets.sort((a, b) => a.key.compare(b.key));
}

/** A snapshot file of a history. */
export const etcdFile = (changes: readonly Change[], options: StateOptions = {}): Buffer =>
  boltFile(etcdBuckets(changes, options), options);

/** `count` new objects, one to a revision, with values of the given size. */
export const creations = (count: number, size = 40): Change[] =>
  Array.from({ length: count }, (_, i) => ({ main: i + 2, key: `/registry/pods/default/p${i}`, value: Buffer.alloc(size, i) }));
