import { LEAVES } from '../contract/certificate-names';
import type { AuthorityName, LeafName } from '../contract/certificate-names';
import type { NodeSetSecret } from '../contract/certificates';
import { hostOf } from '../contract/host-of';
import { printBundle } from '../pki/bundle';
import { inspect } from '../pki/inspect';
import { issueLeaf } from '../pki/issue';
import { printKubeconfig } from '../pki/kubeconfig';
import type { Pair } from '../pki/signer';
import { archiveOf } from './archive';
import { nodePlaceOf } from './cluster-place';
import { desiredLeaves } from './desired';
import { isUnspecified } from './names';
import { profileFor, withUnexplained } from './profile-for';
import type { ClusterPlace } from './desired';
import { SignerAway } from './errors';
import type { ToldNode } from './told-node';

/** An authority as it signs now, and everything that is to be trusted of its kind. */
export interface SigningAuthority {
  readonly id: string;
  readonly certificate: string;
  /** Missing for an external CA. */
  readonly key: string | undefined;
  readonly trusted: readonly string[];
}

export interface MintInput {
  readonly node: ToldNode;
  readonly cluster: ClusterPlace;
  readonly authorities: Readonly<Partial<Record<AuthorityName, SigningAuthority>>>;
  readonly leafValidityDays: number;
  readonly now: Date;
  /**
   * Whether the set has a certificate for the kubelet too, which else renews its own.
   *
   * @default false
   */
  readonly forKubelet?: boolean;
}

/**
 * Every certificate of one node anew, with a key of its own each. What an external CA signs is left as it is on the node.
 *
 * @throws SignerAway when none of the authorities that the node needs can sign
 */
export async function mintSet({
  node,
  cluster,
  authorities,
  leafValidityDays,
  now,
  forKubelet = false,
}: MintInput): Promise<NodeSetSecret> {
  const notAfter = new Date(now.getTime() + leafValidityDays * 86_400_000);
  const files = new Map<string, string>();
  const certificates: NodeSetSecret['certificates'] = [];
  const wanted = desiredLeaves(nodePlaceOf(node), cluster, new Set(node.leaves.keys())).filter(
    ({ leaf }) => leaf !== 'kubelet.conf' || forKubelet,
  );
  for (const { leaf, nodeName, names } of wanted) {
    const authority = authorities[LEAVES[leaf].authority];
    if (authority?.key === undefined) continue;
    const signer = { cert: authority.certificate, key: authority.key };
    const profile = profileFor(leaf, nodeName, withUnexplained(leaf, names, node, cluster.everythingIsKnown), node);
    const issued = issueLeaf(signer, profile, { notAfter, now });
    for (const [path, text] of filesFor(leaf, issued, profile.subject.commonName, node, authority)) files.set(path, text);
    const { sha256, serial, notAfter: ends } = inspect(issued.cert);
    certificates.push({ leaf, sha256, serial, notAfter: ends.toISOString() });
  }
  if (certificates.length === 0)
    throw new SignerAway(
      `the lifeboat has no key of any authority that ${node.host} needs: adopt the cluster first; an external CA renews its own`,
    );
  const signers = Object.fromEntries(Object.entries(authorities).map(([name, { id }]) => [name, id]));
  return {
    version: 1,
    node: { instanceId: node.instanceId, host: node.host, nodeName: node.facts.nodeName },
    mintedAt: now.toISOString(),
    signers,
    certificates,
    trusted: Object.fromEntries(Object.entries(authorities).map(([name, { trusted }]) => [name, printBundle(trusted)])),
    ports: servingPorts(node),
    archive: await archiveOf(files),
  };
}

function filesFor(leaf: LeafName, { cert, key }: Pair, user: string, node: ToldNode, authority: SigningAuthority): [string, string][] {
  if (LEAVES[leaf].kind === 'file')
    return [
      [`pki/${leaf}.crt`, cert],
      [`pki/${leaf}.key`, key],
    ];
  // Where it leads to is the node's own business: a kubeconfig for the API server beside it, or for the balancer.
  const server = node.kubeconfigs.get(leaf)?.server;
  if (server === undefined) return [];
  const text = printKubeconfig({ ca: printBundle(authority.trusted), server, cluster: 'kubernetes', user, cert, key });
  return [[`kubeconfigs/${leaf}`, text]];
}

/** Where others reach what the node serves. kube-apiserver may listen on one address and advertise another, behind a translation of addresses. */
export function servingPorts({ facts }: ToldNode): NodeSetSecret['ports'] {
  const { apiserver, etcd } = facts;
  const bound = apiserver?.bindAddress != null && !isUnspecified(apiserver.bindAddress) ? apiserver.bindAddress : undefined;
  const address = bound ?? apiserver?.advertiseAddress ?? undefined;
  const first = (leaf: 'etcd/server' | 'etcd/peer', urls: readonly string[]): NodeSetSecret['ports'] =>
    urls.slice(0, 1).map((url) => {
      return { leaf, host: hostOf(url), port: Number(new URL(url).port || 443) };
    });
  return [
    ...(apiserver === null || address === undefined ? [] : [{ leaf: 'apiserver' as const, host: address, port: apiserver.securePort }]),
    ...first('etcd/server', etcd.clientUrls),
    ...first('etcd/peer', etcd.peerUrls),
  ];
}
