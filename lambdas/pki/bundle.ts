import { BundleDamaged, CertificateUnreadable } from './errors';
import { pemBlocks, printPem } from './pem';
import { readCertificateDer } from './read-certificate';

/**
 * The certificates of a bundle or a chain, each as PEM of its own, in the order written.
 *
 * The order is kept and not sorted: kubeadm and old clients take the first certificate of a file for the signer.
 *
 * @throws BundleDamaged that names the block that is not a certificate
 */
export function parseBundle(text: string, what = 'the bundle'): readonly string[] {
  const blocks = pemBlocks(text, what);
  if (blocks.length === 0) throw new BundleDamaged(`${what} has no certificate: give one or more as PEM`);
  return blocks.map(({ label, der }, index) => {
    const place = `block ${index + 1} of ${blocks.length}`;
    if (label !== 'CERTIFICATE') {
      throw new BundleDamaged(`${what} has a ${label} as ${place}, where only certificates belong: take it out of the bundle`);
    }
    try {
      readCertificateDer(der, place);
    } catch (error) {
      if (!(error instanceof CertificateUnreadable)) throw error;
      throw new BundleDamaged(`${what} is damaged: ${error.message}`, { cause: error });
    }
    return printPem({ label, der });
  });
}

/**
 * One file of several certificates or bundles, in the order given; of those with the same bytes the first stays.
 * The same certificates give the same bytes: what differs restarts somebody.
 *
 * @throws BundleDamaged
 */
export const printBundle = (texts: readonly string[]): string => [...new Set(texts.flatMap((text) => parseBundle(text)))].join('');
