import { planRetention } from '../../lambdas/backup/retention';
import type { StoredSnapshot } from '../../lambdas/backup/retention';
import type { Manifest } from '../../lambdas/contract/manifest';
import type { RetentionPolicy } from '../../lambdas/contract/retention';
import { survivors } from '../retention/simulate';

export const storedOf = ({ id, lineage, revision, takenAt, trigger, verified, lock }: Manifest): StoredSnapshot => ({
  ...{ id, lineage, revision, trigger, verified, takenAt: new Date(takenAt) },
  ...(lock && { lockedUntil: new Date(lock.until) }),
});

/** Everything that was ever listed, and what is left of it when the policy alone decides: the simulation of what really happened. */
export class History {
  private readonly everSeen = new Map<string, Manifest>();
  private stored: StoredSnapshot[] = [];

  constructor(private readonly policy: RetentionPolicy) {}

  get taken(): readonly Manifest[] {
    return [...this.everSeen.values()];
  }

  saw(manifests: readonly Manifest[]): void {
    for (const manifest of manifests) {
      if (this.everSeen.has(manifest.id)) continue;
      this.everSeen.set(manifest.id, manifest);
      this.stored.push(storedOf(manifest));
    }
  }

  pruned(at: Date): void {
    this.stored = survivors(this.stored, this.policy, at);
  }

  /** Ids of what there must be now. */
  left(): string[] {
    return this.stored.map(({ id }) => id).sort();
  }
}

/** What a pruning did, as far as it can be judged from outside. */
export interface PruneReport {
  readonly before: readonly Manifest[];
  readonly after: readonly Manifest[];
  readonly at: Date;
  /** Ids that the function itself decided to keep, and how many removals it left undone; nothing when it did not end. */
  readonly told?: { readonly kept: readonly string[]; readonly undone: number };
}

/** What is wrong with a pruning: something that the policy keeps is gone, or something that it rejects stays without a reason. */
export function judgePrune({ before, after, at, told }: PruneReport, policy: RetentionPolicy): string[] {
  const verdicts = planRetention(before.map(storedOf), policy, at);
  const here = new Set(after.map(({ id }) => id));
  const kept = verdicts.filter(({ action }) => action === 'keep');
  const gone = kept.filter(({ id }) => !here.has(id)).map(({ id, because }) => `${id} was pruned, and stays as ${because}`);
  if (told === undefined) return gone;
  const stays = verdicts.filter(({ action, id }) => action === 'remove' && here.has(id));
  const decided = new Set(told.kept);
  return [
    ...gone,
    ...(stays.length > told.undone
      ? [`${stays.length} snapshots stay that the policy rejects, and only ${told.undone} were left undone`]
      : []),
    ...kept.filter(({ id }) => !decided.has(id)).map(({ id }) => `prune-snapshots decided to remove ${id}`),
  ];
}
