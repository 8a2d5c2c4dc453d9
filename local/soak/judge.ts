import type { Manifest } from '../../lambdas/contract/manifest';
import type { BucketView } from './bucket';
import type { Outcome } from './faults';

/** One run of take-snapshot and what was right for it. */
export interface Try {
  readonly outcome: Outcome;
  readonly allowed: readonly Outcome[];
  /** The error's message, for a person. */
  readonly message?: string;
  /** The snapshot that the run says it took. */
  readonly id?: string;
}

/** What is in the way of a run, whatever is done to it. */
export interface Circumstances {
  /** Somebody holds the lock, by the clock of the functions. */
  readonly locked: boolean;
  readonly quorum: boolean;
}

/** How a run may end: by what was done to it, and under these circumstances. */
export function allowedOutcomes({ locked, quorum }: Circumstances, struck: readonly Outcome[] | undefined): readonly Outcome[] {
  if (!locked) return struck ?? [quorum ? 'verified' : 'unverified'];
  // Nobody gets past a lock; S3 and the secret may fail before it is reached.
  return ['BackupInProgress', ...(struck ?? []).filter((outcome) => outcome !== 'verified' && outcome !== 'unverified')];
}

/** What is wrong after a slot, whatever happened in it; nothing when all is as it must be. */
export function judgeSlot(before: BucketView, after: BucketView, tries: readonly Try[]): string[] {
  const listed = new Map(after.manifests.map((manifest) => [manifest.id, manifest]));
  const taken = tries.flatMap(({ id }) => (id === undefined ? [] : [id]));
  return [
    ...tries
      .filter(({ outcome, allowed }) => !allowed.includes(outcome))
      .map(({ outcome, allowed, message }) => `ended as ${outcome}${message ? ` (${message})` : ''}, not as ${allowed.join(' or ')}`),
    ...taken.filter((id) => !listed.has(id)).map((id) => `${id} is said to be taken, and is not listed`),
    ...after.manifests.flatMap((manifest) => withoutObject(manifest, after)),
    ...backwards(before, after),
    ...uploadProblems(before, after, taken.length > 0),
  ];
}

function withoutObject({ id, stored }: Manifest, { objects }: BucketView): string[] {
  const bytes = objects.get(id)?.bytes;
  return bytes === stored.bytes ? [] : [`${id} is listed with ${stored.bytes} bytes, and its object has ${bytes ?? 'gone'}`];
}

/** A snapshot that was taken later never holds an older revision. */
function backwards(before: BucketView, after: BucketView): string[] {
  const newest = before.manifests.at(-1);
  if (newest === undefined) return [];
  return after.manifests
    .filter(({ takenAt, revision }) => takenAt > newest.takenAt && revision < newest.revision)
    .map(({ id, revision }) => `${id} has revision ${revision}, and ${newest.id} before it has ${newest.revision}`);
}

function uploadProblems(before: BucketView, after: BucketView, succeeded: boolean): string[] {
  const left = after.openUploads.filter((upload) => succeeded && before.openUploads.includes(upload));
  return [
    ...(after.openUploads.length > 1 ? [`${after.openUploads.length} uploads are open`] : []),
    ...left.map((upload) => `upload ${upload} outlived a run that succeeded`),
  ];
}
