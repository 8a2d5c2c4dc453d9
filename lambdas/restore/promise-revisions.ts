import { z } from 'zod';
import { bumpFor } from '../backup/bump';
import type { LedgerEdges } from '../backup/keep-ledger';
import { readMergedLedger, updateLedger } from '../backup/keep-ledger';
import { recordRestore } from '../backup/ledger';
import { HandedPlan } from '../contract/restore';

export const PromiseEvent = z.object({ plan: HandedPlan });

/** How far revisions are raised, and the parameters of `restore-data` that say so. */
export interface Promised {
  readonly by: number;
  /** The restored cluster starts above this: the highest revision that was ever served or promised. */
  readonly above: number;
  readonly to: number;
  readonly at: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Computes the bump as late as can be without lengthening the downtime, and writes it into the ledger before anything is stopped: from the first
 * second of the restored cluster on, revisions up to it may have been served. A restore elsewhere serves other clients, and promises nothing here.
 *
 * @throws StoreFailed, LedgerContended, RevisionsExhausted: nothing was stopped
 */
export async function promiseRevisions(ledger: LedgerEdges, { plan }: z.infer<typeof PromiseEvent>, now: Date): Promise<Promised> {
  const { snapshot, restoreId, mode } = plan;
  const at = now.toISOString();
  const merged = await readMergedLedger(ledger);
  const { bump, bumpedTo, servedUpTo } = bumpFor(merged, snapshot, now);
  const by = plan.bump.needed ? bump : 0;
  const to = plan.bump.needed ? bumpedTo : snapshot.revision;
  if (mode === 'in-place') {
    const record = { at, snapshot: snapshot.id, fromLineage: snapshot.lineage, bumpedTo: to };
    await updateLedger(ledger, (current) => recordRestore(current, record));
  }
  ledger.telemetry.log('revisions-promised', { restoreId, snapshot: snapshot.id, by, to, above: servedUpTo });
  return { by, above: plan.bump.needed ? servedUpTo : 0, to, at, parameters: { ...plan.parameters.restoreData, bumpRevision: String(by) } };
}
