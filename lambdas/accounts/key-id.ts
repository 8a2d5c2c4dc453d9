import { createHash, createPublicKey } from 'node:crypto';

/** SHA-256 of a public key as SPKI, hexadecimal: the same for a private key and for its public one. @throws the error of OpenSSL */
export const publicKeyId = (pem: string): string =>
  createHash('sha256')
    .update(createPublicKey(pem).export({ type: 'spki', format: 'der' }))
    .digest('hex');

/**
 * The key that the `kid` of a token or of /openid/v1/jwks stands for, as its generation is called: Kubernetes makes it of the same SHA-256, in base64url
 * (kubernetes pkg/serviceaccount/jwt.go, keyIDFromPublicKey). What was not made so is given back as it is, and is nobody's.
 */
export const idOfKid = (kid: string): string => {
  const bytes = Buffer.from(kid, 'base64url');
  return bytes.length === 32 ? bytes.toString('hex') : kid;
};
