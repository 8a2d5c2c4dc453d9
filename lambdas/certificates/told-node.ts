import { publicKeyId } from '../accounts/key-id';
import { AUTHORITY_FILES, AuthorityName, LEAF_NAMES, LEAVES } from '../contract/certificate-names';
import type { LeafName } from '../contract/certificate-names';
import type { CertificateFacts } from '../contract/node-certificates';
import type { RunbookNode } from '../contract/restore';
import { parseBundle } from '../pki/bundle';
import { inspect } from '../pki/inspect';
import type { InspectedCertificate } from '../pki/inspect';
import { filesOf } from './archive';

/** A certificate that a node has. */
export interface ToldCertificate {
  readonly pem: string;
  readonly view: InspectedCertificate;
}

/** What a node said of its PKI, read. */
export interface ToldNode extends RunbookNode {
  readonly facts: Omit<CertificateFacts, 'archive'>;
  /** The first certificate of each leaf; `'unparsable'` where the file holds none. */
  readonly leaves: ReadonlyMap<LeafName, ToldCertificate | 'unparsable'>;
  /** PEM of what follows the leaf in its file. */
  readonly chains: ReadonlyMap<LeafName, readonly string[]>;
  /** Every certificate in the file of each authority, in its order. */
  readonly authorities: ReadonlyMap<AuthorityName, readonly ToldCertificate[] | 'unparsable'>;
  /** Which authority each kubeconfig trusts, by SHA-256 of its DER, and which server it names. */
  readonly kubeconfigs: ReadonlyMap<LeafName, { readonly server: string; readonly trusts: readonly string[] }>;
  /** SHA-256 of the public keys of service accounts, as SPKI: `id` of the first, `keys` of all that verify here, in their order. */
  readonly serviceAccounts: { readonly id: string; readonly publicKey: string; readonly keys: readonly string[] } | undefined;
  /** ClusterConfiguration as kubeadm keeps it; only where the API answered. */
  readonly kubeadmConfig: string | undefined;
}

/** @throws PkiUnusable when what it packed is no archive */
export async function toldNodeOf(node: RunbookNode, { archive, ...facts }: CertificateFacts): Promise<ToldNode> {
  const files = await filesOf(archive, `what ${node.host} told of its certificates`);
  const leafFile = (leaf: LeafName): string => (LEAVES[leaf].kind === 'file' ? `pki/${leaf}.crt` : `kubeconfigs/${leaf}.crt`);
  const leaves = entries(LEAF_NAMES, (leaf) => {
    const pem = files.get(leafFile(leaf));
    return pem === undefined ? undefined : (certificatesIn(pem)?.[0] ?? 'unparsable');
  });
  const chains = entries(LEAF_NAMES, (leaf) =>
    certificatesIn(files.get(leafFile(leaf)) ?? '')
      ?.slice(1)
      .map(({ pem }) => pem),
  );
  const authorities = entries(AuthorityName.options, (authority) => {
    const pem = files.get(`pki/${AUTHORITY_FILES[authority]}.crt`);
    return pem === undefined ? undefined : (certificatesIn(pem) ?? 'unparsable');
  });
  const kubeconfigs = entries(LEAF_NAMES, (leaf) => {
    const server = files.get(`kubeconfigs/${leaf}.server`);
    if (server === undefined) return undefined;
    return {
      server: server.trim(),
      trusts: (certificatesIn(files.get(`kubeconfigs/${leaf}.ca.crt`) ?? '') ?? []).map(({ view }) => view.sha256),
    };
  });
  return {
    ...{ instanceId: node.instanceId, host: node.host, facts, leaves, chains, authorities, kubeconfigs },
    serviceAccounts: serviceAccountsOf(files.get('pki/sa.pub')),
    kubeadmConfig: files.get('kubeadm-config.yaml'),
  };
}

/** Undefined when the text holds no certificate, or one that cannot be read. */
function certificatesIn(pem: string): ToldCertificate[] | undefined {
  try {
    const all = parseBundle(pem).map((each) => ({ pem: each, view: inspect(each) }));
    return all.length === 0 ? undefined : all;
  } catch {
    return undefined; // judged as unparsable, whatever the reason
  }
}

function serviceAccountsOf(file: string | undefined): ToldNode['serviceAccounts'] {
  if (file === undefined) return undefined;
  try {
    const all = file.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\n?/g) ?? [];
    const [publicKey = file] = all;
    return { id: publicKeyId(publicKey), publicKey, keys: all.map(publicKeyId) };
  } catch {
    return undefined; // as if there were none: compared and named as missing
  }
}

function entries<K, V>(keys: readonly K[], valueOf: (key: K) => V | undefined): ReadonlyMap<K, V> {
  return new Map(
    keys.flatMap((key): [K, V][] => {
      const value = valueOf(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
