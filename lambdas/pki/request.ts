import type { KeyObject } from 'node:crypto';
import { createPublicKey, verify } from 'node:crypto';
import { oidOfAlgorithm, publicKeyOf } from './certificate-fields';
import { NotDer, Tag, expectTag, octetsOf, readDer, valuesIn } from './der';
import { BundleDamaged, RequestRefused } from './errors';
import type { Issued, Term } from './issue';
import { certifyKey } from './issue';
import { keyTypeOf, requireRsa } from './keys';
import { SAFE_SIGNATURES } from './oids';
import { pemBlocks } from './pem';
import type { LeafProfile } from './profiles';
import type { Pair } from './signer';
import { openSigner } from './signer';

/** What a certificate signing request proves, and nothing that it wishes for. */
export interface ProvenRequest {
  /** SubjectPublicKeyInfo, DER. Whoever asked has its private key. */
  readonly publicKey: Buffer;
  /** RSA-2048, ECDSA-P256 … */
  readonly keyType: string;
}

const LABELS: readonly string[] = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

function derOf(pem: string, what: string): Buffer {
  try {
    const [block, another] = pemBlocks(pem, what);
    if (block !== undefined && another === undefined && LABELS.includes(block.label)) return block.der;
  } catch (error) {
    if (!(error instanceof BundleDamaged)) throw error;
    throw new RequestRefused(error.message, { cause: error });
  }
  throw new RequestRefused(`${what} is not one certificate signing request: give it as openssl req -new writes it`);
}

/** CertificationRequest (RFC 2986, 4). */
function partsOf(der: Buffer) {
  const [signed, algorithm, signature] = valuesIn(readDer(der, Tag.sequence).contents);
  const info = expectTag(signed, Tag.sequence, 'what is signed');
  const values = valuesIn(info.contents);
  return {
    signed: info.whole,
    algorithm: oidOfAlgorithm(expectTag(algorithm, Tag.sequence, 'the algorithm of the signature').whole),
    signature: octetsOf(expectTag(signature, Tag.bitString, 'the signature')),
    publicKey: publicKeyOf(values[2]).der,
  };
}

/** OpenSSL's own message would tell nothing to an operator. */
function keyObject(spki: Buffer, what: string): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (error) {
    throw new RequestRefused(`${what} holds a public key that OpenSSL cannot read: make a new key and a new request`, { cause: error });
  }
}

/**
 * Takes the public key from a request whose signature proves that its sender has the private key. Subject, names and usages that it asks for
 * are not read at all: they come from the profile.
 *
 * @throws RequestRefused
 */
export function readRequest(pem: string, what = 'the request'): ProvenRequest {
  try {
    const { signed, algorithm, signature, publicKey } = partsOf(derOf(pem, what));
    const { hash, by } = SAFE_SIGNATURES[algorithm] ?? {};
    if (hash === undefined) throw new RequestRefused(`${what} is signed by the algorithm ${algorithm}: sign it with SHA-256`);
    const key = keyObject(publicKey, what);
    if (!keyTypeOf(key).startsWith(by ?? '') || !verify(hash, signed, key, signature)) {
      throw new RequestRefused(`${what} is not signed by the key inside of it: whoever sent it has not proven to have that key`);
    }
    return { publicKey, keyType: keyTypeOf(key) };
  } catch (error) {
    if (!(error instanceof NotDer)) throw error;
    throw new RequestRefused(`${what} is damaged: it ${error.message}: make a new one`, { cause: error });
  }
}

/**
 * Signs for a key that never leaves its node.
 *
 * @throws RequestRefused, and all of `issueLeaf`
 */
export function signRequest(by: Pair, request: string, profile: LeafProfile, term: Term): Issued {
  const { publicKey } = readRequest(request);
  requireRsa(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }), `the request for ${profile.subject.commonName}`);
  return certifyKey(openSigner(by, term.now), publicKey, profile, term);
}
