import { createPrivateKey } from 'node:crypto';
import { messageOf } from '../contract/lifeboat-error';
import { MintedBadly } from './errors';
import { lint } from './lint';
import type { Expected } from './lint-rules';
import { readCertificate } from './read-certificate';

export interface Minted {
  readonly cert: string;
  /** @default - none: the key is not ours */
  readonly key?: string;
  /** PEM of who signed it; itself for a root. */
  readonly issuer: string;
  readonly expected: Expected;
}

/** By OpenSSL. `checkIssued` alone takes the wrong one of two authorities with one name, and a signature alone any name: always both. */
function problemsOfOpenssl({ cert, key, issuer }: Minted): readonly string[] {
  const { x509 } = readCertificate(cert);
  const by = readCertificate(issuer, 'the issuer').x509;
  return [
    ...(x509.checkIssued(by) ? [] : ['OpenSSL does not take it as issued by its issuer']),
    ...(x509.verify(by.publicKey) ? [] : ['it is not signed by the key of its issuer']),
    ...(key === undefined || x509.checkPrivateKey(createPrivateKey(key)) ? [] : ['it is not for the key beside it']),
  ];
}

function problemsOf(minted: Minted): readonly string[] {
  try {
    const { cert, issuer, expected } = minted;
    return [...problemsOfOpenssl(minted), ...lint(cert, { issuer, expected }).map(({ message }) => `it ${message}`)];
  } catch (error) {
    return [messageOf(error)];
  }
}

/**
 * Reads again what was just made, by two readers that did not make it.
 *
 * @throws MintedBadly with everything that is wrong, and never with key material
 */
export function checked<M extends Minted>(minted: M): M {
  const problems = problemsOf(minted);
  if (problems.length === 0) return minted;
  throw new MintedBadly(`a new certificate is not given out: ${problems.join('; ')}: report this as a defect of kube-lifeboat`);
}
