import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { AuthorityName } from '../contract/certificate-names';
import { AdoptRequest, AdoptionPlan } from '../contract/certificates';
import type { AdoptionOutcome, AdoptionReport, Finding, HeldAuthority } from '../contract/certificates';
import { ErrorName } from '../contract/errors';
import { causeWords } from '../contract/function-failure';
import { messageOf } from '../contract/lifeboat-error';
import { RestoreId } from '../contract/restore';
import { tellPeople } from '../restore/tell-people';
import { seedSteps } from './mint';
import { heldAuthorities } from './take-over';
import type { PkiSecrets } from './take-over';

/** What the states before have left in the execution; the later ones are missing when it never came that far. */
export const AdoptionState = z.object({
  restoreId: RestoreId,
  request: AdoptRequest,
  planned: z.object({ plan: AdoptionPlan }).optional(),
  taken: z.object({ changed: z.array(z.string()) }).optional(),
  enrolled: z.object({ enrolled: z.array(z.string()) }).optional(),
  failure: z.object({ Error: z.string(), Cause: z.string() }).optional(),
});
export type AdoptionState = z.infer<typeof AdoptionState>;
export const ReportEvent = z.object({ do: z.literal('report'), state: AdoptionState });

export interface ReportEdges {
  readonly cluster: string;
  readonly secrets: PkiSecrets;
  readonly write: (restoreId: string, text: string) => Promise<void>;
  readonly tell: ((subject: string, message: string) => Promise<void>) | undefined;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
  readonly now: () => Date;
}

/** Writes the report, tells people, and says how the execution ends. @throws StoreFailed */
export async function reportAdoption(
  edges: ReportEdges,
  state: AdoptionState,
): Promise<{ readonly outcome: AdoptionOutcome; readonly summary: string }> {
  const { cluster, secrets, write, tell, telemetry, now } = edges;
  // Only what this execution had handed over: one that the lock refused must not empty the letter box of the one that holds it.
  if (state.failure !== undefined && (state.planned?.plan.handOver.length ?? 0) > 0)
    await secrets.forgetHandOver().catch((error: unknown) => telemetry.warn('hand-over-not-emptied', { because: messageOf(error) }));
  const held = await heldAuthorities(secrets, AuthorityName.options);
  const report = adoptionReport(cluster, state, held, now());
  await write(state.restoreId, JSON.stringify(report, undefined, 1));
  telemetry.log('adoption-ended', { restoreId: state.restoreId, outcome: report.outcome, findings: report.findings.length });
  const { outcome, failure, findings, whatToDo } = report;
  const summary = `${outcome}${failure === undefined ? '' : `: ${failure.error}, ${failure.because}`}`;
  const lines = [summary, '', ...findings.map(findingLine), ...whatToDo.map((line) => `- ${line}`)];
  await tellPeople({ tell, telemetry }, `kube-lifeboat ${cluster}: adoption ${outcome}`, lines.join('\n'));
  return { outcome, summary };
}

export function adoptionReport(cluster: string, state: AdoptionState, held: readonly HeldAuthority[], now: Date): AdoptionReport {
  const { restoreId, planned, failure } = state;
  const outcome = outcomeOf(state);
  const accounts = planned?.plan.serviceAccounts;
  return {
    ...{ version: 1, kind: 'adoption', restoreId, cluster, outcome, endedAt: now.toISOString() },
    authorities: [...held],
    ...(accounts &&
      failure === undefined && { serviceAccounts: { id: accounts.id, key: accounts.key === 'external' ? 'external' : 'held' } }),
    nodes: planned?.plan.nodes ?? [],
    findings: planned?.plan.findings ?? [],
    ...(failure && { failure: { error: failure.Error, because: causeWords(failure.Cause) } }),
    whatToDo: whatToDo(cluster, outcome, held),
  };
}

function outcomeOf({ request, taken, enrolled, failure }: AdoptionState): AdoptionOutcome {
  if (failure !== undefined) return failure.Error === ErrorName.adoptionRefused ? 'REFUSED' : 'FAILED';
  if (request.mint) return 'MINTED';
  return (taken?.changed.length ?? 0) + (enrolled?.enrolled.length ?? 0) > 0 ? 'ADOPTED' : 'UNCHANGED';
}

function whatToDo(cluster: string, outcome: AdoptionOutcome, held: readonly HeldAuthority[]): string[] {
  switch (outcome) {
    case 'MINTED':
      return seedSteps(cluster);
    case 'REFUSED':
      return ['nothing was changed: do what the refusal says and start again'];
    case 'FAILED':
      return ['mend what failed and start again: what was taken over already stays, and nothing on the nodes was changed'];
    case 'ADOPTED':
    case 'UNCHANGED':
      return held
        .filter(({ key }) => key === 'external')
        .map(
          ({ authority }) =>
            `no node has the key of the ${authority} authority (external CA): it is watched, and what it signs can be renewed by its owner alone; put the key on one node and adopt again to change that`,
        );
  }
}

const findingLine = ({ severity, where, what, fix }: Finding): string => `[${severity}] ${where}: ${what}; ${fix}`;
