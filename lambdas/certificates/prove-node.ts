import type { NodeSetSecret } from '../contract/certificates';
import { LEAVES } from '../contract/certificate-names';
import type { Port, Served } from '../ports/served-certificate';
import { filesOf } from './archive';
import type { Files } from './archive';

export type Handshake = (port: Port) => Promise<Served>;

export interface NodeProof {
  readonly proven: boolean;
  /** Whether every port answered with a certificate, be it one of the set or another. */
  readonly reached: boolean;
  readonly because: string[];
}

/** By whose pair each port is tried: etcd's members show each other their own, and the API server lets its clients in by HTTP. */
const CLIENT_OF = {
  apiserver: 'apiserver-kubelet-client',
  'etcd/server': 'apiserver-etcd-client',
  'etcd/peer': 'etcd/peer',
} as const;

/** Whoever may administer the cluster may read it, and who is nobody may not: /readyz is answered to everybody. */
const API_PATH = '/api/v1/namespaces/kube-system';

/**
 * Whether the ports of a node serve a set, and accept both its client certificates and those of the set before, which every process still uses
 * that has not read the new ones yet. By fresh handshakes: a connection that is open lives by what was agreed when it began.
 *
 * @throws PkiUnusable when a set is not what the lifeboat puts into a secret
 */
export async function proveNode(
  set: NodeSetSecret,
  former: NodeSetSecret | undefined,
  handshake: Handshake,
  now: Date,
): Promise<NodeProof> {
  const [files, before] = await Promise.all(
    [set, former].map(async (each) => each && filesOf(each.archive, `the set of ${each.node.host}`)),
  );
  const tried = await Promise.all(
    set.ports.map(async (port): Promise<TriedPort> => {
      const beforeIt = hasEnded(former, port.leaf, now) ? undefined : pairOf(before, port.leaf);
      const [byNew, byFormer] = await Promise.all([
        tryPort(set, port, pairOf(files, port.leaf), handshake),
        beforeIt && tryPort(set, port, beforeIt, handshake),
      ]);
      return { port, wanted: set.certificates.find(({ leaf }) => leaf === port.leaf), byNew, byFormer };
    }),
  );
  const wrong = tried.flatMap(mistakesOf);
  return {
    proven: wrong.length === 0,
    reached: tried.every(({ byNew }) => byNew.sha256 !== undefined),
    because: wrong.length === 0 ? tried.map(praise) : wrong,
  };
}

interface TriedPort {
  readonly port: NodeSetSecret['ports'][number];
  /** What the set has for it; nothing where an external CA signs. */
  readonly wanted: NodeSetSecret['certificates'][number] | undefined;
  /** Tried with the client certificate of the set; with none where the set has none. */
  readonly byNew: Served;
  /** Tried with the one of the set before, as long as that is valid. */
  readonly byFormer: Served | undefined;
}

const FORBIDDEN = 403;

function mistakesOf({ port: { leaf, host, port }, wanted, byNew, byFormer }: TriedPort): string[] {
  const place = `${leaf} at ${host}:${port}`;
  if (wanted !== undefined && byNew.sha256 !== wanted.sha256)
    return [`${place} serves ${byNew.sha256?.slice(0, 16) ?? 'nothing'}, not ${wanted.sha256.slice(0, 16)} (${byNew.because})`];
  return [
    ...(byNew.accepted ? [] : [`${place}, tried by the new client certificate: ${byNew.because}`]),
    ...(byFormer === undefined || byFormer.accepted ? [] : [`${place}, tried by the client certificate before it: ${byFormer.because}`]),
    // Known, and without the rights that its group should bring: it must not be worse off than the one before.
    ...(byNew.status === FORBIDDEN && byFormer?.status !== FORBIDDEN
      ? [`${place} answers ${FORBIDDEN} to the new client certificate: the group in it has no rights there`]
      : []),
  ];
}

const praise = ({ port: { leaf, host, port }, wanted, byFormer }: TriedPort): string =>
  `${leaf} at ${host}:${port} serves serial ${wanted?.serial ?? 'as before'} and accepts the new client certificate${byFormer === undefined ? '' : ' and the one before it'}`;

/** What has ended lets nobody in any more, with or without a rotation. */
const hasEnded = (set: NodeSetSecret | undefined, leaf: keyof typeof CLIENT_OF, now: Date): boolean =>
  set?.certificates.some((each) => each.leaf === CLIENT_OF[leaf] && new Date(each.notAfter) <= now) ?? false;

function pairOf(files: Files | undefined, leaf: keyof typeof CLIENT_OF): Port['client'] {
  const cert = files?.get(`pki/${CLIENT_OF[leaf]}.crt`);
  const key = files?.get(`pki/${CLIENT_OF[leaf]}.key`);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function tryPort(
  set: NodeSetSecret,
  { leaf, host, port }: NodeSetSecret['ports'][number],
  client: Port['client'],
  handshake: Handshake,
): Promise<Served> {
  const ca = set.trusted[LEAVES[leaf].authority] ?? '';
  return handshake({ host, port, ca, ...(client && { client }), ...(leaf === 'apiserver' && { path: API_PATH }) });
}
