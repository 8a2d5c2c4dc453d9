import { printName } from './certificate-fields';
import {
  authorityKeyIdOf,
  basicConstraintsOf,
  extendedUsagesOf,
  extensionOf,
  keyIdOf,
  keyUsagesOf,
  subjectKeyIdOf,
  writtenAltNames,
} from './extensions';
import { GO_RULES } from './lint-rules';
import type { KeyUsage } from './oids';
import { Oid } from './oids';
import type { ReadCertificate } from './read-certificate';

// What one certificate must be to stand in a path: all that OpenSSL asks (x509_vfy.c, v3_purp.c) and all that Go asks (verify.go), since a cluster
// has readers of both kinds.

export type PathRole = 'server' | 'client';

export interface PathQuestion {
  readonly at: Date;
  /** For what its owner shows the chain: a server's to its clients, or a client's to its servers. */
  readonly role: PathRole;
}

/** What is wrong, to be read after the certificate's name; undefined when nothing is. */
export type Fault = string | undefined;

const firstOf = (...checks: readonly (() => Fault)[]): Fault => {
  for (const check of checks) {
    const fault = check();
    if (fault !== undefined) return fault;
  }
  return undefined;
};

function timeFault({ fields: { notBefore, notAfter } }: ReadCertificate, at: Date): Fault {
  if (at < notBefore.date) return `is valid only from ${notBefore.date.toISOString()}`;
  // At its very end Go still takes a certificate, and OpenSSL does not.
  return at < notAfter.date ? undefined : `ended ${notAfter.date.toISOString()}`;
}

export const isValidAt = (certificate: ReadCertificate, at: Date): boolean => timeFault(certificate, at) === undefined;

/** What ends a path whatever stands beside it. Its time is judged with the moment, and of its names only what Go cannot read. */
const ALWAYS: readonly string[] = ['version-3', 'serial', 'signature-algorithm', 'name-strings', 'extensions', 'key'];

function readingFault({ fields }: ReadCertificate): Fault {
  const [problem] = GO_RULES.filter(({ name }) => ALWAYS.includes(name)).flatMap((rule) =>
    rule.check({ fields, issuer: undefined, expected: undefined }),
  );
  const names = writtenAltNames(fields);
  return (
    problem ??
    (names?.dns.some((name) => name.some((byte) => byte > 0x7f)) ? 'has a DNS name beyond ASCII, which Go refuses' : undefined) ??
    (names?.ips.some(({ length }) => length !== 4 && length !== 16) ? 'has an IP address that is none, which Go refuses' : undefined)
  );
}

/** Of the leaf and of every authority above it: one that is for some uses only is for no other below it. */
function extendedUsageFault({ fields }: ReadCertificate, role: PathRole): Fault {
  if (extensionOf(fields, Oid.extendedKeyUsage) === undefined) return undefined;
  const usages = extendedUsagesOf(fields);
  // anyExtendedKeyUsage is enough for Go, and not for OpenSSL.
  return usages.includes(`${role}Auth`) ? undefined : `is not for a ${role}: its extended key usage is ${usages.join(', ') || 'empty'}`;
}

const LEAF_USAGES: Readonly<Record<PathRole, readonly KeyUsage[]>> = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
};

function leafUsageFault({ fields }: ReadCertificate, role: PathRole): Fault {
  if (extensionOf(fields, Oid.keyUsage) === undefined) return undefined;
  const usages = keyUsagesOf(fields);
  return LEAF_USAGES[role].some((usage) => usages.includes(usage))
    ? undefined
    : `may not be used by a ${role}: its key usage is ${usages.join(', ')}`;
}

/** Why nobody, or not everybody, would take the certificate at the end of a path. */
export const leafFault = (leaf: ReadCertificate, { at, role }: PathQuestion): Fault =>
  firstOf(
    () => readingFault(leaf),
    () => timeFault(leaf, at),
    () => extendedUsageFault(leaf, role),
    () => leafUsageFault(leaf, role),
  );

function authorityFault({ fields }: ReadCertificate, below: number): Fault {
  const constraints = basicConstraintsOf(fields);
  if (constraints?.isCa !== true) return 'is not an authority';
  if (extensionOf(fields, Oid.keyUsage) !== undefined && !keyUsagesOf(fields).includes('keyCertSign')) return 'may not sign certificates';
  if (constraints.pathLength !== undefined && below > constraints.pathLength)
    return `may have ${constraints.pathLength} authorities between itself and a leaf, and has ${below}`;
  // Kubernetes has no use for them: rather refused than judged wrong.
  return extensionOf(fields, Oid.nameConstraints) === undefined ? undefined : 'has name constraints, which are not judged here';
}

/**
 * Why `issuer` cannot stand above `subject` in a path.
 *
 * @param below how many authorities stand between it and the leaf
 */
export function issuerFault(issuer: ReadCertificate, subject: ReadCertificate, below: number, { at, role }: PathQuestion): Fault {
  return firstOf(
    () => readingFault(issuer),
    () =>
      subject.x509.verify(issuer.x509.publicKey) ? undefined : `did not sign ${printName(subject.fields.subject)}: it has another key`,
    () =>
      issuer.fields.subject.der.equals(subject.fields.issuer.der)
        ? undefined
        : `is not byte for byte what ${printName(subject.fields.subject)} calls its issuer`,
    () => authorityFault(issuer, below),
    () => timeFault(issuer, at),
    () => extendedUsageFault(issuer, role),
  );
}

/** By its names and key ids, as both readers tell a root: neither of them checks the signature of a certificate on itself. */
export function isSelfIssued({ fields }: ReadCertificate): boolean {
  const authority = authorityKeyIdOf(fields);
  return fields.subject.der.equals(fields.issuer.der) && (authority === undefined || authority.equals(keyIdOf(fields)));
}

/**
 * Whether a reader takes one for the issuer of the other before it looks at any signature: by the name and, where both tell one, by the key id.
 * OpenSSL 3.0 takes it for that even when it may not sign, and fails by it; newer ones go on to the next.
 */
export function mayHaveIssued(issuer: ReadCertificate, subject: ReadCertificate): boolean {
  if (subject.x509.checkIssued(issuer.x509)) return true;
  const [wanted, has] = [authorityKeyIdOf(subject.fields), subjectKeyIdOf(issuer.fields)];
  const fits = wanted === undefined || has === undefined || wanted.equals(has);
  return fits && issuer.fields.subject.der.equals(subject.fields.issuer.der);
}
