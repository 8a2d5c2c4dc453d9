import type { RotationState } from '../contract/authority-rotation';
import { byApproval } from './faults';
import type { Faults } from './faults';
import type { Observation } from './observation';

/** Whoever was refused at a port of etcd, or refused etcd, as the log of etcd on one node tells; a port is not always told. */
export interface Refused {
  readonly port: 'peer' | 'client' | 'unknown';
  readonly address: string;
  readonly firstAt: Date;
  /** Since it was refused last, by the clock of the node that told it. */
  readonly quietSeconds: number;
  readonly error: string;
}

/** What the log of etcd on a node tells. */
export interface EtcdLog {
  readonly refused: readonly Refused[];
  /** Whether more were refused of late than it tells. */
  readonly more: boolean;
}

/** A member dials another ten times a second (etcd rafthttp, DialRetryFrequency): one that was not refused for so long is not refused any more. */
const QUIET_SECONDS = 120;

interface Named {
  /** The same in every round, so that who approves it approves it once. */
  readonly name: string;
  readonly because: string;
}

/**
 * Members that are refused keep every state, until they are not. Clients that nobody refused before are named to whoever approves: while both
 * generations are served that is the approval of the distrust, and from there on one of them alone, unless nobody is to be asked. After a compromise they are meant to be
 * refused, and only told. A log that nobody finds is named once, and keeps nothing after that: who is refused shows elsewhere, only later.
 */
export function nobodyRefused(observation: Observation, state: RotationState): Faults {
  const { nodes } = observation;
  if (nodes === undefined) return ['nothing is known of the nodes: ask them'];
  const peers = nodes.flatMap(({ name, etcdLog }) =>
    (etcdLog?.refused ?? [])
      .filter(({ port, quietSeconds }) => port === 'peer' && quietSeconds <= QUIET_SECONDS)
      .map(
        ({ address, error }) => `${address} is refused at the peer port of etcd on ${name} (${error}): end it, if it is no member any more`,
      ),
  );
  return [...peers, ...unapproved(observation, state).map(({ because }) => byApproval(because))];
}

/** What whoever approves is to see to, in words that stay the same. */
export const refusedToApprove = (observation: Observation, state: RotationState): string[] =>
  unapproved(observation, state).map(({ name }) => name);

/** Clients that are refused of late, that keep nothing and that nobody was asked about: for people to know. */
export function refusedToTell(observation: Observation, state: RotationState): string[] {
  const { approvedNames = [] } = observation;
  const asked = [...refusedToApprove(observation, state), ...(approvedNames === 'all' ? [] : approvedNames)];
  return newClients(observation)
    .map(({ name }) => name)
    .filter((name) => !asked.includes(name));
}

function unapproved(observation: Observation, state: RotationState): Named[] {
  const { rotation, approvedBy, approvedNames = [] } = observation;
  if (rotation.authority !== 'etcd' || rotation.mode === 'compromise') return [];
  if (state === 'SOAKING') return approvedBy === undefined ? [...newClients(observation), ...withoutLog(observation)] : [];
  if ((state !== 'DISTRUST-CANARY' && state !== 'DISTRUSTED') || approvedNames === 'all') return [];
  return newClients(observation).filter(({ name }) => !approvedNames.includes(name));
}

/** One for each address, whichever members refused it. */
function newClients({ rotation, nodes = [], since }: Observation): Named[] {
  if (rotation.authority !== 'etcd' || since === undefined) return [];
  const all = nodes.flatMap(({ name: node, etcdLog }) => {
    const { refused = [], more = false } = etcdLog ?? {};
    const clients = refused.filter(({ port, firstAt }) => port !== 'peer' && firstAt >= since);
    const named = clients.map(({ address, error }) => ({
      name: `${address}, which etcd refused,`,
      because: `${address} was refused by etcd on ${node} (${error}): see who that is, and that it has the new root and a certificate by it`,
    }));
    const name = `more than the log of etcd on ${node} is asked for, which it refused,`;
    return more ? [...named, { name, because: `${name} cannot be told one by one: read that log` }] : named;
  });
  return all.filter(({ name }, at) => all.findIndex((each) => each.name === name) === at);
}

function withoutLog({ nodes = [] }: Observation): Named[] {
  return nodes
    .filter(({ etcdLog, runs }) => etcdLog === undefined && runs.includes('etcd'))
    .map(({ name: node }) => {
      const name = `the log of etcd on ${node}, of which nothing is known,`;
      return { name, because: `${name} may tell of clients that are refused: look there for "rejected connection"` };
    });
}
