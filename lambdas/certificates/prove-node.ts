import type { NodeSetSecret } from '../contract/certificates';
import { LEAVES } from '../contract/certificate-names';
import type { Port, Served } from '../ports/served-certificate';
import { filesOf } from './archive';
import type { Files } from './archive';

export type Handshake = (port: Port) => Promise<Served>;

export interface NodeProof {
  readonly proven: boolean;
  readonly because: string[];
}

/** By whose pair each port is tried: etcd's members show each other their own, and the API server lets its clients in by HTTP. */
const CLIENT_OF = {
  apiserver: 'apiserver-kubelet-client',
  'etcd/server': 'apiserver-etcd-client',
  'etcd/peer': 'etcd/peer',
} as const;

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
  const tries = set.ports.flatMap((port) => {
    const clients = [
      ['the new client certificate', pairOf(files, port.leaf)] as const,
      ['the client certificate before it', hasEnded(former, port.leaf, now) ? undefined : pairOf(before, port.leaf)] as const,
    ].filter(([, pair]) => pair !== undefined);
    return (clients.length === 0 ? [['nobody', undefined] as const] : clients).map(([name, client]) =>
      tryPort(set, port, name, client, handshake),
    );
  });
  const all = await Promise.all(tries);
  const wrong = all.filter(({ well }) => !well);
  return { proven: wrong.length === 0, because: (wrong.length === 0 ? all : wrong).map(({ line }) => line) };
}

/** What has ended lets nobody in any more, with or without a rotation. */
const hasEnded = (set: NodeSetSecret | undefined, leaf: keyof typeof CLIENT_OF, now: Date): boolean =>
  set?.certificates.some((each) => each.leaf === CLIENT_OF[leaf] && new Date(each.notAfter) <= now) ?? false;

function pairOf(files: Files | undefined, leaf: keyof typeof CLIENT_OF): Port['client'] {
  const cert = files?.get(`pki/${CLIENT_OF[leaf]}.crt`);
  const key = files?.get(`pki/${CLIENT_OF[leaf]}.key`);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

async function tryPort(
  set: NodeSetSecret,
  { leaf, host, port }: NodeSetSecret['ports'][number],
  name: string,
  client: Port['client'],
  handshake: Handshake,
): Promise<{ readonly well: boolean; readonly line: string }> {
  const ca = set.trusted[LEAVES[leaf].authority] ?? '';
  const wanted = set.certificates.find((each) => each.leaf === leaf);
  const served = await handshake({ host, port, ca, ...(client && { client }), ...(leaf === 'apiserver' && { path: '/readyz' }) });
  const place = `${leaf} at ${host}:${port}`;
  if (wanted !== undefined && served.sha256 !== wanted.sha256)
    return {
      well: false,
      line: `${place} serves ${served.sha256?.slice(0, 16) ?? 'nothing'}, not ${wanted.sha256.slice(0, 16)} (${served.because})`,
    };
  if (!served.accepted) return { well: false, line: `${place}, tried by ${name}: ${served.because}` };
  return { well: true, line: `${place} serves serial ${wanted?.serial ?? 'as before'} and accepts ${name}` };
}
