import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { SignerUnusable, UnsupportedKey } from './errors';

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P256', secp384r1: 'P384', secp521r1: 'P521' };

/** In the words of kubeadm's `encryptionAlgorithm`: RSA-2048, ECDSA-P256 … */
export function keyTypeOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'rsa') return `RSA-${modulusLength}`;
  if (asymmetricKeyType === 'ec') return `ECDSA-${CURVES[namedCurve] ?? namedCurve}`;
  return asymmetricKeyType?.toUpperCase() ?? 'unknown';
}

/** Less is refused by OpenSSL's security level 2, the default of Debian and Ubuntu. */
export const MIN_RSA_BITS = 2048;

/** @throws UnsupportedKey that tells which setting of kubeadm made such a key */
export function requireRsa(key: KeyObject, what: string): void {
  const type = keyTypeOf(key);
  if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS) return;
  const cause = type.startsWith('ECDSA-') ? `, as kubeadm makes it when encryptionAlgorithm is ${type}` : '';
  throw new UnsupportedKey(`${what} has a key of kind ${type}${cause}: only RSA of ${MIN_RSA_BITS} bits or more is supported`);
}

/** PKCS #1, as kubeadm writes keys. OpenSSL inside Node makes one in about 50 ms. */
export function newRsaKey(bits = MIN_RSA_BITS): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return privateKey;
}

/** @throws SignerUnusable, without a word of the text, when it is no key */
export function privateKeyOf(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // No cause: it may tell of the text, which is a secret.
    throw new SignerUnusable(`the private key of ${what} cannot be read: give it as unencrypted PEM`);
  }
}

export const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
