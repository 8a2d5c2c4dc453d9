import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { AuthorityName } from '../lambdas/contract/certificate-names';
import { issueCertificate } from '../local/etcd/certificates';
import type { Certificate } from '../local/etcd/certificates';
import type { LocalNode } from '../local/nodes';
import type { ApiCredentials } from './api-client';
import { fileOf, signerOf } from './exchanged';
import { administratorOf, podToken } from './outside-clients';
import { authorityOf } from './run-exchange';
import { startSteadyClients } from './steady-clients';
import type { SteadyClients, SteadyRequest } from './steady-clients';
import { TRAFFIC_OBJECT } from './traffic';
import type { World } from './world';

export const TRUSTS_OLD = 'who trusts the old root alone' as const;
export const TRUSTS_NEW = 'who trusts the new root alone' as const;
export const TRUSTS_BOTH = 'who trusts both roots' as const;
export const IS_BY_OLD = 'who is somebody by the old root' as const;
export const FOLLOWS = 'who reads the files of a node anew' as const;
export type ClientName = typeof TRUSTS_OLD | typeof TRUSTS_NEW | typeof TRUSTS_BOTH | typeof IS_BY_OLD | typeof FOLLOWS;

/** Which clients say something about an authority: nobody serves by the one of the front proxy. */
export const clientsOf = (authority: AuthorityName): readonly ClientName[] =>
  authority === 'front-proxy' ? [IS_BY_OLD, FOLLOWS] : [TRUSTS_OLD, TRUSTS_NEW, TRUSTS_BOTH, IS_BY_OLD, FOLLOWS];

/** Clients of one authority, exchange after exchange. What is old and new to them is told to them. */
export interface AuthorityClients extends Pick<SteadyClients<ClientName>, 'seenBy' | 'stop'> {
  /** The old root, PEM. */
  readonly old: string;
  /** What signs at this moment is the old root from now on; until they are told of the new one they trust this alone. */
  begin(): Promise<void>;
  /** There is a new root: who trusts both has it. */
  minted(): Promise<void>;
  /** The new root is served everywhere: who trusts it alone does so from now on. */
  served(): void;
}

/** What is old and what is new, PEM. */
interface Roots {
  readonly old: string;
  /** Of the old root. */
  readonly before: Certificate;
  next?: string;
  newAlone: boolean;
}

/** Starts clients that never stop: of the API for the cluster's authority and the front proxy's, and of each member of etcd in turn for etcd's. */
export async function startAuthorityClients(
  world: World,
  authority: AuthorityName,
  names: readonly ClientName[],
): Promise<AuthorityClients> {
  let roots = await present(world, authority);
  const request = await requestsOf(world, authority);
  const next = (): string => (roots.newAlone ? (roots.next ?? roots.old) : roots.old);
  const both = (): string => roots.old + (roots.next ?? '');
  const all: Record<ClientName, () => SteadyRequest> = {
    [TRUSTS_OLD]: () => request.trusting(roots.old),
    [TRUSTS_NEW]: () => request.trusting(next()),
    [TRUSTS_BOTH]: () => request.trusting(both()),
    // It trusts what there is to be trusted, so that only who it is can be refused.
    [IS_BY_OLD]: () => request.being(roots.before),
    [FOLLOWS]: () => request.following(),
  };
  const clients = Object.fromEntries(names.map((name) => [name, all[name]])) as typeof all;
  const steady = startSteadyClients<ClientName>({ clients, log: `${world.folder}/failed-requests.jsonl` });
  return {
    ...steady,
    get old() {
      return roots.old;
    },
    begin: async () => {
      roots = await present(world, authority);
    },
    minted: async () => {
      const { rotation, generations } = await authorityOf(world, authority);
      const minted = generations.find(({ id }) => id === rotation?.to)?.certificate;
      roots = { ...roots, ...(minted !== undefined && { next: minted }) };
    },
    served: () => {
      roots.newAlone = true;
    },
  };
}

async function present(world: World, authority: AuthorityName): Promise<Roots> {
  const signer = signerOf(await authorityOf(world, authority));
  const before = { ...issueCertificate(signer, SUBJECTS[authority]) };
  return { old: signer.cert, before, newAlone: false };
}

/** As kubeadm names them (certlist.go, kubeconfig.go). */
const SUBJECTS = {
  cluster: { commonName: 'kubernetes-admin', organization: 'kubeadm:cluster-admins', usage: 'client' },
  etcd: { commonName: 'kube-etcd-healthcheck-client', usage: 'client' },
  'front-proxy': { commonName: 'front-proxy-client', usage: 'client' },
} as const;

interface Requests {
  readonly trusting: (ca: string) => SteadyRequest;
  readonly being: (pair: Certificate) => SteadyRequest;
  readonly following: () => SteadyRequest;
}

async function requestsOf({ kubectl, balancer, nodes }: World, authority: AuthorityName): Promise<Requests> {
  const [node] = nodes.nodes;
  if (node === undefined) throw new Error('there is no node');
  const api = (credentials: ApiCredentials): SteadyRequest => ({ url: balancer.url, path: TRAFFIC_OBJECT, credentials });
  const trusted = (): string => administratorOf(node).ca;
  if (authority === 'cluster') {
    const token = await podToken(kubectl);
    return {
      trusting: (ca) => api({ ca, token }),
      being: (pair) => api({ ca: trusted(), ...pair }),
      following: () => api(administratorOf(node)),
    };
  }
  if (authority === 'front-proxy') {
    const read = pairReader(node, 'front-proxy-client');
    const proxied = (pair: Certificate): SteadyRequest => ({ ...api({ ca: trusted(), ...pair }), headers: PROXIED });
    // Nobody serves by this authority: there is nothing to trust.
    return { trusting: () => proxied(read()), being: proxied, following: () => proxied(read()) };
  }
  const read = pairReader(node, 'etcd/healthcheck-client');
  let turn = 0;
  const member = (credentials: ApiCredentials): SteadyRequest => {
    const { clientUrl } = nodes.nodes[turn++ % nodes.nodes.length] ?? node;
    return { url: clientUrl, path: '/health', credentials };
  };
  const roots = (): string => fileOf(node, 'pki/etcd/ca.crt');
  return {
    trusting: (ca) => member({ ca, ...read() }),
    being: (pair) => member({ ca: roots(), ...pair }),
    following: () => member({ ca: roots(), ...read() }),
  };
}

/** Who a proxy says that somebody else is (k8s.io/apiserver/pkg/authentication/request/headerrequest). */
const PROXIED = { 'X-Remote-User': 'e2e', 'X-Remote-Group': 'kubeadm:cluster-admins' };

/** A certificate and its key as they lie on a node. They are renamed into their places one after the other: between the two it is the pair before. */
function pairReader(node: LocalNode, name: string): () => Certificate {
  let last: Certificate | undefined;
  return () => {
    const read = { cert: fileOf(node, `pki/${name}.crt`), key: fileOf(node, `pki/${name}.key`) };
    if (last === undefined || new X509Certificate(read.cert).checkPrivateKey(createPrivateKey(read.key))) last = read;
    return last;
  };
}
