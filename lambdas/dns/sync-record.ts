import type { ApiRecordSettings, ApiRecordState, ChangedBy, ProbeAnswer, SyncEvent } from '../contract/api-record';
import { Metric } from '../contract/metrics';
import { carryOut } from './carry-out';
import type { CarryEdges } from './carry-out';
import { findTarget } from './find-target';
import type { FoundTarget, TargetEdges } from './find-target';
import { judgeTargets } from './judge-targets';
import type { Judgement } from './judge-targets';
import { lookAll, lookByName } from './look-at-all';
import type { ByName, LookingEdges, Seen } from './look-at-all';
import { TTL_SECONDS, planApiRecord, writtenOf } from './plan-record';
import type { Desired, RecordPlan, RecordSet } from './plan-record';
import { isAddress } from './record-set';
import type { ZoneFacts } from './zone';
import { heritageNames, namesAbove, sameName } from './record-name';
import { inquire, inquiryAfter } from './who-changed';
import type { Trail } from './who-changed';

/** What is remembered from run to run, with conditional writes. */
export interface StateDocument {
  /** undefined: there is none. @throws StoreFailed */
  read(): Promise<{ readonly state: ApiRecordState; readonly version: string | undefined }>;
  /** Whether it was written; not when another run was faster. @throws StoreFailed */
  write(state: ApiRecordState, over: string | undefined): Promise<boolean>;
}

export interface SyncEdges extends TargetEdges, LookingEdges, CarryEdges {
  readonly state: StateDocument;
  /** Whoever holds the lock of the control plane now. */
  readonly lockedBy: () => Promise<string | undefined>;
  readonly trail: Trail;
  /** Name of the role by which this function writes. */
  readonly ownRole: string;
}

/** What one run found and did. */
export interface SyncReport {
  readonly action: RecordPlan['action'];
  readonly because: RecordPlan['because'];
  readonly message: string;
  /** Whether the name leads to an API server that answers with a certificate that carries it. */
  readonly answers: boolean;
  /** What the name was found to lead to; missing when nobody could say. */
  readonly resolved?: readonly string[];
  readonly answering: number;
  /** Every place that was looked at. */
  readonly looked: readonly ProbeAnswer[];
  /** Others who changed the record, as far as CloudTrail has come to know it since the last run. */
  readonly changedBy: readonly ChangedBy[];
}

/** An event that comes sooner after the last counted round says nothing new of who is alive. */
const ROUND_MS = 25_000;
/** A resolver may have kept an answer for so long, and some keep it longer than they should. */
const STALE_MS = (TTL_SECONDS + 60) * 1000;

/**
 * One look at everything, and at most one change. Whatever could not be read ends the run before anything is written.
 *
 * @throws DnsFailed, StoreFailed, FunctionCallFailed, NodesUnreachable
 */
export async function syncRecord(edges: SyncEdges, cluster: string, settings: ApiRecordSettings, event: SyncEvent): Promise<SyncReport> {
  const { zone, telemetry, now } = edges;
  const facts = await zone.describe();
  const records = await zone.recordsAt([...heritageNames(settings.name), ...delegating(settings.name, facts)]);
  const { state, version } = await edges.state.read();
  const target = await findTarget(edges, settings);
  const seen = await lookAll(edges, settings, facts, target);
  const published = addressesOf(records, settings.name);
  const judged = judge(target, seen.candidates, state, published, now());
  const evidence = evidenceOf(target, seen.candidates, judged, state, await edges.lockedBy());
  const policy = { cluster, name: settings.name, visibility: settings.visibility, adopt: event.adopt };
  const plan = planApiRecord({ name: facts.name, visibility: facts.visibility, records }, desiredOf(target, judged), evidence, {
    ...policy,
    ...(event.onBehalfOf !== undefined && { onBehalfOf: event.onBehalfOf }),
  });
  tell(telemetry, plan, judged);
  const carried = await carryOut(edges, cluster, { name: settings.name, zone: facts.name }, plan, state);
  const { inquiry, changedBy } = await whoChanged(edges, settings, plan, records, state);
  const next: ApiRecordState = {
    ...state,
    ...carried,
    inquiry,
    ...(isAsWrittenAfter(plan) && { asWrittenAt: now().toISOString() }),
    targets: judged?.judgement.memory ?? {},
    ...(judged?.counts === true && { countedAt: now().toISOString() }),
    ...(plan.action === 'none' && {
      written: writtenOf(addressRecords(records, settings.name).filter((record) => !plan.beside.includes(record))),
    }),
  };
  if (!(await edges.state.write(next, version))) telemetry.log('another-run-was-faster', {});
  const byName = plan.action === 'write' ? await lookByName(edges, settings, facts) : seen.byName;
  return finish(edges, { plan, seen, evidence, next, byName, changedBy, expected: expectedOf(plan, records, settings.name) });
}

/** Whether the name leads to what the lifeboat wrote, and to nothing else, when the plan is carried out. */
const isAsWrittenAfter = ({ action, drifted, beside }: RecordPlan): boolean =>
  action === 'write' ? beside.length === 0 : action === 'none' && !drifted;

/** Who made a drift of the last minutes. Not in a run that writes: CloudTrail does not know yet, and the time is for Route 53. */
async function whoChanged(
  { trail, ownRole, telemetry, now }: SyncEdges,
  { name, zoneId }: ApiRecordSettings,
  plan: RecordPlan,
  records: readonly RecordSet[],
  state: ApiRecordState,
): Promise<{ readonly inquiry: ApiRecordState['inquiry']; readonly changedBy: readonly ChangedBy[] }> {
  const there = records.filter((record) => sameName(record.name, name) && (isAddress(record) || record.type === 'CNAME'));
  const inquiry = inquiryAfter(state, { drifted: plan.drifted, records: there }, now());
  if (inquiry === undefined || plan.action === 'write') return { inquiry, changedBy: [] };
  const found = await inquire(trail, { name, zoneId, ownRole }, inquiry, now());
  if (found.silent !== undefined) telemetry.warn('trail-silent', { because: found.silent });
  if (found.unexplained === true) telemetry.warn('drift-unexplained', { ...found.inquiry });
  for (const call of found.changedBy) telemetry.warn('record-changed-by', { ...call });
  return found;
}

interface Judged {
  readonly judgement: Judgement;
  readonly counts: boolean;
}

/** A balancer judges its own targets. */
function judge(
  { kind }: FoundTarget,
  seen: readonly Seen[],
  state: ApiRecordState,
  published: readonly string[],
  now: Date,
): Judged | undefined {
  if (kind === 'alias') return undefined;
  const counts = state.countedAt === undefined || now.getTime() - new Date(state.countedAt).getTime() >= ROUND_MS;
  // One that clients would refuse does not come in, and keeps nobody else from leaving; where nothing is published yet, the plan says so.
  const fits = ({ host, answer }: Seen): boolean => published.length === 0 || published.includes(host) || answer?.carriesName !== false;
  const evidence = seen.map((each) => ({
    address: each.host,
    answers: each.answer?.answers === true && fits(each),
    awayElsewhere: each.awayElsewhere,
  }));
  return { judgement: judgeTargets({ evidence, memory: state.targets, published, counts }), counts };
}

function evidenceOf(
  target: FoundTarget,
  seen: readonly Seen[],
  judged: Judged | undefined,
  { written }: ApiRecordState,
  lockedBy: string | undefined,
) {
  const members = judged?.judgement.members;
  const led = seen.filter(({ host }) => members === undefined || members.includes(host));
  return {
    answering: target.kind === 'alias' ? target.healthy : led.filter(({ answer }) => answer?.answers === true).length,
    withoutName: led.filter(({ answer }) => answer?.carriesName === false).map(({ host, port }) => `${host}:${port}`),
    ...(lockedBy !== undefined && { lockedBy }),
    ...(written !== undefined && { written }),
  };
}

const desiredOf = (target: FoundTarget, judged: Judged | undefined): Desired =>
  target.kind === 'alias' ? target.desired : { kind: 'addresses', addresses: judged?.judgement.members ?? [] };

function tell(telemetry: SyncEdges['telemetry'], plan: RecordPlan, judged: Judged | undefined): void {
  const { action, because, message, drifted } = plan;
  telemetry.count(Metric.apiRecordDrifted, Number(drifted), 'Count');
  telemetry.count(Metric.apiRecordRefused, Number(action === 'refuse'), 'Count');
  if (drifted) telemetry.warn('record-drifted', { action, because, what: message });
  if (action === 'refuse' || action === 'hold') telemetry.warn(`record-${action === 'refuse' ? 'refused' : 'held'}`, { because, message });
  if (plan.beside.length > 0) telemetry.warn('record-of-others-beside', { records: plan.beside });
  if (judged?.judgement.held !== undefined) telemetry.warn('nobody-taken-out', { because: judged.judgement.held });
}

interface Finished {
  readonly plan: RecordPlan;
  readonly seen: { readonly candidates: readonly Seen[] };
  readonly evidence: { readonly answering: number };
  readonly next: ApiRecordState;
  readonly byName: ByName;
  readonly changedBy: readonly ChangedBy[];
  /** Addresses that the name should lead to by now; missing for an alias. */
  readonly expected: readonly string[] | undefined;
}

function finish({ telemetry, now }: SyncEdges, { plan, seen, evidence, next, byName, changedBy, expected }: Finished): SyncReport {
  const { answer, resolved } = byName;
  const settled = next.writtenAt === undefined || now().getTime() - new Date(next.writtenAt).getTime() > STALE_MS;
  // Right after a change a resolver may still say what was before.
  const asWritten = expected === undefined || resolved === undefined || !settled || expected.join() === [...resolved].sort().join();
  const answers = answer?.answers === true && answer.carriesName === true && asWritten;
  telemetry.count(Metric.apiTargetsAnswering, evidence.answering, 'Count');
  telemetry.count(Metric.apiNameAnswers, Number(answers), 'Count');
  const since = next.pending?.since;
  telemetry.count(
    Metric.apiRecordPending,
    since === undefined ? 0 : Math.round((now().getTime() - new Date(since).getTime()) / 1000),
    'Seconds',
  );
  const looked = seen.candidates.flatMap(({ answer: each }) => each ?? []);
  if (!answers)
    telemetry.warn('name-does-not-answer', {
      resolved,
      expected,
      because:
        answer === undefined
          ? 'nobody looked'
          : answer.answers && answer.carriesName === false
            ? 'its certificate does not carry the name'
            : answer.because,
    });
  return {
    ...{ action: plan.action, because: plan.because, message: plan.message, answers, answering: evidence.answering, looked, changedBy },
    ...(resolved !== undefined && { resolved }),
  };
}

/** Private zones delegate nothing. */
const delegating = (name: string, { name: zone, visibility }: ZoneFacts): string[] =>
  visibility === 'public' ? namesAbove(name, zone) : [];

const addressRecords = (records: readonly RecordSet[], name: string): RecordSet[] =>
  records.filter((record) => isAddress(record) && sameName(record.name, name));
const addressesOf = (records: readonly RecordSet[], name: string): string[] =>
  addressRecords(records, name).flatMap(({ values }) => values);

function expectedOf({ changes }: RecordPlan, records: readonly RecordSet[], name: string): readonly string[] | undefined {
  const written = changes.filter(({ record }) => isAddress(record) && sameName(record.name, name));
  const after = [
    ...addressRecords(records, name).filter(({ type }) => !written.some(({ record }) => record.type === type)),
    ...written.filter(({ action }) => action === 'UPSERT').map(({ record }) => record),
  ];
  return after.some(({ alias }) => alias !== undefined) ? undefined : after.flatMap(({ values }) => values).sort();
}
