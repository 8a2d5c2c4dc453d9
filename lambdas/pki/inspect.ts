import { createHash } from 'node:crypto';
import type { AltNames } from './alt-names';
import { parseBundle } from './bundle';
import type { Name } from './certificate-fields';
import { commonNameOf, printName, textsOf } from './certificate-fields';
import { authorityKeyIdOf, basicConstraintsOf, extendedUsagesOf, keyUsagesOf, subjectKeyIdOf, writtenAltNames } from './extensions';
import { printIp } from './ip-address';
import { keyTypeOf } from './keys';
import type { KeyUsage } from './oids';
import { Oid } from './oids';
import type { ReadCertificate } from './read-certificate';
import { readCertificate } from './read-certificate';

export interface InspectedName {
  /** `O=system:masters, CN=kubernetes-admin`, in the order written. */
  readonly text: string;
  readonly commonName: string | undefined;
  readonly organizations: readonly string[];
  /** Hexadecimal DER: two names are the same to a TLS client only when these bytes are. */
  readonly der: string;
}

/** What a certificate says. Ids and digests are lower-case hexadecimal. */
export interface InspectedCertificate {
  readonly subject: InspectedName;
  readonly issuer: InspectedName;
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly sans: AltNames;
  /** `serverAuth`, `clientAuth`, or dotted. */
  readonly eku: readonly string[];
  readonly ku: readonly KeyUsage[];
  readonly isCa: boolean;
  readonly aki: string | undefined;
  readonly ski: string | undefined;
  /** Of the whole certificate. */
  readonly sha256: string;
  /** Of the public key, as in `--discovery-token-ca-cert-hash sha256:…`. */
  readonly publicKeySha256: string;
  /** In the words of kubeadm's `encryptionAlgorithm`: RSA-2048, ECDSA-P256 … */
  readonly keyType: string;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const inspectName = (name: Name): InspectedName => ({
  text: printName(name),
  commonName: commonNameOf(name),
  organizations: textsOf(name, Oid.organization),
  der: name.der.toString('hex'),
});

function told({ fields, x509 }: ReadCertificate): InspectedCertificate {
  const names = writtenAltNames(fields);
  return {
    subject: inspectName(fields.subject),
    issuer: inspectName(fields.issuer),
    serial: fields.serial.toString('hex'),
    notBefore: fields.notBefore.date,
    notAfter: fields.notAfter.date,
    sans: { dns: names?.dns.map((name) => name.toString('latin1')) ?? [], ips: names?.ips.map(printIp) ?? [] },
    eku: extendedUsagesOf(fields),
    ku: keyUsagesOf(fields),
    isCa: basicConstraintsOf(fields)?.isCa ?? false,
    aki: authorityKeyIdOf(fields)?.toString('hex'),
    ski: subjectKeyIdOf(fields)?.toString('hex'),
    sha256: sha256(fields.der),
    publicKeySha256: sha256(fields.publicKey.der),
    keyType: keyTypeOf(x509.publicKey),
  };
}

/**
 * Says what the one certificate of a PEM text says, of whatever key and age; whether that is right is for `lint` to tell.
 *
 * @throws CertificateUnreadable when it is not exactly one certificate that can be read
 * @throws BundleDamaged when it is no PEM
 */
export const inspect = (pem: string, what = 'the certificate'): InspectedCertificate => told(readCertificate(pem, what));

/** The same of every certificate of a bundle or of a chain, in its order. */
export const inspectAll = (pem: string, what = 'the bundle'): readonly InspectedCertificate[] =>
  parseBundle(pem, what).map((one) => inspect(one, what));
