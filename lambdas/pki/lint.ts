import { NotDer } from './der';
import type { CertificateFields } from './certificate-fields';
import { certificateFields } from './certificate-fields';
import { CertificateUnreadable } from './errors';
import type { Expected, Finding, Rule } from './lint-rules';
import { PROFILE_RULES } from './lint-profile';
import { GO_RULES } from './lint-rules';
import { certificateDer, readCertificate } from './read-certificate';

export interface Problem {
  readonly rule: string;
  /** What is wrong, to be read after "the certificate": `has a negative serial`. */
  readonly message: string;
}

export interface LintContext {
  /** PEM of who signed it; itself for a root. @default - what depends on the issuer is not judged */
  readonly issuer?: string;
  /** @default - only what holds for every certificate is judged, as of an authority that somebody else made */
  readonly expected?: Expected;
}

function findingsOf(rule: Rule, finding: Finding): readonly Problem[] {
  try {
    return rule.check(finding).map((message) => ({ rule: rule.name, message }));
  } catch (error) {
    if (!(error instanceof NotDer)) throw error;
    return [{ rule: rule.name, message: error.message }];
  }
}

const problemOf = (error: unknown): Problem => {
  if (!(error instanceof CertificateUnreadable)) throw error;
  return { rule: 'readable', message: error.message };
};

/** Whether OpenSSL, and with it Node, reads the certificate: it refuses some that Go takes, and the other way round. */
function readable(pem: string): readonly Problem[] {
  try {
    readCertificate(pem);
    return [];
  } catch (error) {
    return [problemOf(error)];
  }
}

function fieldsOf(pem: string, what: string): CertificateFields | undefined {
  try {
    return certificateFields(certificateDer(pem, what));
  } catch (error) {
    if (error instanceof NotDer || error instanceof CertificateUnreadable) return undefined;
    throw error;
  }
}

/**
 * Judges a certificate by the rules of Go's crypto/x509 and by what it should be for: a certificate that OpenSSL and Node take may still end
 * every component of Kubernetes. Reports all problems, not the first; none means that it is right.
 *
 * @throws BundleDamaged when a text is no PEM
 * @throws CertificateUnreadable when the issuer cannot be read
 */
export function lint(pem: string, { issuer, expected }: LintContext = {}): readonly Problem[] {
  const by = issuer === undefined ? undefined : readCertificate(issuer, 'the issuer').fields;
  const fields = fieldsOf(pem, 'the certificate');
  const found =
    fields === undefined ? [] : [...GO_RULES, ...PROFILE_RULES].flatMap((rule) => findingsOf(rule, { fields, issuer: by, expected }));
  return [...readable(pem), ...found];
}
