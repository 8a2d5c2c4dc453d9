import { NotDer } from './der';
import type { CertificateFields } from './certificate-fields';
import { CertificateUnreadable } from './errors';
import type { Expected, Finding, Rule } from './lint-rules';
import { PROFILE_RULES } from './lint-profile';
import { GO_RULES } from './lint-rules';
import { readCertificate } from './read-certificate';

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

function fieldsOf(pem: string, what: string): CertificateFields | Problem {
  try {
    return readCertificate(pem, what).fields;
  } catch (error) {
    if (!(error instanceof CertificateUnreadable)) throw error;
    return { rule: 'readable', message: error.message };
  }
}

/**
 * Judges a certificate by the rules of Go's crypto/x509 and by what it should be for: a certificate that OpenSSL and Node take may still end
 * every component of Kubernetes. Reports all problems, not the first; none means that it is right.
 *
 * @throws BundleDamaged when the text is no PEM
 */
export function lint(pem: string, { issuer, expected }: LintContext = {}): readonly Problem[] {
  const fields = fieldsOf(pem, 'the certificate');
  const by = issuer === undefined ? undefined : fieldsOf(issuer, 'the issuer');
  if ('rule' in fields) return [fields];
  if (by !== undefined && 'rule' in by) return [by];
  return [...GO_RULES, ...PROFILE_RULES].flatMap((rule) => findingsOf(rule, { fields, issuer: by, expected }));
}
