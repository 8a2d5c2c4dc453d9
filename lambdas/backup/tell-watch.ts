import type { Ledger } from '../contract/ledger';
import { Metric } from '../contract/metrics';
import type { ClusterView } from '../etcd/cluster-view';
import type { Telemetry } from './edges';
import { lineageOf, verifiedSnapshotAge } from './ledger';
import type { Observation } from './ledger';
import { databaseOf, healthOf } from './member-health';
import type { MemberHealth } from './member-health';
import { perMinute } from './write-rate';

export interface TellEdges {
  readonly telemetry: Telemetry;
  readonly now: () => Date;
  /** What was told once and need not be told every minute, for as long as the process lives. */
  readonly told: Set<string>;
}

/** What became of the ledger in one run. */
export type LedgerOutcome =
  | { readonly state: 'current'; readonly ledger: Ledger }
  /** The members are behind what they served before. */
  | { readonly state: 'ahead'; readonly ledger: Ledger; readonly because: string }
  | { readonly state: 'failed'; readonly ledger?: Ledger; readonly because: string };

export interface WatchResult {
  readonly outcome: 'watched' | 'unreachable' | 'refused';
  /** Why not `watched`. */
  readonly because?: string;
  readonly members: MemberHealth;
  readonly lineage?: string;
  readonly revision?: number;
  readonly revisionsPerMinute?: number;
  readonly ledger: { readonly state: LedgerOutcome['state']; readonly ceiling?: number; readonly because?: string };
}

/** What the members answered, as far as one lineage can be seen in it. */
export interface Watched {
  readonly view: ClusterView;
  readonly observation?: Observation;
  readonly outcome: WatchResult['outcome'];
  readonly because?: string;
}

/**
 * Tells a run by metrics and log, and sums it up. What could not be measured is left out, so that an alarm on missing data sees it:
 * a revision that nobody answered, the age of a snapshot while S3 is away.
 *
 * @param before the ledger as it was when the members were asked
 */
export function tellWatch(edges: TellEdges, watched: Watched, ledger: LedgerOutcome, before: Ledger | undefined): WatchResult {
  const { telemetry } = edges;
  const { view, observation, outcome, because } = watched;
  const members = healthOf(view);
  telemetry.count(Metric.membersHealthy, members.healthy, 'Count');
  telemetry.count(Metric.memberUnreachable, members.unreachable, 'Count');
  telemetry.count(Metric.etcdQuorum, Number(members.quorum), 'Count');
  telemetry.count(Metric.ledgerCurrent, Number(outcome !== 'refused' && ledger.state === 'current'), 'Count');
  tellDatabase(edges, watched);
  const age = ledger.ledger && verifiedSnapshotAge(ledger.ledger, edges.now());
  if (age !== undefined) telemetry.count(Metric.verifiedSnapshotAge, age, 'Seconds');
  const known = observation && before && lineageOf(before, observation.lineage);
  const rate = observation?.led === true ? perMinute(known?.rate, observation) : undefined;
  if (rate !== undefined) telemetry.count(Metric.revisionsPerMinute, rate, 'Count');

  if (outcome !== 'watched') telemetry.warn(outcome === 'refused' ? 'endpoints-disagree' : 'etcd-unreachable', { because });
  if (ledger.state !== 'current')
    telemetry.warn(ledger.state === 'ahead' ? 'revision-fell-back' : 'ledger-failed', { because: ledger.because });
  if (observation && before && known === undefined) {
    const { lineage, revision } = observation;
    // Clients that know the ceiling believe nothing that is below it (kubernetes/kubernetes#107457).
    const below = revision < before.ceiling;
    telemetry[below ? 'warn' : 'log']('lineage-opened', { lineage, revision, ceiling: before.ceiling, below });
  }
  return {
    outcome,
    ...(because !== undefined && { because }),
    members,
    ...(observation && { lineage: observation.lineage, revision: observation.revision }),
    ...(rate !== undefined && { revisionsPerMinute: rate }),
    ledger: {
      state: ledger.state,
      ...(ledger.ledger && { ceiling: ledger.ledger.ceiling }),
      ...(ledger.state !== 'current' && { because: ledger.because }),
    },
  };
}

function tellDatabase({ telemetry, told }: TellEdges, { view }: Watched): void {
  const { bytes, quotaPercent } = databaseOf(view);
  if (bytes !== undefined) telemetry.count(Metric.dbSize, bytes, 'Bytes');
  if (quotaPercent !== undefined) telemetry.count(Metric.dbQuotaUsed, quotaPercent, 'Percent');
  for (const member of view.members) {
    const event = `quota-unknown ${member.endpoint}`;
    if (!member.reachable || member.status.dbQuota !== undefined || told.has(event)) continue;
    told.add(event);
    telemetry.warn('quota-unknown', { endpoint: member.endpoint, version: member.status.version });
  }
}
