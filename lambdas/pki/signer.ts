import type { KeyObject } from 'node:crypto';
import { SignerUnusable } from './errors';
import { basicConstraintsOf, extensionOf, keyIdOf, keyUsagesOf } from './extensions';
import { Oid } from './oids';
import { privateKeyOf, requireRsa } from './keys';
import type { ReadCertificate } from './read-certificate';
import { readCertificate } from './read-certificate';

/** PEM texts of a certificate and of its key. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority that may sign now. */
export interface Signer {
  readonly cert: string;
  readonly key: KeyObject;
  /** DER of its name, as it must stand in what it signs. */
  readonly name: Buffer;
  readonly keyId: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Why an authority cannot sign: all reasons, none when it can. */
function obstacles({ fields }: ReadCertificate, now: Date): readonly string[] {
  const [from, to] = [fields.notBefore.date, fields.notAfter.date];
  const usages = keyUsagesOf(fields);
  return [
    ...(basicConstraintsOf(fields)?.isCa === true ? [] : ['is not an authority']),
    // Without the extension a key may be used for everything (RFC 5280, 4.2.1.3).
    ...(extensionOf(fields, Oid.keyUsage) === undefined || usages.includes('keyCertSign') ? [] : ['may not sign certificates']),
    ...(now < from ? [`is valid only from ${from.toISOString()}`] : []),
    ...(now >= to ? [`ended ${to.toISOString()}`] : []),
  ];
}

/**
 * Takes an authority to sign with: one of this room, or one that kubeadm made.
 *
 * @throws SignerUnusable with all that speaks against it
 * @throws UnsupportedKey when its key is not RSA
 */
export function openSigner({ cert, key }: Pair, now: Date, what = 'the authority'): Signer {
  const read = readCertificate(cert, what);
  requireRsa(read.x509.publicKey, what);
  const wrong = obstacles(read, now);
  if (wrong.length > 0) throw new SignerUnusable(`${what} cannot sign at ${now.toISOString()}: it ${wrong.join(', ')}: give another`);
  const privateKey = privateKeyOf(key, what);
  if (!read.x509.checkPrivateKey(privateKey)) {
    throw new SignerUnusable(`the private key given for ${what} belongs to another certificate: give the key that lies beside it`);
  }
  const { fields } = read;
  return {
    cert,
    key: privateKey,
    name: fields.subject.der,
    keyId: keyIdOf(fields),
    notBefore: fields.notBefore.date,
    notAfter: fields.notAfter.date,
  };
}

/**
 * Refuses an old authority under which another one could not stand (roots of kubeadm have neither limit).
 *
 * @throws SignerUnusable
 */
export function requireCrossSigning(cert: string, what: string): void {
  const { fields } = readCertificate(cert, what);
  if (basicConstraintsOf(fields)?.pathLength === 0) {
    throw new SignerUnusable(`${what} has pathlen:0, so nobody would accept another authority below it: rotate without cross-signing`);
  }
  if (extensionOf(fields, Oid.nameConstraints) !== undefined) {
    throw new SignerUnusable(`${what} has name constraints, which would bind the new authority too: rotate without cross-signing`);
  }
}
