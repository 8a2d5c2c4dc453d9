/** The etcd snapshot file: what is in it, and whether it is whole. Nothing here talks to etcd, and nothing else reads the format. */
export { SnapshotDamaged, SnapshotFileError, SnapshotUnreadable } from './errors';
export type { HashKvResult } from './hash-kv-of';
export { hashKvOf, hashKvsOf } from './hash-kv-of';
export type { InspectOptions, SnapshotReport } from './inspect';
export { inspectSnapshot } from './inspect';
export type { SnapshotCheck, SnapshotCheckName, SnapshotProblem, SnapshotProblemCode } from './problems';
export { MAX_KEPT_PROBLEMS } from './problems';
export { resourceOf } from './resource-of';
