import { Oid } from '../../lambdas/pki/oids';
import type { Pair } from '../../lambdas/pki/signer';
import { oid, sequence, setOf } from '../../lambdas/pki/write-der';
import { authority } from './pki-world';
import { remake, string, without } from './remake';

export const printable = (text: string): Buffer => sequence(setOf(sequence(oid(Oid.commonName), string(0x13, text))));

/** As kubeadm makes it: called `kubernetes`, in a PrintableString, and with no key id of its authority, since Go leaves that out of roots. */
export function kubeadmAuthority(generation = 1): Pair {
  const { cert, key } = authority('cluster', generation);
  const name = printable('kubernetes');
  const change = (parts: Parameters<Parameters<typeof remake>[2]>[0]) => ({
    issuer: name,
    subject: name,
    extensions: without(parts, Oid.authorityKeyId),
  });
  return { cert: remake(cert, key, change), key };
}
