import type { NodeSeen } from '../authorities/observation';
import type { AuthorityRotation } from '../contract/authority-rotation';
import type { CertificateFacts } from '../contract/node-certificates';

/**
 * What a node told of the log of its etcd.
 *
 * @param since more of those that were refused than are told matter only where all that are told were refused since then
 */
export function etcdLogOf({ etcdRefused, clock }: Pick<CertificateFacts, 'etcdRefused' | 'clock'>, since: Date): Pick<NodeSeen, 'etcdLog'> {
  if (etcdRefused === undefined || etcdRefused === null) return {};
  const refused = etcdRefused.refused.map(({ port, address, firstAt, lastAt, error }) => ({
    ...{ port, address, error },
    firstAt: new Date(firstAt * 1_000),
    quietSeconds: Math.max(0, clock - lastAt),
  }));
  const more = etcdRefused.more > 0 && etcdRefused.refused.every(({ lastAt }) => lastAt * 1_000 >= since.getTime());
  return { etcdLog: { refused, more } };
}

/**
 * Who was refused before has other reasons: before the exchange began, and once it distrusts before that. Who is refused for what happened between is
 * named to whoever approves the distrust.
 */
export const refusedSince = ({ since, distrustBegan }: Pick<AuthorityRotation, 'since' | 'distrustBegan'>): Date =>
  new Date(distrustBegan ?? since);
