import type { Manifest } from '../contract/manifest';
import type { MetricUnit } from '../contract/metrics';
import type { Eras } from '../contract/pki-generations';
import type { EtcdReader } from '../etcd/cluster-view';
import type { HashKvResult, SnapshotReport } from '../etcd/snapshot';

/** What S3 says of an object once it is stored whole. */
export interface StoredObject {
  readonly bytes: number;
  /** CRC-32 over the whole object as S3 computed it, eight hex digits. */
  readonly crc32: string;
  readonly versionId?: string;
}

/** How S3 holds a version against deletion. */
export type ObjectLock = NonNullable<Manifest['lock']>;

/** Where snapshots go. */
export interface SnapshotStore {
  /**
   * Stores the bytes under the snapshot's key. When `body` throws, nothing is stored and no upload stays open.
   *
   * @param lock from the first byte on nobody can delete the version, or only who may lift governance
   * @throws StoreFailed with the S3 operation's own reason; what `body` throws passes through unchanged
   */
  storeSnapshot(id: string, body: AsyncIterable<Buffer>, lock: ObjectLock): Promise<StoredObject>;
  /** Writes the manifest, once and under its own lock: from here on the snapshot is listed. @throws StoreFailed */
  publish(manifest: Manifest): Promise<void>;
  /** Ends the uploads that a killed run left open; how many there were. */
  abortStaleUploads(): Promise<number>;
}

/** One object that is written only over what was read. Both calls may throw StoreFailed. */
export interface ConditionalDocument {
  read(): Promise<{ readonly text: string; readonly etag: string } | undefined>;
  /** The new etag. Undefined when somebody else wrote first, or when this very write was done and its answer lost. */
  write(text: string, over: string | undefined): Promise<string | undefined>;
}

/** One run at a time per cluster. */
export interface RunLock {
  acquire(
    holder: string,
  ): Promise<
    | { readonly acquired: true; readonly release: () => Promise<void> }
    | { readonly acquired: false; readonly holder: string; readonly expiresAt: string }
  >;
}

/** The function's own disk. */
export interface Disk {
  open(name: string): Promise<{
    readonly path: string;
    write(block: Uint8Array): Promise<void>;
    finish(): Promise<void>;
    discard(): Promise<void>;
  }>;
  /** The file's revision and compaction, before it is judged. @throws SnapshotFileError for one that cannot tell */
  positionOf(path: string): Promise<{ readonly revision: number; readonly compactRevision: number }>;
  inspect(path: string, databaseSha256: string): Promise<SnapshotReport>;
  hashKvOf(path: string, revision: number, compactRevision: number): Promise<HashKvResult>;
}

/** What the run tells the outside: one event name each, never key material. */
export interface Telemetry {
  log(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A metric of the cluster, or of the member behind one configured endpoint. */
  count(metric: string, value: number, unit: MetricUnit, endpoint?: string): void;
}

export interface TakeSnapshotEdges {
  readonly etcd: EtcdReader;
  readonly store: SnapshotStore;
  readonly lock: RunLock;
  readonly disk: Disk;
  /** Raises the ledger to a snapshot that was published. Never throws: the snapshot is good without it. */
  readonly noteInLedger: (manifest: Manifest) => Promise<void>;
  /** By which generations of its PKI the cluster lives. Never throws: the snapshot is good without it. */
  readonly pkiGenerations: () => Promise<Eras>;
  readonly telemetry: Telemetry;
  readonly now: () => Date;
  readonly randomBytes: (count: number) => Buffer;
  readonly wait: (milliseconds: number) => Promise<void>;
}
