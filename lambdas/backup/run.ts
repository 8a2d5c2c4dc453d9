import type { TakeSnapshotEvent } from '../contract/events';
import type { LockPolicy } from '../contract/retention';
import type { TakeSnapshotEdges } from './edges';

export interface TakeSnapshotSettings {
  readonly cluster: string;
  readonly maxDbBytes: number;
  readonly lock: LockPolicy;
}

/** One run of the function, under its lock. It takes one snapshot; two where the first is what a minority holds. */
export interface Run {
  readonly edges: TakeSnapshotEdges;
  readonly settings: TakeSnapshotSettings;
  readonly event: TakeSnapshotEvent;
  /** Aborts when the function's time is nearly over. */
  readonly signal: AbortSignal;
}
