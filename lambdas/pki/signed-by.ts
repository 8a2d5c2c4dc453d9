import { X509Certificate } from 'node:crypto';

/**
 * Whether one certificate signed another: by its key, not by its name alone. `checkIssued` compares names and key ids and is content with any
 * authority of the same name where the ids are missing.
 *
 * @param pem PEM texts of one certificate each; the caller has read them before
 */
export function isSignedBy(pem: string, authorityPem: string): boolean {
  const certificate = new X509Certificate(pem);
  const authority = new X509Certificate(authorityPem);
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}
