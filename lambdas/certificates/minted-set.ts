import type { AccountKeys } from '../accounts/verifying';
import { AUTHORITY_FILES, AuthorityName, LEAVES } from '../contract/certificate-names';
import type { LeafName } from '../contract/certificate-names';
import type { NodeSetSecret } from '../contract/certificates';
import { hostOf } from '../contract/host-of';
import { parseBundle, printBundle } from '../pki/bundle';
import { inspect } from '../pki/inspect';
import { issueLeaf } from '../pki/issue';
import { printKubeconfig } from '../pki/kubeconfig';
import { PROFILES } from '../pki/profiles';
import { isSignedBy } from '../pki/signed-by';
import type { Pair } from '../pki/signer';
import { archiveOf } from './archive';
import { nodePlaceOf } from './cluster-place';
import { desiredLeaves } from './desired';
import { isUnspecified } from './names';
import { keptLeaf } from './kept-leaf';
import type { KeepQuestion } from './kept-leaf';
import { profileFor, withUnexplained } from './profile-for';
import type { ClusterPlace } from './desired';
import type { SigningAuthorities, SigningAuthority } from './signing-authorities';
import { SignerAway } from './errors';
import type { ToldNode } from './told-node';

export interface MintInput {
  readonly node: ToldNode;
  readonly cluster: ClusterPlace;
  readonly authorities: SigningAuthorities;
  /**
   * By which keys tokens of service accounts are signed and verified.
   *
   * @default - the lifeboat holds none
   */
  readonly accounts?: AccountKeys | undefined;
  readonly leafValidityDays: number;
  readonly now: Date;
  /**
   * Whether the set has a certificate for the kubelet too, which else renews its own.
   *
   * @default false
   */
  readonly forKubelet?: boolean;
  /**
   * What the node has by now, of which some is kept while an authority is exchanged.
   *
   * @default - everything is issued anew
   */
  readonly keep?: Pick<KeepQuestion, 'present' | 'everyDays'>;
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
  accounts,
  leafValidityDays,
  now,
  forKubelet = false,
  keep,
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
    const wholeNames = withUnexplained(leaf, names, node, cluster.everythingIsKnown);
    const profile = profileFor(leaf, nodeName, wholeNames, node);
    const kept = keep && keptLeaf({ ...keep, leaf, names: wholeNames, node, authorities, accounts, now });
    const served = kept ?? withChain(issueLeaf(signer, profile, { notAfter, now }), authority.chain);
    for (const [path, text] of filesFor(leaf, served, profile.subject.commonName, node, authority)) files.set(path, text);
    certificates.push(noteOf(leaf, served.cert));
  }
  if (certificates.length === 0)
    throw new SignerAway(
      `the lifeboat has no key of any authority that ${node.host} needs: adopt the cluster first; an external CA renews its own`,
    );
  const kubelet = kubeletPair(node, authorities.cluster, { notAfter, now });
  if (kubelet !== undefined) {
    files.set('kubelet/client.pem', `${kubelet.cert}${kubelet.key}`);
    certificates.push(noteOf('kubelet.conf', kubelet.cert));
  }
  for (const [path, text] of [...authorityFiles(node, authorities), ...accountFiles(accounts)]) files.set(path, text);
  const of = <T>(what: (authority: SigningAuthority) => T) =>
    Object.fromEntries(Object.entries(authorities).map(([name, each]) => [name, what(each)]));
  return {
    version: 1,
    node: { instanceId: node.instanceId, host: node.host, nodeName: node.facts.nodeName },
    mintedAt: now.toISOString(),
    signers: of(({ id }) => id),
    certificates,
    trusted: of(({ trusted }) => printBundle(trusted)),
    stamps: { ...of(({ stamp }) => stamp), ...(accounts && { 'service-accounts': accounts.stamp }) },
    ports: servingPorts(node),
    archive: await archiveOf(files),
  };
}

function noteOf(leaf: LeafName, cert: string): NodeSetSecret['certificates'][number] {
  const { sha256, serial, notAfter } = inspect(parseBundle(cert)[0] ?? '');
  return { leaf, sha256, serial, notAfter: notAfter.toISOString() };
}

/**
 * A kubelet renews its certificate after months, and until then is somebody by the generation that is to go: while an authority is exchanged, and
 * wherever one was, it gets one by the generation that signs.
 */
function kubeletPair(
  node: ToldNode,
  authority: SigningAuthority | undefined,
  term: { readonly notAfter: Date; readonly now: Date },
): Pair | undefined {
  const told = node.leaves.get('kubelet.conf');
  if (authority?.key === undefined || !authority.distributed || node.facts.kubelet !== 'refers') return undefined;
  if (told === undefined || told === 'unparsable' || isSignedBy(told.pem, authority.certificate)) return undefined;
  const profile = PROFILES['kubelet.conf']({ nodeName: node.facts.nodeName });
  return withChain(issueLeaf({ cert: authority.certificate, key: authority.key }, profile, term), authority.chain);
}

/** Whoever trusts the generation before alone finds the way to it in what is served. */
const withChain = ({ cert, key }: Pair, chain: readonly string[]): Pair => ({
  cert: chain.length === 0 ? cert : printBundle([cert, ...chain]),
  key,
});

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

/**
 * What the node is to trust of each authority that was ever exchanged, with the key of the one that signs where the node has keys of authorities, as
 * kubeadm's first nodes do: a certificate beside the key of another would stop kubeadm there. The controller-manager's signer has files of its own.
 */
function authorityFiles({ facts }: ToldNode, authorities: SigningAuthorities): [string, string][] {
  const { cluster, etcd, frontProxy } = facts.authorityKeys;
  const hasKey: Readonly<Record<AuthorityName, boolean>> = { cluster, etcd, 'front-proxy': frontProxy };
  const files: [string, string][] = [];
  const restarts = new Set<string>();
  for (const name of AuthorityName.options) {
    const authority = authorities[name];
    if (authority?.distributed !== true) continue;
    const { certificate, key, trusted } = authority;
    files.push([`pki/${AUTHORITY_FILES[name]}.crt`, printBundle(trusted)]);
    if (hasKey[name] && key !== undefined) files.push([`pki/${AUTHORITY_FILES[name]}.key`, key]);
    if (name === 'cluster' && signsByItsOwn(facts) && key !== undefined)
      files.push(['pki/signer/ca.crt', certificate], ['pki/signer/ca.key', key]);
    for (const each of authority.restarts) restarts.add(each);
  }
  return restarts.size === 0 ? files : [...files, ['restarts', [...restarts].map((each) => `${each}\n`).join('')]];
}

/** Nothing for a pair that was never exchanged, which lies on its nodes. Whoever reads these files does so at its start, and the node sees to that. */
function accountFiles(accounts: AccountKeys | undefined): [string, string][] {
  if (accounts?.distributed !== true) return [];
  const { publicKeys, privateKey } = accounts;
  return [['pki/sa.pub', publicKeys], ...(privateKey === undefined ? [] : [['pki/sa.key', privateKey] as [string, string]])];
}

/** As split-signer leaves it. What an operator arranged by hand is his. */
export const signsByItsOwn = ({ controllerManager }: Pick<ToldNode['facts'], 'controllerManager'>): boolean =>
  controllerManager.signingCertFile?.endsWith('/signer/ca.crt') ?? false;

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
