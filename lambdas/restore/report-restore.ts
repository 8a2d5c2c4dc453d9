import { z } from 'zod';
import type { LedgerEdges } from '../backup/keep-ledger';
import { updateLedger } from '../backup/keep-ledger';
import { recordRestore } from '../backup/ledger';
import { messageOf } from '../contract/lifeboat-error';
import type { Drill } from '../contract/manifest';
import type { RestoreReport } from '../contract/restore';
import type { HistoryEntry } from './phases';
import { phasesOf } from './phases';
import { Ending, RunbookState, reportOf } from './report';
import { tellPeople } from './tell-people';
import { RefusedEvent } from './tell-refused';

export const ReportEvent = z.object({ ending: Ending, execution: z.string(), state: RunbookState });
export type ReportEvent = z.infer<typeof ReportEvent>;

/** Every end that an execution can come to. */
export const EndedEvent = z.discriminatedUnion('ending', [ReportEvent, RefusedEvent]);

export interface ReportEdges {
  readonly ledger: LedgerEdges;
  /** What happened so far in an execution, oldest first. */
  readonly history: (execution: string) => Promise<readonly HistoryEntry[]>;
  /** Below the name of an execution: a roll-back leaves that of the restore which it undoes as it is. */
  readonly writeReport: (execution: string, report: RestoreReport) => Promise<void>;
  /** Tells people; throws when nobody could be told. */
  readonly tell: (subject: string, message: string) => Promise<void>;
  /** Starts the execution that heals what restored data says of the PKI, and says which; undefined where the lifeboat has no certificates. */
  readonly heal?: ((restoreId: string) => Promise<string>) | undefined;
  /** Writes into the manifest of a snapshot how its drill went, and tells the alarm. */
  readonly stamp: (snapshot: string, drill: Drill) => Promise<void>;
  readonly now: () => Date;
}

/** What the execution ends with: its last states decide by it. */
export interface Reported {
  readonly outcome: RestoreReport['outcome'];
  readonly report: RestoreReport;
  /** One line for whoever looks at the execution. */
  readonly summary: string;
}

/**
 * Writes the report, completes the ledger and tells people. What cannot be told or timed is left out: the control plane is what it is by now.
 *
 * @throws StoreFailed and LedgerContended when S3 holds neither
 */
export async function reportRestore(edges: ReportEdges, { ending, execution, state }: ReportEvent): Promise<Reported> {
  const { cluster, telemetry } = edges.ledger;
  const history = await edges.history(execution).catch((error: unknown) => {
    telemetry.warn('history-unread', { execution, because: messageOf(error) });
    return [];
  });
  const healing = await startHealing(edges, ending, state);
  const report = reportOf(
    cluster,
    ending,
    { ...state, ...(healing !== undefined && { healing }) },
    phasesOf(history, edges.now()),
    edges.now(),
  );
  await completeLedger(edges.ledger, report, state);
  await stampIfDrill(edges, report);
  await edges.writeReport(nameOf(execution), report);
  const summary = summaryOf(report);
  telemetry.log('restore-ended', { restoreId: report.restoreId, outcome: report.outcome, downtimeSeconds: report.downtimeSeconds });
  await tellPeople({ tell: edges.tell, telemetry }, `kube-lifeboat ${cluster}: ${subjectOf(report)}`, messageFor(report, summary));
  return { outcome: report.outcome, report, summary };
}

/** What restored data says of the PKI is healed beside the restore, which is over by then. */
async function startHealing(
  { heal, ledger }: ReportEdges,
  ending: ReportEvent['ending'],
  { restoreId, plan }: RunbookState,
): Promise<string | undefined> {
  if (ending !== 'restored' || plan?.pki.some(({ decision }) => decision === 'heal') !== true) return undefined;
  try {
    if (heal === undefined) throw new Error('the lifeboat has no certificates of this cluster to go by');
    return `execution ${await heal(restoreId)} brings what the data says of the PKI to what serves now: see how it ends`;
  } catch (error) {
    ledger.telemetry.warn('healing-not-started', { because: messageOf(error) });
    return `what the data says of the PKI is not healed (${messageOf(error)}): start an execution of lifeboat-${ledger.cluster}-rotate-ca with ${JSON.stringify({ heal: restoreId })}`;
  }
}

/** For whoever reads no more than the subject: whether a drill failed or never was. */
function subjectOf({ outcome, drill }: RestoreReport): string {
  if (drill === undefined) return `restore ${outcome}`;
  return `drill ${outcome}${outcome === 'UNHARMED' ? (drill === 'failed' ? ', the snapshot did not pass' : ', none was held') : ''}`;
}

/** An execution's ARN ends in its name. */
const nameOf = (execution: string): string => execution.slice(execution.lastIndexOf(':') + 1);

async function stampIfDrill(
  { stamp, now, ledger }: ReportEdges,
  { drill, snapshot, restoreId, failure, phases }: RestoreReport,
): Promise<void> {
  if (drill === undefined || drill === 'silent' || snapshot === undefined) return;
  const passed = drill === 'passed';
  const seconds = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const detail = passed || failure === undefined ? {} : { detail: `${failure.error}: ${failure.because}` };
  await stamp(snapshot, { at: now().toISOString(), kind: 'restored', passed, ...detail, seconds, by: restoreId }).catch((error: unknown) =>
    ledger.telemetry.warn('drill-not-stamped', { because: messageOf(error) }),
  );
}

async function completeLedger(
  ledger: LedgerEdges,
  { outcome, mode }: RestoreReport,
  { plan, promised, restored }: RunbookState,
): Promise<void> {
  if (outcome !== 'RESTORED' || mode !== 'in-place' || plan === undefined || promised === undefined || restored === undefined) return;
  const { snapshot } = plan;
  const record = {
    at: promised.at,
    snapshot: snapshot.id,
    fromLineage: snapshot.lineage,
    bumpedTo: promised.to,
    newLineage: restored.lineage,
  };
  await updateLedger(ledger, (current) => recordRestore(current, record));
}

export function summaryOf({ outcome, snapshot, failure, downtimeSeconds, nodes }: RestoreReport): string {
  const down = downtimeSeconds === undefined ? '' : `, ${Math.round(downtimeSeconds)} s without etcd`;
  const why = failure === undefined ? '' : `: ${failure.error} in ${failure.state ?? 'an unknown state'}, ${failure.because}`;
  const wrong = nodes
    .filter(({ state, data }) => state !== 'serving' || data !== 'old')
    .map(({ host, state, data }) => `${host} ${state} with ${data} data`);
  const where = outcome === 'NEEDS_HANDS' && wrong.length > 0 ? ` (${wrong.join(', ')})` : '';
  return `${outcome}${snapshot === undefined ? '' : ` ${snapshot}`}${down}${where}${why}`;
}

function messageFor(report: RestoreReport, summary: string): string {
  const phases = report.phases.map(({ state, seconds }) => `  ${state.padEnd(18)} ${seconds.toFixed(1).padStart(8)} s`);
  const todo = report.whatToDo.map((line) => `- ${line}`);
  const { approvedBy, sinceApproval = [] } = report;
  const approved = approvedBy === undefined ? [] : [`Approved by: ${approvedBy}`];
  const since = sinceApproval.length === 0 ? [] : [`Since the approval: ${sinceApproval.join('; ')}`];
  return [summary, '', ...approved, ...since, `Safety snapshot: ${report.safetySnapshot}`, '', ...todo, '', ...phases].join('\n');
}
