import type { AuthorityName } from '../contract/certificate-names';
import type { AdoptionPlan, Finding, PlannedAuthority } from '../contract/certificates';
import type { RunbookNode } from '../contract/restore';
import { shortId } from '../contract/short-id';
import { differences, sharedAuthorities, sharedServiceAccounts } from './compare-nodes';
import type { SharedAuthority } from './compare-nodes';
import { AdoptionRefused } from './errors';
import { nodePlaceOf } from './cluster-place';
import { desiredLeaves } from './desired';
import type { ClusterPlace } from './desired';
import { daysLeft } from './judge-leaf';
import type { LeafVerdict } from './judge-leaf';
import { unexplainedNames } from './profile-for';
import type { ToldNode } from './told-node';

/** What of an authority lies in its secret already. */
export interface StoredAuthority {
  /** The ids of all its generations. */
  readonly ids: readonly string[];
  /** Those whose key is there, too. */
  readonly withKey: readonly string[];
}

export interface AdoptionInput {
  readonly restoreId: string;
  readonly nodes: readonly ToldNode[];
  readonly held: Readonly<Partial<Record<AuthorityName | 'service-accounts', StoredAuthority>>>;
  /** What is to be done about each certificate, by the instance id of its node. */
  readonly verdicts: ReadonlyMap<string, readonly LeafVerdict[]>;
  /** What the certificates of the cluster are for. */
  readonly cluster: ClusterPlace;
  readonly leafValidityDays: number;
  readonly now: Date;
}

/**
 * What an adoption takes over, from which node, and what else somebody should know. A secret that holds the same already is left alone, so that
 * running it again changes nothing.
 *
 * @throws AdoptionRefused when the nodes do not agree, have keys that are not supported, or another cluster's PKI lies in the secrets
 */
export function planAdoption({ restoreId, nodes, held, verdicts, cluster, leafValidityDays, now }: AdoptionInput): AdoptionPlan {
  const shared = sharedAuthorities(nodes);
  if (!shared.some(({ authority }) => authority === 'cluster'))
    throw new AdoptionRefused(
      'no node has a certificate of the cluster authority (pki/ca.crt): see that nodes.pkiDir names the right folder',
    );
  for (const each of shared) {
    refuseKeyType(each);
    refuseOther(each.authority, each.view.sha256, held[each.authority]);
  }
  const tokens = sharedServiceAccounts(nodes);
  if (tokens !== undefined) refuseOther('service-accounts', tokens.id, held['service-accounts']);
  const authorities = shared.map((each) => planned(each, held[each.authority]));
  const serviceAccounts = tokens && {
    id: tokens.id,
    key: keyState(
      tokens.id,
      held['service-accounts'],
      nodes.some(({ facts }) => facts.authorityKeys.serviceAccounts),
    ),
    stored: held['service-accounts'] !== undefined,
  };
  return {
    ...{ restoreId, authorities },
    ...(serviceAccounts && { serviceAccounts }),
    handOver: handingOver(shared, authorities, nodes, serviceAccounts),
    nodes: nodes.map((node) => ({ ...runbookNode(node), nodeName: node.facts.nodeName, leaves: node.leaves.size })),
    findings: [
      ...authorities.flatMap((authority) => ends(authority, leafValidityDays, now)),
      ...differences(nodes, now),
      ...nodes.flatMap((node) => leafFindings(node, verdicts.get(node.instanceId) ?? [])),
      ...nodes.flatMap(kubeletFindings),
      ...(cluster.everythingIsKnown ? nodes.flatMap((node) => namesThatGo(node, cluster)) : []),
    ],
  };
}

function refuseKeyType({ authority, view }: SharedAuthority): void {
  if (view.keyType.startsWith('RSA-')) return;
  throw new AdoptionRefused(
    `the ${authority} authority has a key of kind ${view.keyType}, as kubeadm makes it when encryptionAlgorithm is that: only RSA is supported, go on renewing with kubeadm`,
  );
}

function refuseOther(what: string, id: string, held: StoredAuthority | undefined): void {
  if (held === undefined || held.ids.includes(id)) return;
  throw new AdoptionRefused(
    `the secret of ${what} holds ${held.ids.map((each) => shortId(each)).join(', ')}, and the nodes have ${shortId(id)}: when the cluster was made anew under the same name, empty that secret by hand first; what it holds is lost by that`,
  );
}

function keyState(id: string, held: StoredAuthority | undefined, onNodes: boolean): PlannedAuthority['key'] {
  if (held?.withKey.includes(id) === true) return 'held';
  return onNodes ? 'import' : 'external';
}

function planned({ authority, view, keyOn }: SharedAuthority, held: StoredAuthority | undefined): PlannedAuthority {
  const { sha256: id, subject, notAfter } = view;
  return {
    authority,
    id,
    subject: subject.text,
    notAfter: notAfter.toISOString(),
    key: keyState(id, held, keyOn.length > 0),
    stored: held !== undefined,
  };
}

/**
 * One node that has everything that is still to be taken: two would send every key over the network twice.
 *
 * @throws AdoptionRefused when no single node has all of it
 */
function handingOver(
  shared: readonly SharedAuthority[],
  authorities: readonly PlannedAuthority[],
  nodes: readonly ToldNode[],
  serviceAccounts: AdoptionPlan['serviceAccounts'],
): RunbookNode[] {
  const pending = [...authorities, ...(serviceAccounts === undefined ? [] : [serviceAccounts])];
  if (pending.every(({ key, stored }) => key !== 'import' && stored)) return [];
  const wanted = authorities.filter(({ key }) => key === 'import').map(({ authority }) => authority);
  const tokens = serviceAccounts?.key === 'import';
  const first = nodes.find(
    (node) =>
      authorities.every(({ authority }) => node.authorities.has(authority)) &&
      wanted.every((authority) => shared.some((each) => each.authority === authority && each.keyOn.includes(node))) &&
      (!tokens || node.facts.authorityKeys.serviceAccounts),
  );
  if (first !== undefined) return [runbookNode(first)];
  const missing = [...wanted, ...(tokens ? ['service-accounts'] : [])].join(', ');
  throw new AdoptionRefused(`no single node has the keys of ${missing}: put them on one of them, as kubeadm does on all`);
}

/** A leaf may not outlive its signer: what is issued near the end of a CA gets shorter and shorter. */
function ends({ authority, notAfter }: PlannedAuthority, leafValidityDays: number, now: Date): Finding[] {
  const left = daysLeft(new Date(notAfter), now);
  if (left > leafValidityDays) return [];
  const when = left > 0 ? `ends on ${notAfter}, in ${Math.floor(left)} days` : `ended on ${notAfter}`;
  return [
    {
      severity: left > 0 ? 'soon' : 'wrong',
      where: 'all',
      what: `the ${authority} authority ${when}, and no certificate can outlive it`,
      fix: 'rotate this CA',
    },
  ];
}

function leafFindings({ host }: ToldNode, verdicts: readonly LeafVerdict[]): Finding[] {
  return verdicts.flatMap((verdict): Finding[] => {
    if (verdict.action === 'keep') return [];
    const severity = verdict.reason === 'expires-soon' ? 'soon' : 'wrong';
    return [{ severity, where: host, what: `${verdict.leaf}: ${verdict.message} (${verdict.reason})`, fix: 'rotate the certificates' }];
  });
}

/** kubeadm issue 1753: a kubelet that reads its first certificate for ever stops with it, though it has a newer one. */
function kubeletFindings({ host, facts }: ToldNode): Finding[] {
  if (facts.kubelet !== 'embeds') return [];
  return [
    {
      severity: 'wrong',
      where: host,
      what: 'kubelet.conf has its first client certificate inside instead of naming kubelet-client-current.pem',
      fix: 'rotate the certificates: the file is mended with them',
    },
  ];
}

/** Somebody may still come by a name that was only ever written into the certificate, as with `kubeadm init phase certs --apiserver-cert-extra-sans`. */
function namesThatGo(node: ToldNode, cluster: ClusterPlace): Finding[] {
  return desiredLeaves(nodePlaceOf(node), cluster, new Set(node.leaves.keys())).flatMap(({ leaf, names }): Finding[] => {
    const going = unexplainedNames(leaf, names, node);
    if (going.length === 0) return [];
    return [
      {
        severity: 'note',
        where: node.host,
        what: `${leaf} carries ${going.join(', ')}, which neither the node nor kubeadm-config nor lifeboat.json know: its first rotation leaves that out`,
        fix: 'put into certificates.extraSans, or into kubeadm-config, what clients still use',
      },
    ];
  });
}

const runbookNode = ({ instanceId, host }: ToldNode): RunbookNode => ({ instanceId, host });
