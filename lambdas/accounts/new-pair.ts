import { createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { KeyPairRefused } from './errors';

/** PEM texts: SPKI, and PKCS#1 or SEC 1, as kubeadm writes sa.pub and sa.key. */
export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** kubeadm makes no smaller ones (kubernetes cmd/kubeadm/app/util/pkiutil). */
const LEAST_BITS = 2048;
/** Those by which API servers sign: ES256, ES384 and ES512 (pkg/serviceaccount/jwt.go). */
const CURVES: readonly string[] = ['prime256v1', 'secp384r1', 'secp521r1'];

const make = promisify(generateKeyPair);
const spki = { type: 'spki', format: 'pem' } as const;

/**
 * A new pair of the same kind and size as another one: whoever verifies tokens by the API's keys, such as a cloud, is known to take that.
 *
 * @param like its public key. @default - RSA-2048, as kubeadm makes it
 * @throws KeyPairRefused for a kind that API servers do not sign by
 */
export async function newPair(like?: string): Promise<KeyPair> {
  const key = like === undefined ? undefined : createPublicKey(like);
  const { modulusLength = LEAST_BITS, namedCurve = '' } = key?.asymmetricKeyDetails ?? {};
  if (key === undefined || key.asymmetricKeyType === 'rsa')
    return make('rsa', {
      modulusLength: Math.max(modulusLength, LEAST_BITS),
      publicKeyEncoding: spki,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
  if (key.asymmetricKeyType === 'ec' && CURVES.includes(namedCurve))
    return make('ec', { namedCurve, publicKeyEncoding: spki, privateKeyEncoding: { type: 'sec1', format: 'pem' } });
  const kind = [key.asymmetricKeyType, namedCurve].filter((each) => each !== '').join(' ');
  throw new KeyPairRefused(
    `tokens are signed by a key of kind ${kind}, by which no API server signs: give the cluster an RSA key by hand first`,
  );
}
