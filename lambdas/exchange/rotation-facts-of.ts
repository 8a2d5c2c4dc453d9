import type { Component } from '../authorities/restarts';
import type { NodeFacts, RotationFacts } from '../authorities/rotation-facts';
import type { ToldNode } from '../certificates/told-node';
import { LEAVES } from '../contract/certificate-names';
import type { AuthorityName, LeafName } from '../contract/certificate-names';
import type { AuthoritySecret, ServiceAccountsSecret } from '../contract/certificates';
import type { ClusterLook } from '../contract/exchange-looks';
import type { NodeEnd } from '../contract/restore';
import { isSignedBy } from '../pki/signed-by';
import { signsByItsOwn } from '../certificates/minted-set';

/** A node told its clock when it was asked, and that is so long ago at most, seconds. */
const TOLD_WITHIN_SECONDS = 600;

export type Documents = Readonly<Partial<Record<AuthorityName, AuthoritySecret>>>;

/** What is known of the nodes, as a plan wants it. */
export interface Heard {
  readonly told: readonly ToldNode[];
  readonly silent: readonly NodeEnd[];
}

/** The generation that signed a certificate; undefined for a stranger. */
export const issuerOf = (pem: string, document: AuthoritySecret | undefined): string | undefined =>
  document?.generations.find(({ certificate }) => isSignedBy(pem, certificate))?.id;

/** What runs on a node and keeps something of an authority in memory. */
export function componentsOf({ facts }: Pick<ToldNode, 'facts'>): Component[] {
  const runs: Readonly<Record<Component, boolean>> = {
    apiserver: facts.apiserver !== null,
    'controller-manager': facts.controllerManager.running,
    scheduler: facts.scheduler.running,
    etcd: facts.etcd.runs !== 'absent',
    kubelet: facts.processes.some(({ component }) => component === 'kubelet'),
  };
  return (Object.keys(runs) as Component[]).filter((component) => runs[component]);
}

/** The leaves of one authority that a node has. */
export const leavesOf = ({ leaves }: Pick<ToldNode, 'leaves'>, authority: AuthorityName): LeafName[] =>
  [...leaves.keys()].filter((leaf) => LEAVES[leaf].authority === authority);

export function rotationFactsOf(
  { told, silent }: Heard,
  documents: Documents,
  authority: AuthorityName,
  rest: Pick<RotationFacts, 'now' | 'etcd' | 'snapshot' | 'lockedBy' | 'missing'>,
  accounts?: ServiceAccountsSecret,
): RotationFacts {
  return { ...commonFactsOf({ told, silent }, documents, accounts, rest), document: documents[authority] };
}

/** What is known before a rotation of whatever kind. */
export function commonFactsOf(
  { told, silent }: Heard,
  documents: Documents,
  accounts: ServiceAccountsSecret | undefined,
  rest: Pick<RotationFacts, 'now' | 'etcd' | 'snapshot' | 'lockedBy' | 'missing'>,
): Omit<RotationFacts, 'document'> {
  const nodes = [...told.map((node) => nodeFacts(node, documents, rest.now)), ...silent.map(({ host }) => unheard(host))];
  return {
    ...rest,
    underWay: [
      ...Object.values(documents),
      ...(accounts === undefined ? [] : [{ ...accounts, authority: 'service-accounts' as const }]),
    ].flatMap(({ authority: of, rotation }) => (rotation === undefined ? [] : [{ of, id: rotation.id, state: rotation.state }])),
    nodes,
  };
}

/** Nodes of the control plane that the cluster has, and of which Systems Manager knows no machine: nobody would give them anything. */
export const missingNodes = ({ nodes }: Pick<ClusterLook, 'nodes'>, { told, silent }: Heard): string[] =>
  nodes
    .filter(({ controlPlane }) => controlPlane === true)
    .map(({ name }) => name)
    .filter((name) => !told.some(({ facts }) => facts.nodeName === name) && !silent.some(({ host }) => host === name));

function nodeFacts(node: ToldNode, documents: Documents, now: Date): NodeFacts {
  const { facts, host, leaves } = node;
  const behind = Math.round(now.getTime() / 1_000) - facts.clock;
  return {
    name: host,
    role: 'control-plane',
    told: true,
    clockOff: behind < 0 ? -behind : Math.max(0, behind - TOLD_WITHIN_SECONDS),
    ...(facts.controllerManager.signingCertFile !== null && { signer: signsByItsOwn(facts) ? 'split' : 'shared' }),
    runs: componentsOf(node),
    leaves: [...leaves].map(([leaf, read]) => ({
      leaf,
      issuer: read === 'unparsable' ? undefined : issuerOf(read.pem, documents[LEAVES[leaf].authority]),
      keyType: read === 'unparsable' ? 'unknown' : read.view.keyType,
    })),
  };
}

const unheard = (name: string): NodeFacts => ({ name, role: 'control-plane', told: false, runs: [], leaves: [] });
