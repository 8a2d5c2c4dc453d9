import { z } from 'zod';
import { jsonOf } from '../contract/json';
import { RestoreOutcome } from '../contract/restore';
import type { RestoreMode, RunbookNode } from '../contract/restore';
import { RestoreRefused } from './errors';
import { parsePlan } from './stored-plan';

/** What is left of a restore that somebody wants to undo. */
export interface EarlierRestore {
  readonly restoreId: string;
  readonly arn: string;
  /** As Step Functions says it; undefined for one that it knows no more, 90 days after its end, or never knew. */
  readonly status: string | undefined;
  /** plan.json and report.json; undefined where there is none. */
  readonly plan: string | undefined;
  readonly report: string | undefined;
}

export interface RollBackTarget {
  /** How it was restored. */
  readonly mode: RestoreMode;
  /** All that it worked on. */
  readonly nodes: readonly RunbookNode[];
}

/** How an execution ends that leaves nothing to undo. One that brought a cluster back is undone like one that was cut off. */
const NOTHING_TO_UNDO: Partial<Record<RestoreOutcome, string>> = {
  DRILLED: 'its machines were put back then',
  DRY_RUN: 'it stopped nothing',
};
const Report = z.object({ outcome: RestoreOutcome });

/**
 * The nodes that a restore worked on, by its own plan: whoever gives an id may have mistaken it.
 *
 * @throws RestoreRefused for one that still runs, that never was, or that left nothing to undo
 */
export function rollBackTarget({ restoreId, arn, status, plan, report }: EarlierRestore): RollBackTarget {
  if (status === 'RUNNING')
    throw new RestoreRefused(
      `restore ${restoreId} still runs, and would do again what is undone: let it come to its end, or stop it (aws stepfunctions stop-execution --execution-arn ${arn}) and start this once more`,
    );
  if (plan === undefined)
    throw new RestoreRefused(
      `there is no plan of a restore ${restoreId}: give the name of the execution that restored (aws stepfunctions list-executions); one that ended before its plan changed nothing, one that replaced a member can only be redriven, and of one that rolled back give what it undid`,
    );
  const { outcome } = Report.safeParse(jsonOf(report ?? '')).data ?? {};
  const nothing = outcome && NOTHING_TO_UNDO[outcome];
  if (nothing !== undefined) throw new RestoreRefused(`restore ${restoreId} ended as ${outcome}: ${nothing}, and there is nothing to undo`);
  const { mode, members, apiNodes } = parsePlan(restoreId, plan);
  const nodes = [...members, ...apiNodes].map(({ instanceId, host }) => ({ instanceId, host }));
  return { mode, nodes: [...new Map(nodes.map((node) => [node.instanceId, node])).values()] };
}
