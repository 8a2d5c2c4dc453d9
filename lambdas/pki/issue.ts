import type { KeyObject } from 'node:crypto';
import type { AuthorityName } from '../contract/certificate-names';
import { checked } from './checked';
import { SignerUnusable } from './errors';
import { basicConstraintsOf, keyIdOf } from './extensions';
import { newRsaKey, privateKeyOf, requireRsa, spkiOf } from './keys';
import type { LeafProfile } from './profiles';
import { AUTHORITY_KEY_USAGE, LEAF_KEY_USAGE } from './profiles';
import { commonNameOf } from './certificate-fields';
import { readCertificate } from './read-certificate';
import { newKeyId, signCertificate, writeName } from './sign-certificate';
import type { Pair, Signer } from './signer';
import { openSigner, requireCrossSigning } from './signer';
import type { Validity } from './validity';
import { validityOf } from './validity';

export interface Issued extends Validity {
  /** PEM. */
  readonly cert: string;
}

export interface IssuedPair extends Issued, Pair {}

export interface Term {
  /** The end that is wished for: the certificate tells the one that it got. */
  readonly notAfter: Date;
  readonly now: Date;
}

export interface KeyChoice {
  /** PEM of the private key to use. @default - a new one */
  readonly key?: string;
  /** Size of a new key. @default 2048 */
  readonly bits?: number;
}

/** kubeadm's common names. */
const AUTHORITY_NAMES: Readonly<Record<AuthorityName, string>> = {
  cluster: 'kubernetes',
  etcd: 'etcd-ca',
  'front-proxy': 'front-proxy-ca',
};

/**
 * The common name of an authority: `kubernetes-g7-1f0c9a2e`, kubeadm's own name with the generation and the begin of its key's id.
 *
 * Two authorities must never share a name: under one DN OpenSSL and Node try the wrong key and fail where Go passes, and the list of acceptable
 * authorities in a TLS handshake, by which a rotation proves what a server trusts, tells names and nothing else. The generation alone would
 * repeat when a minting is repeated; the key's id cannot. All in the common name, since that is what every tool shows, and without `@` or `_`.
 */
const commonNameFor = (authority: AuthorityName, generation: number, keyId: Buffer): string =>
  `${AUTHORITY_NAMES[authority]}-g${generation}-${keyId.toString('hex', 0, 4)}`;

function keyOf({ key, bits }: KeyChoice, what: string): { readonly pem: string; readonly object: KeyObject; readonly spki: Buffer } {
  const pem = key ?? newRsaKey(bits);
  const object = privateKeyOf(pem, what);
  requireRsa(object, what);
  return { pem, object, spki: spkiOf(object) };
}

export interface NewAuthority extends Term, KeyChoice {
  /** 1 for the first that this product mints, whatever kubeadm made before. */
  readonly generation: number;
}

/**
 * A root of a new generation, as kubeadm makes them but for its name.
 *
 * @throws BadLeafInput, UnsupportedKey, MintedBadly
 */
export function newAuthority(authority: AuthorityName, { generation, notAfter, now, ...choice }: NewAuthority): IssuedPair {
  const { pem, object, spki } = keyOf(choice, `the new ${authority} authority`);
  const keyId = newKeyId(spki);
  const commonName = commonNameFor(authority, generation, keyId);
  const name = writeName({ commonName });
  const validity = validityOf(notAfter, now);
  const content = { issuer: name, subject: name, publicKey: spki, subjectKeyId: keyId, authorityKeyId: keyId, ...validity };
  const sans = { dns: [commonName], ips: [] };
  const cert = signCertificate({ ...content, isCa: true, ku: AUTHORITY_KEY_USAGE, sans }, object);
  checked({ cert, key: pem, issuer: cert, expected: { role: 'authority' } });
  return { cert, key: pem, ...validity };
}

/** Signs for a public key, DER; `key` is its private one where that is ours too. */
export function certifyKey(signer: Signer, publicKey: Buffer, profile: LeafProfile, { notAfter, now }: Term, key?: string): Issued {
  const validity = validityOf(notAfter, now, signer);
  const cert = signCertificate(
    {
      issuer: signer.name,
      subject: writeName(profile.subject),
      publicKey,
      isCa: false,
      ku: LEAF_KEY_USAGE,
      eku: profile.eku,
      ...(profile.sans && { sans: profile.sans }),
      subjectKeyId: newKeyId(publicKey),
      authorityKeyId: signer.keyId,
      ...validity,
    },
    signer.key,
  );
  checked({ cert, issuer: signer.cert, expected: { role: 'leaf', profile }, ...(key !== undefined && { key }) });
  return { cert, ...validity };
}

/**
 * A leaf with its key. It never outlives its signer: `capped` tells when the wish was for longer.
 *
 * @throws SignerUnusable, UnsupportedKey, BadLeafInput, MintedBadly
 */
export function issueLeaf(by: Pair, profile: LeafProfile, { notAfter, now, ...choice }: Term & KeyChoice): IssuedPair {
  const signer = openSigner(by, now);
  const { pem, spki } = keyOf(choice, `the leaf for ${profile.subject.commonName}`);
  return { ...certifyKey(signer, spki, profile, { notAfter, now }, pem), key: pem };
}

/** @throws SignerUnusable unless it is a root: an authority that signed itself */
function readRoot(cert: string, what: string) {
  const read = readCertificate(cert, what);
  requireRsa(read.x509.publicKey, what);
  if (basicConstraintsOf(read.fields)?.isCa !== true || !read.x509.checkIssued(read.x509) || !read.x509.verify(read.x509.publicKey)) {
    throw new SignerUnusable(`${what} is not an authority that signed itself: give the new root`);
  }
  return read;
}

/**
 * The new root's name and key, signed by the old one: servers that send it after their leaf are accepted by whoever trusts either of the two.
 * Ends with the new root, or with the old one when that is earlier.
 *
 * @throws SignerUnusable, UnsupportedKey, BadLeafInput, MintedBadly
 */
export function crossSign(next: Pick<Pair, 'cert'>, by: Pair, { now, notAfter }: Pick<Term, 'now'> & Partial<Term>): Issued {
  const root = readRoot(next.cert, 'the new authority');
  const { subject, publicKey, notAfter: end } = root.fields;
  const signer = openSigner(by, now, 'the old authority');
  requireCrossSigning(by.cert, 'the old authority');
  if (signer.name.equals(subject.der)) {
    const name = commonNameOf(subject) ?? '';
    throw new SignerUnusable(
      `old and new authority are both called ${name}, so that clients could not tell them apart: mint the new one by newAuthority`,
    );
  }
  const wish = notAfter === undefined || notAfter > end.date ? end.date : notAfter;
  const validity = validityOf(wish, now, signer);
  const ids = { subjectKeyId: keyIdOf(root.fields), authorityKeyId: signer.keyId };
  const content = { issuer: signer.name, subject: subject.der, publicKey: publicKey.der, isCa: true, ku: AUTHORITY_KEY_USAGE };
  const cert = signCertificate({ ...content, ...ids, ...validity }, signer.key);
  checked({ cert, issuer: by.cert, expected: { role: 'authority' } });
  return { cert, ...validity };
}
