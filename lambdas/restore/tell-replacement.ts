import { z } from 'zod';
import { FollowedName, followedWords } from '../contract/api-record';
import type { Telemetry } from '../backup/edges';
import { causeWords } from '../contract/function-failure';
import type { ReplaceOutcome, ReplaceReport } from '../contract/replace-member';
import { ReplacementPlan } from '../contract/replace-member';
import { Approval, RestoreId } from '../contract/restore';
import { answerLines, putQuestion } from './ask-approval';
import type { ApprovalEdges } from './ask-approval';
import { tellPeople } from './tell-people';

/** What the states before have left in the execution; the later ones are missing when it never came that far. */
export const ReplacementState = z.object({
  restoreId: RestoreId,
  planned: z.object({ plan: ReplacementPlan }).optional(),
  approval: Approval,
  checked: z.object({ members: z.array(z.string()) }).optional(),
  /** What the cluster is after a failure. */
  left: z.object({ removed: z.boolean(), voters: z.array(z.string()), learner: z.string().optional() }).optional(),
  /** What came of asking for the record of the API to follow. */
  name: FollowedName.optional(),
  failure: z.object({ Error: z.string(), Cause: z.string() }).optional(),
});
export type ReplacementState = z.infer<typeof ReplacementState>;

export const TellReplacementEvent = z.discriminatedUnion('do', [
  z.object({ do: z.literal('ask'), plan: ReplacementPlan, token: z.string().min(1), execution: z.string() }),
  z.object({ do: z.literal('report'), ending: z.enum(['replaced', 'refused', 'failed']), state: ReplacementState }),
]);
export type TellReplacementEvent = z.infer<typeof TellReplacementEvent>;
type Report = Extract<TellReplacementEvent, { do: 'report' }>;

export interface TellEdges extends Pick<ApprovalEdges, 'tell'> {
  readonly cluster: string;
  readonly write: (restoreId: string, file: 'approval.txt' | 'report.json', text: string) => Promise<void>;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
  readonly now: () => Date;
}

/** Asks people before a replacement; the state machine waits for whoever answers with the token. @throws StoreFailed */
export async function askReplacement(
  { cluster, write, tell, telemetry }: TellEdges,
  { plan, token, execution }: Extract<TellReplacementEvent, { do: 'ask' }>,
): Promise<{ readonly told: boolean }> {
  const message = [
    `Replacement of a member of etcd of ${cluster}, execution ${plan.restoreId}`,
    '',
    plan.message,
    ...answerLines(token, execution),
  ];
  const edges = { tell, telemetry, write: (text: string) => write(plan.restoreId, 'approval.txt', text) };
  return putQuestion(edges, `kube-lifeboat ${cluster}: approve the replacement of ${plan.name}`, message.join('\n'));
}

/** What the execution ends with. */
export interface ReportedReplacement {
  readonly outcome: ReplaceOutcome;
  readonly summary: string;
}

/** Writes report.json and tells people how it ended. @throws StoreFailed */
export async function reportReplacement(
  { cluster, write, tell, telemetry, now }: TellEdges,
  { ending, state }: Report,
): Promise<ReportedReplacement> {
  const report = replacementReport(cluster, ending, state, now());
  const { restoreId, outcome, approvedBy, failure, whatToDo } = report;
  await write(restoreId, 'report.json', JSON.stringify(report, undefined, 1));
  const summary = `${outcome}${failure === undefined ? '' : `: ${failure.error}, ${failure.because}`}`;
  telemetry.log('replacement-ended', { restoreId, outcome });
  const approved = approvedBy === undefined ? [] : [`Approved by: ${approvedBy}`];
  const message = [summary, '', ...approved, ...whatToDo.map((line) => `- ${line}`)].join('\n');
  await tellPeople({ tell, telemetry }, `kube-lifeboat ${cluster}: replacement ${outcome}`, message);
  return { outcome, summary };
}

export function replacementReport(cluster: string, ending: Report['ending'], state: ReplacementState, now: Date): ReplaceReport {
  const { restoreId, planned, approval, checked, left, failure } = state;
  const outcome = outcomeOf(ending, left);
  return {
    ...{ version: 1, kind: 'replacement', restoreId, cluster, outcome, endedAt: now.toISOString() },
    ...(planned && { plan: planned.plan }),
    ...(state.name && { apiName: followedWords(state.name) }),
    ...approval,
    ...(failure && { failure: { error: failure.Error, because: causeWords(failure.Cause) } }),
    members: checked?.members ?? left?.voters ?? [],
    whatToDo: whatToDo(outcome, state),
  };
}

function outcomeOf(ending: Report['ending'], left: ReplacementState['left']): ReplaceOutcome {
  if (ending === 'replaced') return 'REPLACED';
  if (ending === 'refused') return 'REFUSED';
  return left?.removed === true ? 'LEFT_OUT' : 'NEEDS_HANDS';
}

function whatToDo(outcome: ReplaceOutcome, { planned, left }: ReplacementState): string[] {
  if (planned === undefined || outcome === 'REFUSED')
    return outcome === 'REFUSED' ? ['nothing was changed: do what the refusal says and start again'] : [];
  const { node, name, record } = planned.plan;
  const again = `start an execution with {"node":"${node.instanceId}"}: it goes on where this one ended`;
  switch (outcome) {
    case 'REPLACED':
      return [
        `when nobody wants the old data of ${name} any more: it lies beside the data directory of ${node.host}, named after ${record}`,
      ];
    case 'LEFT_OUT':
      return [
        `the cluster serves with the voting members ${(left?.voters ?? []).join(', ')}; of two it survives no failure`,
        ...(left?.learner === undefined ? [] : [`learner ${left.learner} waits: it has no vote and harms nobody`]),
        `mend what failed, then ${again}`,
      ];
    case 'NEEDS_HANDS':
      return left === undefined
        ? ['no majority of the members answers: look at etcd on every node; when no majority comes back, run the restore runbook']
        : [`${name} is still a member and its etcd may have been stopped on ${node.host}`, `mend what failed, then ${again}`];
  }
}
