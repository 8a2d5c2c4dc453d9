import { AuthorityName, LEAVES } from '../contract/certificate-names';
import type { LeafName } from '../contract/certificate-names';
import type { Finding } from '../contract/certificates';
import { shortId } from '../contract/short-id';
import { AdoptionRefused } from './errors';
import type { ToldCertificate, ToldNode } from './told-node';

/** Leaves that are for one node alone: the same one on two nodes was copied. */
const ONE_NODE: readonly LeafName[] = ['apiserver', 'etcd/server', 'etcd/peer'];
/** A clock that was read in the past is never ahead of now, unless it is wrong. */
const MOST_SECONDS_AHEAD = 60;
/** It may have been read long ago, while another node was waited for; what is issued begins five minutes before it is made. */
const MOST_SECONDS_BEHIND = 1800;

/** The one certificate that every node has for an authority. */
export interface SharedAuthority extends ToldCertificate {
  readonly authority: AuthorityName;
  /** Nodes that have its key, too. */
  readonly keyOn: readonly ToldNode[];
}

/**
 * The authorities of a cluster, which must be the same on all nodes: what one signs, every other must trust.
 *
 * @throws AdoptionRefused naming the nodes and the fingerprints when they differ, when a file holds several, or none that can be read
 */
export function sharedAuthorities(nodes: readonly ToldNode[]): SharedAuthority[] {
  return AuthorityName.options.flatMap((authority) => {
    const having = nodes.filter((node) => node.authorities.has(authority));
    if (having.length === 0) return [];
    const found = having.map((node) => ({ node, certificate: onlyOne(node, authority) }));
    const [first] = found;
    if (first === undefined) return [];
    if (found.some(({ certificate }) => certificate.view.sha256 !== first.certificate.view.sha256)) {
      const list = found.map(({ node, certificate }) => `${node.host} ${shortId(certificate.view.sha256)} (until ${day(certificate)})`);
      throw new AdoptionRefused(
        `the nodes have different ${authority} authorities: ${list.join(', ')}; put the right ca.crt and ca.key on all of them and renew what the wrong one signed`,
      );
    }
    if (!first.certificate.view.isCa)
      throw new AdoptionRefused(
        `the ${authority} authority of ${first.node.host} (${first.certificate.view.subject.text}) is no CA certificate`,
      );
    const keyOn = having.filter(({ facts }) => facts.authorityKeys[KEY_OF[authority]]);
    return [{ ...first.certificate, authority, keyOn }];
  });
}

const KEY_OF = { cluster: 'cluster', etcd: 'etcd', 'front-proxy': 'frontProxy' } as const satisfies Record<AuthorityName, string>;

function onlyOne(node: ToldNode, authority: AuthorityName): ToldCertificate {
  const told = node.authorities.get(authority) ?? 'unparsable';
  if (told === 'unparsable')
    throw new AdoptionRefused(`the file of the ${authority} authority on ${node.host} holds no certificate that can be read`);
  const [only, second] = told;
  if (only === undefined || second !== undefined) {
    throw new AdoptionRefused(
      `the file of the ${authority} authority on ${node.host} holds ${told.length} certificates: end the rotation of that CA first, so that one is left`,
    );
  }
  return only;
}

/** @throws AdoptionRefused when nodes sign tokens by different keys */
export function sharedServiceAccounts(nodes: readonly ToldNode[]): { readonly id: string; readonly publicKey: string } | undefined {
  const found = nodes.flatMap((node) => (node.serviceAccounts === undefined ? [] : [{ node, ...node.serviceAccounts }]));
  const [first] = found;
  if (first === undefined) return undefined;
  const others = found.filter(({ id }) => id !== first.id);
  if (others.length > 0) {
    throw new AdoptionRefused(
      `sa.pub of ${others.map(({ node }) => node.host).join(', ')} is not that of ${first.node.host}: a token that one API server signs is refused by another; give all nodes the same sa.key and sa.pub`,
    );
  }
  return { id: first.id, publicKey: first.publicKey };
}

/** What differs between nodes and does harm, but keeps nobody from taking their authorities over. */
export function differences(nodes: readonly ToldNode[], now: Date): Finding[] {
  return [...copied(nodes), ...foreignTrust(nodes), ...lacking(nodes), ...clocks(nodes, now)];
}

/** etcd issue 15949: the members stop talking to each other at the next restart. */
function copied(nodes: readonly ToldNode[]): Finding[] {
  return ONE_NODE.flatMap((leaf) => {
    const byHash = Map.groupBy(
      nodes.flatMap((node) => withCertificate(node, leaf)),
      ({ certificate }) => certificate.view.sha256,
    );
    return [...byHash.values()]
      .filter((same) => same.length > 1)
      .map((same): Finding => {
        const hosts = same.map(({ node }) => node.host).join(', ');
        return {
          severity: 'wrong',
          where: hosts,
          what: `${leaf} is the same certificate on ${hosts}: it was copied, and names at most one of them`,
          fix: 'rotate the certificates: each node gets its own',
        };
      });
  });
}

/** kubeadm issue 2027: a kubeconfig that trusts another authority than the cluster's. */
function foreignTrust(nodes: readonly ToldNode[]): Finding[] {
  return nodes.flatMap((node) => {
    const told = node.authorities.get('cluster');
    if (told === undefined || told === 'unparsable') return [];
    const own = told.map(({ view }) => view.sha256);
    return [...node.kubeconfigs].flatMap(([leaf, { trusts }]): Finding[] => {
      if (trusts.length === 0 || trusts.some((id) => own.includes(id))) return [];
      return [
        { severity: 'wrong', where: node.host, what: `${leaf} does not trust the authority in ca.crt`, fix: 'rotate the certificates' },
      ];
    });
  });
}

/** What some nodes have and others do not, as when a node was added by hand. */
function lacking(nodes: readonly ToldNode[]): Finding[] {
  return AuthorityName.options.flatMap((authority) => {
    const without = nodes.filter((node) => !node.authorities.has(authority) && usesAuthority(node, authority));
    return without.map((node): Finding => ({
      severity: 'wrong',
      where: node.host,
      what: `it has leaves of the ${authority} authority and not its certificate`,
      fix: 'copy the certificate from another node',
    }));
  });
}

const usesAuthority = (node: ToldNode, authority: AuthorityName): boolean =>
  [...node.leaves.keys()].some((leaf) => LEAVES[leaf].authority === authority);

function clocks(nodes: readonly ToldNode[], now: Date): Finding[] {
  return nodes.flatMap((node): Finding[] => {
    const ahead = Math.round(node.facts.clock - now.getTime() / 1000);
    if (ahead <= MOST_SECONDS_AHEAD && ahead >= -MOST_SECONDS_BEHIND) return [];
    const harm = ahead > 0 ? 'it takes certificates for ended that are not' : 'a new certificate is not valid yet on it';
    return [
      {
        severity: 'wrong',
        where: node.host,
        what: `its clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead' : 'behind'}: ${harm}`,
        fix: 'let chrony or systemd-timesyncd set it',
      },
    ];
  });
}

function withCertificate(node: ToldNode, leaf: LeafName): { readonly node: ToldNode; readonly certificate: ToldCertificate }[] {
  const certificate = node.leaves.get(leaf);
  return certificate === undefined || certificate === 'unparsable' ? [] : [{ node, certificate }];
}

const day = ({ view }: ToldCertificate): string => view.notAfter.toISOString().slice(0, 10);
