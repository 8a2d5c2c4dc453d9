import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { isDnsName } from './alt-names';
import type { CertificateFields, NameAttribute } from './certificate-fields';
import { printName } from './certificate-fields';
import { Tag } from './der';
import { authorityKeyIdOf, extendedUsagesOf, extensionOf, keyIdOf, writtenAltNames } from './extensions';
import { MIN_RSA_BITS, keyTypeOf } from './keys';
import { Oid, SAFE_SIGNATURES } from './oids';
import type { LeafProfile } from './profiles';

// What crypto/x509 of Go refuses (parser.go, verify.go), and RFC 5280 where Go only happens to let it pass.

export type Expected = { readonly role: 'authority' } | { readonly role: 'leaf'; readonly profile: LeafProfile };

export interface Finding {
  readonly fields: CertificateFields;
  readonly issuer: CertificateFields | undefined;
  readonly expected: Expected | undefined;
}

/** Says what is wrong, nothing when all is right. May throw NotDer, which is a problem of the same rule. */
export interface Rule {
  readonly name: string;
  readonly check: (finding: Finding) => readonly string[];
}

export const when = (wrong: boolean, message: string): readonly string[] => (wrong ? [message] : []);

const version: Rule = {
  name: 'version-3',
  check: ({ fields }) => when(fields.version !== 3, `is of version ${fields.version}, not 3`),
};

const serial: Rule = {
  name: 'serial',
  check: ({ fields: { serial: octets } }) => [
    ...when(((octets[0] ?? 0) & 0x80) !== 0, `has a negative serial (${octets.toString('hex')}), which Go refuses since 1.23`),
    ...when(
      octets.every((octet) => octet === 0),
      'has zero as its serial',
    ),
    ...when(octets.length > 20, `has a serial of ${octets.length} octets, more than 20`),
    ...when(octets[0] === 0 && octets.length > 1 && ((octets[1] ?? 0) & 0x80) === 0, 'has a serial that is not minimal'),
  ],
};

const signature: Rule = {
  name: 'signature-algorithm',
  check: ({ fields: { signatureOid, algorithm, outerAlgorithm } }) => [
    ...when(
      !(signatureOid in SAFE_SIGNATURES),
      `is signed by the algorithm ${signatureOid}, such as one with SHA-1 or MD5: only SHA-256 and stronger are accepted`,
    ),
    ...when(!algorithm.equals(outerAlgorithm), 'names another algorithm inside of what is signed than beside it'),
  ],
};

/** Go's isPrintable (encoding/asn1): `*` and `&` pass, for certificates that were once made with them. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?*&]*$/;

function stringProblem({ tag, bytes, text }: NameAttribute): string | undefined {
  switch (tag) {
    case Tag.printable:
      return PRINTABLE.test(text) ? undefined : 'a PrintableString with characters that Go refuses there';
    case Tag.utf8:
      return Buffer.from(bytes.toString('utf8')).equals(bytes) ? undefined : 'a UTF8String that is not UTF-8';
    case Tag.ia5:
      return bytes.every((byte) => byte < 0x80) ? undefined : 'an IA5String that is not ASCII';
    case Tag.numeric:
      return /^[0-9 ]*$/.test(text) ? undefined : 'a NumericString with more than digits';
    case Tag.bmp:
      return bytes.length % 2 === 0 ? undefined : 'a BMPString of half characters';
    case Tag.t61:
      return undefined;
    default:
      return `a string of tag ${tag}, which Go does not know`;
  }
}

const nameStrings: Rule = {
  name: 'name-strings',
  check: ({ fields }) =>
    [fields.subject, fields.issuer].flatMap((name, index) =>
      name.attributes.flatMap((attribute) => {
        const problem = stringProblem(attribute);
        return problem === undefined ? [] : [`has in its ${index === 0 ? 'subject' : 'issuer'} "${attribute.text}" as ${problem}`];
      }),
    ),
};

const validity: Rule = {
  name: 'validity',
  check: ({ fields: { notBefore, notAfter } }) => [
    ...when(notAfter.date <= notBefore.date, `ends ${notAfter.date.toISOString()}, not after its begin ${notBefore.date.toISOString()}`),
    ...[notBefore, notAfter].flatMap(({ tag, date }) =>
      when((tag === Tag.utcTime) !== date.getUTCFullYear() < 2050, `has ${date.toISOString()} in the wrong form of time`),
    ),
  ],
};

/** What Go's parser and verifier handle; any other critical extension ends the verification. */
const HANDLED: readonly string[] = [Oid.keyUsage, Oid.extendedKeyUsage, Oid.basicConstraints, Oid.altNames, Oid.nameConstraints];

const extensions: Rule = {
  name: 'extensions',
  check: ({ fields: { extensions: all } }) => [
    ...[...new Set(all.map(({ oid }) => oid))].flatMap((oid) =>
      when(all.filter((one) => one.oid === oid).length > 1, `has the extension ${oid} more than once`),
    ),
    ...all.flatMap(({ oid, critical }) => when(critical && !HANDLED.includes(oid), `has ${oid} as a critical extension, which Go refuses`)),
  ],
};

/** Undefined where OpenSSL cannot read it, which is a problem of its own (`readable`). */
function publicKeyIn({ publicKey }: CertificateFields): KeyObject | undefined {
  try {
    return createPublicKey({ key: publicKey.der, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

const key: Rule = {
  name: 'key',
  check: ({ fields }) => {
    const publicKey = publicKeyIn(fields);
    if (publicKey === undefined) return [];
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS;
    return when(bits < MIN_RSA_BITS, `has a key of kind ${keyTypeOf(publicKey)}, less than ${MIN_RSA_BITS} bits`);
  },
};

const issuerName: Rule = {
  name: 'issuer-name',
  check: ({ fields, issuer }) =>
    when(
      issuer?.subject.der.equals(fields.issuer.der) === false,
      `says that "${printName(fields.issuer)}" signed it, which is not byte for byte the subject of its issuer`,
    ),
};

const authorityKeyId: Rule = {
  name: 'authority-key-id',
  check: ({ fields, issuer }) => {
    const id = authorityKeyIdOf(fields);
    if (issuer === undefined) return [];
    // A root of kubeadm names no authority: Go leaves it out where issuer and subject are the same.
    if (id === undefined) return when(!fields.der.equals(issuer.der), 'names no key of its authority');
    const wanted = keyIdOf(issuer);
    return when(!id.equals(wanted), `names ${id.toString('hex')} as the key of its authority, which has ${wanted.toString('hex')}`);
  },
};

const outlives: Rule = {
  name: 'outlives-issuer',
  check: ({ fields, issuer }) =>
    when(
      issuer !== undefined && fields.notAfter.date > issuer.notAfter.date,
      `ends ${fields.notAfter.date.toISOString()}, after its issuer (${issuer?.notAfter.date.toISOString() ?? ''})`,
    ),
};

const altNames: Rule = {
  name: 'alt-names',
  check: ({ fields }) => {
    const names = writtenAltNames(fields);
    const serves = extendedUsagesOf(fields).includes('serverAuth');
    if (names === undefined) return when(serves, 'is for a server and names none: Go does not look at the common name');
    const texts = names.dns.map((name) => name.toString('latin1'));
    return [
      ...when(names.dns.length + names.ips.length + names.others.length === 0, 'has an empty list of names'),
      ...names.ips.flatMap((ip) =>
        when(ip.length !== 4 && ip.length !== 16, `has an IP address of ${ip.length} bytes (${ip.toString('hex')})`),
      ),
      ...texts.flatMap((name) => when(!isDnsName(name), `has the DNS name "${name}", which no client can match`)),
      ...when(
        extensionOf(fields, Oid.altNames)?.critical === true && fields.subject.attributes.length > 0,
        'has names that are critical beside a subject',
      ),
    ];
  },
};

export const GO_RULES: readonly Rule[] = [
  version,
  serial,
  signature,
  nameStrings,
  validity,
  extensions,
  key,
  issuerName,
  authorityKeyId,
  outlives,
  altNames,
];
