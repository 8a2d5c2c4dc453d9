import type { Ledger } from '../contract/ledger';
import { messageOf } from '../contract/lifeboat-error';
import { knowsLeader } from '../etcd/cluster-view';
import type { ClusterView, EtcdReader, QuotaReader } from '../etcd/cluster-view';
import { EndpointsDisagree, LedgerOutOfTime } from './errors';
import { loadLedger, updateLedger } from './keep-ledger';
import type { LedgerEdges, LoadedLedger } from './keep-ledger';
import { lineageOf, raise } from './ledger';
import type { Observation } from './ledger';
import { withQuotas } from './member-health';
import { refuseMixedClusters } from './member-errors';
import { tellWatch } from './tell-watch';
import type { LedgerOutcome, TellEdges, Watched, WatchResult } from './tell-watch';

export interface WatchEdges extends TellEdges {
  /** Opens the door to the members. @throws SecretUnusable */
  readonly reach: () => Promise<Pick<EtcdReader, 'gather' | 'close'> & QuotaReader>;
  readonly ledger: LedgerEdges;
}

/**
 * One look at every member: raises the ledger to the revision seen, and tells how the members are.
 *
 * An etcd that cannot be reached, endpoints of two clusters, and an S3 that fails are outcomes and not errors. This runs every minute: as
 * errors they would fill the dead-letter queue with the same event for as long as an outage lasts, and hide what else lies there. Their
 * alarms come from the metrics, which are told in each case.
 *
 * @param signal aborted when what time is left is needed to tell the metrics
 */
export async function watchMembers(edges: WatchEdges, endpoints: readonly string[], signal: AbortSignal): Promise<WatchResult> {
  // Read before the members are asked: what the ledger holds by then was served before, so an answer below it is a step back.
  const loaded = await attempt(() => within(signal, loadLedger(edges.ledger)));
  const watched = await look(edges, endpoints);
  const ledger = await settle(edges, loaded, watched.observation, signal);
  return tellWatch(edges, watched, ledger, 'value' in loaded ? loaded.value.ledger : undefined);
}

type Attempt<T> = { readonly value: T } | { readonly because: string };

async function attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { because: messageOf(error) };
  }
}

async function look({ reach, now }: WatchEdges, endpoints: readonly string[]): Promise<Watched> {
  const at = now();
  const seen = await attempt(async () => {
    const etcd = await reach();
    try {
      return await withQuotas(await etcd.gather(), etcd);
    } finally {
      etcd.close();
    }
  });
  if (!('value' in seen)) return { ...blind(endpoints, seen.because), outcome: 'unreachable', because: seen.because };
  const view = seen.value;
  try {
    refuseMixedClusters(view);
  } catch (error) {
    if (!(error instanceof EndpointsDisagree)) throw error;
    return { view, outcome: 'refused', because: error.message };
  }
  const observation = observationOf(view, at);
  if (observation !== undefined) return { view, observation, outcome: 'watched' };
  const because = view.members.map((member) => (member.reachable ? '' : member.because)).join('; ');
  return { view, outcome: 'unreachable', because };
}

const blind = (endpoints: readonly string[], because: string): { readonly view: ClusterView } => ({
  view: { votingMembers: 0, members: endpoints.map((endpoint) => ({ endpoint, reachable: false, because, kind: 'network' })) },
});

/** The highest of all that answered. Only where one of them knows a leader does that tell that the cluster is no further. */
function observationOf({ members }: ClusterView, at: Date): Observation | undefined {
  const all = members.flatMap((member) => (member.reachable ? [member.status] : []));
  const [first] = all;
  if (first === undefined) return undefined;
  const led = all.some(knowsLeader);
  return { lineage: first.clusterId, revision: Math.max(...all.map(({ revision }) => revision)), at, led };
}

async function settle(
  { ledger: edges }: WatchEdges,
  loaded: Attempt<LoadedLedger>,
  observation: Observation | undefined,
  signal: AbortSignal,
): Promise<LedgerOutcome> {
  if (!('value' in loaded)) return { state: 'failed', because: loaded.because };
  const { ledger } = loaded.value;
  if (observation === undefined && loaded.value.stored !== undefined) return { state: 'current', ledger };
  // Also without an observation: a ledger that was rebuilt is worth keeping.
  const change = (known: Ledger) => (observation === undefined ? known : raise(known, observation));
  const raised = await attempt(() => within(signal, updateLedger(edges, change, loaded.value)));
  if (!('value' in raised)) return { state: 'failed', ledger, because: raised.because };
  const because = stepBack(ledger, observation);
  return because === undefined ? { state: 'current', ledger: raised.value } : { state: 'ahead', ledger: raised.value, because };
}

/** Why the members are behind what their lineage served before this poll; without a leader they may merely not have caught up. */
function stepBack(before: Ledger, observation: Observation | undefined): string | undefined {
  if (observation === undefined || !observation.led) return undefined;
  const { lineage, revision } = observation;
  const known = lineageOf(before, lineage);
  if (known === undefined || revision >= known.revision) return undefined;
  return `the members of ${lineage} are at revision ${revision}, the ledger has seen them at ${known.revision}: they were restored by hand without a bump, or lost data`;
}

/** @throws LedgerOutOfTime */
async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop: () => void = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new LedgerOutOfTime('S3 did not answer in the time that a run has for the ledger: look at its route to S3'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => undefined);
  }
}
