import { filesOf } from '../certificates/archive';
import { RotationRefused } from '../certificates/errors';
import type { NodeSetSecret } from '../contract/certificates';
import type { ApiPlace } from '../kubernetes/api-client';

/** kubeadm gives it the group that may do everything (certlist.go). */
const ASKS_AS = 'apiserver-kubelet-client';

/**
 * By whom the API is asked: the client for kubelets out of the set of a node.
 *
 * @throws RotationRefused when there is none in the set, PkiUnusable when the set is no archive
 */
export async function credentialsOf(set: NodeSetSecret | undefined, secretId: string): Promise<Pick<ApiPlace, 'ca' | 'client'>> {
  const files = set && (await filesOf(set.archive, `the set of ${set.node.host}`));
  const [cert, key, ca] = [files?.get(`pki/${ASKS_AS}.crt`), files?.get(`pki/${ASKS_AS}.key`), set?.trusted.cluster];
  if (cert === undefined || key === undefined || ca === undefined)
    throw new RotationRefused(`secret ${secretId} has no set with ${ASKS_AS}: rotate it first`);
  return { ca, client: { cert, key } };
}
