import type { Telemetry } from '../backup/edges';
import type { ApiRecordState } from '../contract/api-record';
import { Metric } from '../contract/metrics';
import { writtenOf } from './plan-record';
import type { RecordPlan } from './plan-record';
import { guardedNames, isGuarded, withoutGuard } from './protection';
import type { Zone } from './zone';

export interface CarryEdges {
  readonly zone: Zone;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn' | 'count'>;
  readonly now: () => Date;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Until when a change is waited for. */
  readonly until: Date;
}

const ASK_AGAIN_MS = 2_000;

/** Takes the guard off, changes, waits until every name server has it, and puts the guard back, whatever happened. */
export async function carryOut(
  edges: CarryEdges,
  cluster: string,
  { name, zone: zoneName }: { readonly name: string; readonly zone: string },
  plan: RecordPlan,
  { pending, ...state }: ApiRecordState,
): Promise<Partial<ApiRecordState>> {
  const { zone, telemetry, now } = edges;
  const guarded = guardedNames(name, zoneName);
  const comment = `kube-lifeboat ${cluster}: written by its function sync-api-record alone`;
  const ours = plan.action === 'none' || plan.action === 'write' || state.written !== undefined;
  if (plan.action !== 'write') {
    if (ours && plan.action !== 'refuse')
      telemetry.count(Metric.apiRecordUnprotected, Number(!(await isGuarded(edges, guarded, comment))), 'Count');
    if (pending === undefined) return {};
    return (await zone.isInSync(pending.changeId)) ? { pending: undefined } : { pending };
  }
  let changed: Partial<ApiRecordState> = {};
  const guard = await withoutGuard(edges, guarded, comment, async () => {
    const changeId = await zone.change(plan.changes, `kube-lifeboat ${cluster}: ${plan.because}, ${plan.message}`);
    const since = now().toISOString();
    telemetry.log('record-written', { because: plan.because, what: plan.message, changeId });
    const written = writtenOf(plan.changes.filter(({ action }) => action === 'UPSERT').map(({ record }) => record));
    // A batch of texts alone leaves the addresses as they were.
    changed = { ...(written.length > 0 && { written: mergeWritten(state.written, written, plan) }), writtenAt: since, pending: undefined };
    if (!(await inSync(edges, changeId))) changed = { ...changed, pending: { changeId, since } };
  });
  telemetry.count(Metric.apiRecordUnprotected, Number(!guard), 'Count');
  return changed;
}

/** What was written before and not touched by this batch is still what the lifeboat wrote. */
function mergeWritten(before: ApiRecordState['written'], written: NonNullable<ApiRecordState['written']>, { changes }: RecordPlan) {
  const touched = new Set(changes.map(({ record }) => record.type));
  return [...written, ...(before ?? []).filter(({ type }) => !touched.has(type))];
}

async function inSync({ zone, wait, now, until }: CarryEdges, changeId: string): Promise<boolean> {
  for (;;) {
    if (await zone.isInSync(changeId)) return true;
    if (now().getTime() + ASK_AGAIN_MS > until.getTime()) return false;
    await wait(ASK_AGAIN_MS);
  }
}
