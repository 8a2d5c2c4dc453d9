import { publicKeyId } from '../accounts/key-id';
import { newPair } from '../accounts/new-pair';
import { AUTHORITY_FILES, AuthorityName } from '../contract/certificate-names';
import { authoritySecretName, serviceAccountsSecretName } from '../contract/certificates';
import { newAuthority } from '../pki/issue';
import { inspect } from '../pki/inspect';
import { inYears } from '../pki/validity';
import { AdoptionRefused } from './errors';
import type { TakeOverEdges } from './take-over';

/**
 * Makes the authorities of a cluster that does not exist yet. One that an earlier, cut-short run made stays as it is.
 *
 * @throws AdoptionRefused when all of them are there: they are in use, or were never given to kubeadm
 */
export async function mintAuthorities(
  { secrets, now }: TakeOverEdges,
  caValidityYears: number,
): Promise<{ readonly changed: readonly string[] }> {
  const changed: string[] = [];
  const since = now().toISOString();
  for (const authority of AuthorityName.options) {
    if ((await secrets.authority(authority)) !== undefined) continue;
    const { cert, key } = newAuthority(authority, { generation: 1, notAfter: inYears(now(), caValidityYears), now: now() });
    const id = inspect(cert).sha256;
    await secrets.putAuthority({ version: 1, authority, generations: [{ id, certificate: cert, key, since }], issuing: id });
    changed.push(authority);
  }
  if ((await secrets.serviceAccounts()) === undefined) {
    const { publicKey, privateKey } = await newPair();
    const id = publicKeyId(publicKey);
    await secrets.putServiceAccounts({ version: 1, generations: [{ id, publicKey, privateKey, since }], issuing: id });
    changed.push('service-accounts');
  }
  if (changed.length > 0) return { changed };
  throw new AdoptionRefused('every authority of this cluster is in its secret already: nothing was minted; {} adopts what the nodes have');
}

/** How a new cluster is given what was minted: kubeadm keeps every CA that it finds (kubeadm.k8s.io, custom certificates). */
export function seedSteps(cluster: string): string[] {
  const get = (secret: string, field: string, file: string): string =>
    `aws secretsmanager get-secret-value --secret-id ${secret} --query SecretString --output text | jq -r '.generations[-1].${field}' > ${file}`;
  const files = AuthorityName.options.flatMap((authority) => {
    const secret = authoritySecretName(cluster, authority);
    const file = AUTHORITY_FILES[authority];
    return [get(secret, 'certificate', `pki/${file}.crt`), get(secret, 'key', `pki/${file}.key`)];
  });
  const accounts = serviceAccountsSecretName(cluster);
  return [
    'on a machine with your own credentials, and not by the role of the nodes:',
    'umask 077; mkdir -p pki/etcd',
    ...files,
    get(accounts, 'publicKey', 'pki/sa.pub'),
    get(accounts, 'privateKey', 'pki/sa.key'),
    'copy pki/ to /etc/kubernetes/pki of the first node, run kubeadm init there, and kubeadm join --control-plane on the others as always; delete your copy',
    'when all nodes run, start this execution again with {}: it notes them',
  ];
}
