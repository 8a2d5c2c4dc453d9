/** The etcd snapshot file: what is in it, and whether it is whole. Nothing here talks to etcd, and nothing else reads the format. */
export { SnapshotDamaged, SnapshotFileError, SnapshotUnreadable } from './errors';
export { MAX_CHANGED_KEYS } from './changed-keys';
export type { HashKvResult } from './hash-kv-of-file';
export { hashKvOf, hashKvsOf } from './hash-kv-of-file';
export type { InspectOptions, SnapshotReport } from './inspect';
export { inspectSnapshot } from './inspect';
export { TRAILER_BYTES } from './layout';
export type { SnapshotCheck, SnapshotCheckName, SnapshotProblem, SnapshotProblemCode } from './problems';
export { MAX_KEPT_PROBLEMS } from './problems';
export { positionOf } from './position';
export { resourceOf } from './resource-of';
export { trailerProblem } from './trailer';
