import { X509Certificate, createPublicKey } from 'node:crypto';
import type { CertificateFields } from './certificate-fields';
import { certificateFields } from './certificate-fields';
import { NotDer } from './der';
import { CertificateUnreadable } from './errors';
import { tryExtensions } from './extensions';
import { pemBlocks } from './pem';

/** One certificate, read by OpenSSL inside Node and by the reader of this room. */
export interface ReadCertificate {
  readonly x509: X509Certificate;
  readonly fields: CertificateFields;
}

/** @throws CertificateUnreadable when either of the two readers cannot read it */
export function readCertificateDer(der: Buffer, what = 'the certificate'): ReadCertificate {
  try {
    const x509 = new X509Certificate(der);
    const fields = certificateFields(der);
    tryExtensions(fields);
    // A key that OpenSSL does not know must be found here, and not by whoever asks for it first.
    createPublicKey({ key: fields.publicKey.der, format: 'der', type: 'spki' });
    return { x509, fields };
  } catch (error) {
    const why = error instanceof NotDer ? `it ${error.message}` : 'OpenSSL cannot read it';
    throw new CertificateUnreadable(`${what} is damaged: ${why}: restore it from the file it came from`, { cause: error });
  }
}

/**
 * The bytes of the only certificate of a PEM text, which may hold a key beside it.
 *
 * @throws CertificateUnreadable when there is none, or several: read those by `parseBundle`
 * @throws BundleDamaged
 */
export function certificateDer(pem: string, what = 'the certificate'): Buffer {
  const found = pemBlocks(pem, what).filter(({ label }) => label === 'CERTIFICATE');
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.der;
  throw new CertificateUnreadable(`${what} is a text with ${found.length} certificates: give one certificate as PEM`);
}

/** @throws CertificateUnreadable, BundleDamaged */
export const readCertificate = (pem: string, what = 'the certificate'): ReadCertificate =>
  readCertificateDer(certificateDer(pem, what), what);
