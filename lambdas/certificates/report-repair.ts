import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { ServedPort } from '../contract/certificate-scan';
import { ErrorName } from '../contract/errors';
import { causeWords } from '../contract/function-failure';
import { RepairPlan, RepairRequest } from '../contract/repair-certificates';
import type { RepairOutcome, RepairReport } from '../contract/repair-certificates';
import { NodeEnd, RestoreId } from '../contract/restore';
import { tellPeople } from '../restore/tell-people';
import { judgements } from './adopt';
import type { CertificateSettings } from './adopt';
import { heardNodes } from './hear-nodes';
import { takeInventory } from './take-inventory';

/** What the states before have left in the execution; the later ones are missing when it never came that far. */
export const RepairState = z.object({
  restoreId: RestoreId,
  request: RepairRequest,
  planned: z.object({ plan: RepairPlan }).optional(),
  ends: z.array(NodeEnd).optional(),
  /** What nodes and ports told afterwards. */
  facts: z.array(NodeEnd).optional(),
  served: z.array(ServedPort).optional(),
  /** Why etcd is not well afterwards; null when it is, missing where nobody could ask. */
  etcd: z.object({ weak: z.string().nullable() }).optional(),
  /** Why it could not be seen that etcd is well. */
  unwell: z.object({ Error: z.string(), Cause: z.string() }).optional(),
  failure: z.object({ Error: z.string(), Cause: z.string() }).optional(),
});
export type RepairState = z.infer<typeof RepairState>;
export const ReportRepair = z.object({ do: z.literal('report'), state: RepairState });

export interface ReportRepairEdges {
  readonly cluster: string;
  readonly write: (restoreId: string, text: string) => Promise<void>;
  readonly tell: ((subject: string, message: string) => Promise<void>) | undefined;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
  readonly now: () => Date;
}

/** Writes the report, tells people, and says how the execution ends. @throws StoreFailed */
export async function reportRepair(
  edges: ReportRepairEdges,
  settings: CertificateSettings,
  state: RepairState,
): Promise<{ readonly outcome: RepairOutcome; readonly summary: string }> {
  const { cluster, write, tell, telemetry, now } = edges;
  const report = await repairReport(cluster, settings, state, now());
  await write(state.restoreId, JSON.stringify(report, undefined, 1));
  const { outcome, failure, findings, whatToDo } = report;
  telemetry.log('repair-ended', { restoreId: state.restoreId, outcome, findings: findings.length });
  const summary = `${outcome}${failure === undefined ? '' : `: ${failure.error}, ${failure.because}`}`;
  const lines = [summary, '', ...findings.map(({ where, what }) => `${where}: ${what}`), ...whatToDo.map((line) => `- ${line}`)];
  await tellPeople({ tell, telemetry }, `kube-lifeboat ${cluster}: repair of certificates ${outcome}`, lines.join('\n'));
  return { outcome, summary };
}

export async function repairReport(cluster: string, settings: CertificateSettings, state: RepairState, now: Date): Promise<RepairReport> {
  const { restoreId, planned, ends = [], facts = [], served = [], failure } = state;
  const { told, silent } = await heardNodes(facts);
  const verdicts = judgements(told, settings, now);
  const { findings } = takeInventory({ cluster, told, silent, served, verdicts, now });
  const wrong = findings.filter(({ severity }) => severity === 'wrong');
  const outcome = outcomeOf(state, wrong.length);
  return {
    ...{ version: 1, kind: 'repair', restoreId, cluster, outcome, endedAt: now.toISOString() },
    ...(planned && { plan: planned.plan }),
    ends: ends.map(({ result: _result, ...end }) => end),
    findings: wrong,
    ...(failure && { failure: { error: failure.Error, because: causeWords(failure.Cause) } }),
    whatToDo: whatToDo(outcome, state),
  };
}

function outcomeOf({ planned, ends = [], etcd, failure }: RepairState, wrong: number): RepairOutcome {
  if (failure?.Error === ErrorName.repairRefused) return 'REFUSED';
  if (failure !== undefined || planned === undefined) return ends.length === 0 ? 'REFUSED' : 'NEEDS_HANDS';
  if (planned.plan.nodes.length === 0) return 'NOTHING_TO_DO';
  return wrong === 0 && etcd?.weak === null && ends.every(({ outcome }) => outcome === 'done') ? 'REPAIRED' : 'NEEDS_HANDS';
}

function whatToDo(outcome: RepairOutcome, { planned, ends = [], unwell }: RepairState): string[] {
  const again = 'start the same again: nodes that are well are left alone';
  switch (outcome) {
    case 'REFUSED':
      return ['nothing was changed on any node: do what the refusal says and start again'];
    case 'NOTHING_TO_DO':
      return ['every certificate does its work; {"force":true} exchanges them all the same'];
    case 'REPAIRED':
      return [...kubelets(ends), ...(planned?.plan.left ?? []).map(({ host, because }) => `${host} was left alone: ${because}`)];
    case 'NEEDS_HANDS':
      return [
        ...ends.flatMap(({ host, outcome: end, error, because, fix }) =>
          end === 'done' ? [] : [`${host}: ${error ?? end}, ${because ?? 'nothing is known'}${fix === undefined ? '' : ` (${fix})`}`],
        ),
        ...(unwell === undefined ? [] : [`etcd: ${causeWords(unwell.Cause)}`]),
        ...kubelets(ends),
        again,
      ];
  }
}

/** The kubelet reads its kubeconfig when it starts, and no document starts it: it runs the very pods. */
function kubelets(ends: readonly NodeEnd[]): string[] {
  const changed = ends.filter(({ result }) => Changed.safeParse(result).success).map(({ host }) => host);
  return changed.length === 0 ? [] : [`run systemctl restart kubelet on ${changed.join(', ')}: its kubeconfig is new`];
}
const Changed = z.object({ kubelet: z.enum(['replaced', 'rewritten']) });
