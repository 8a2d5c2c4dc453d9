import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { readDer } from '../../lambdas/pki/der';
import { Oid } from '../../lambdas/pki/oids';
import { newKeyId, writeName } from '../../lambdas/pki/sign-certificate';
import { bitString, explicit, implicit, integer, octetString, oid, sequence, setOf, time, yes } from '../../lambdas/pki/write-der';
import { printable } from './kubeadm-authority';
import { authority, inDays, leafOf } from './pki-world';
import type { Parts } from './remake';
import { algorithm, extension, remake, replacing, string, without } from './remake';

/** One way in which an apiserver's certificate can be wrong. */
export interface Defect {
  readonly sentence: string;
  readonly rule: string;
  /** What crypto/x509 of Go does with it when a client verifies the server. */
  readonly go: 'refuses' | 'passes';
  readonly change: (parts: Parts) => Partial<Parts>;
  readonly hash?: string;
}

const SHA1_WITH_RSA = '1.2.840.113549.1.1.5';
const MD5_WITH_RSA = '1.2.840.113549.1.1.4';
const SHA384_WITH_RSA = '1.2.840.113549.1.1.12';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

const one = <T>(arbitrary: fc.Arbitrary<T>): T => fc.sample(arbitrary, 1)[0]!;
const octets = (length: number) => one(fc.uint8Array({ minLength: length, maxLength: length }));
const subjectOf = (text: Buffer): Buffer => sequence(setOf(sequence(oid(Oid.commonName), text)));
const serial = (contents: Buffer) => () => ({ serial: integer(contents) });
const signedBy = (dotted: string) => () => ({ algorithm: algorithm(dotted), outerAlgorithm: algorithm(dotted) });
const names =
  (...values: readonly Buffer[]) =>
  (parts: Parts) => ({
    extensions: replacing(parts, extension(Oid.altNames, sequence(...values))),
  });
const used =
  (dotted: string, value: Buffer, critical = false) =>
  (parts: Parts) => ({
    extensions: replacing(parts, extension(dotted, value, critical)),
  });
const generalized = (at: Date): Buffer => string(0x18, `${at.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`);
const shortKey = (): Buffer => generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'der' });

/** Each as good as `leafOf('apiserver')` but for one thing. */
export const DEFECTS: readonly Defect[] = [
  { sentence: 'version 2', rule: 'version-3', go: 'refuses', change: () => ({ version: explicit(0, integer(Buffer.of(1))) }) },
  {
    sentence: 'a negative serial',
    rule: 'serial',
    go: 'refuses',
    change: serial(Buffer.from([0x80 | one(fc.nat(0x6f)), ...octets(15)])),
  },
  { sentence: 'serial zero', rule: 'serial', go: 'passes', change: serial(Buffer.of(0)) },
  { sentence: 'a serial of 21 octets', rule: 'serial', go: 'passes', change: serial(Buffer.from([0x41, ...octets(20)])) },
  {
    sentence: 'a serial that begins with a zero too much',
    rule: 'serial',
    go: 'refuses',
    change: () => ({ serial: string(0x02, Buffer.from([0, 0x41, ...octets(14)])) }),
  },
  { sentence: 'SHA-1', rule: 'signature-algorithm', go: 'refuses', change: signedBy(SHA1_WITH_RSA), hash: 'sha1' },
  { sentence: 'MD5', rule: 'signature-algorithm', go: 'refuses', change: signedBy(MD5_WITH_RSA), hash: 'md5' },
  {
    sentence: 'two different algorithms',
    rule: 'signature-algorithm',
    go: 'refuses',
    change: () => ({ algorithm: algorithm(SHA384_WITH_RSA) }),
  },
  ...['@', '_', '!', 'é', ';'].map((character): Defect => ({
    sentence: `a PrintableString with ${character}`,
    rule: 'name-strings',
    go: 'refuses',
    change: () => ({ subject: printable(`kube${character}apiserver`) }),
  })),
  {
    sentence: 'a UTF8String that is none',
    rule: 'name-strings',
    go: 'refuses',
    change: () => ({ subject: subjectOf(string(0x0c, Buffer.of(0x6b, 0xff, 0xfe))) }),
  },
  {
    sentence: 'an IA5String beyond ASCII',
    rule: 'name-strings',
    go: 'refuses',
    change: () => ({ subject: subjectOf(string(0x16, Buffer.of(0x6b, 0xe9))) }),
  },
  {
    sentence: 'a UniversalString',
    rule: 'name-strings',
    go: 'refuses',
    change: () => ({ subject: subjectOf(string(0x1c, Buffer.of(0, 0, 0, 0x6b))) }),
  },
  {
    sentence: 'an end before its begin',
    rule: 'validity',
    go: 'refuses',
    change: () => ({ validity: sequence(time(inDays(1)), time(inDays(-1))) }),
  },
  {
    sentence: 'a GeneralizedTime before 2050',
    rule: 'validity',
    go: 'passes',
    change: () => ({ validity: sequence(time(inDays(-1)), generalized(inDays(90))) }),
  },
  {
    sentence: 'an extension twice',
    rule: 'extensions',
    go: 'refuses',
    change: ({ extensions }) => ({ extensions: [...extensions, ...extensions.slice(-1)] }),
  },
  {
    sentence: 'a critical extension that nobody knows',
    rule: 'extensions',
    go: 'refuses',
    change: ({ extensions }) => ({ extensions: [...extensions, extension('1.3.6.1.4.1.99999.1', octetString(Buffer.of(1)), true)] }),
  },
  { sentence: 'an RSA key of 1024 bits', rule: 'key', go: 'passes', change: () => ({ publicKey: shortKey() }) },
  {
    sentence: 'the name of its issuer in another kind of string',
    rule: 'issuer-name',
    go: 'refuses',
    change: () => ({ issuer: printable('kubernetes-g1') }),
  },
  {
    sentence: 'its own key id as that of its authority as node-forge writes it',
    rule: 'authority-key-id',
    go: 'passes',
    change: (parts) => used(Oid.authorityKeyId, sequence(implicit(0, newKeyId(parts.publicKey))))(parts),
  },
  {
    sentence: 'no key id of its authority',
    rule: 'authority-key-id',
    go: 'passes',
    change: (parts) => ({ extensions: without(parts, Oid.authorityKeyId) }),
  },
  {
    sentence: 'an end after its authority',
    rule: 'outlives-issuer',
    go: 'passes',
    change: () => ({ validity: sequence(time(inDays(-1)), time(inDays(4000))) }),
  },
  {
    sentence: 'no names for a server',
    rule: 'alt-names',
    go: 'refuses',
    change: (parts) => ({ extensions: without(parts, Oid.altNames) }),
  },
  { sentence: 'an empty list of names', rule: 'alt-names', go: 'refuses', change: names() },
  {
    sentence: 'an IP address of 5 bytes',
    rule: 'alt-names',
    go: 'refuses',
    change: names(implicit(2, Buffer.from('kubernetes')), implicit(7, Buffer.from(octets(5)))),
  },
  {
    sentence: 'an IP address with a mask',
    rule: 'alt-names',
    go: 'refuses',
    change: names(implicit(2, Buffer.from('kubernetes')), implicit(7, Buffer.of(10, 0, 0, 4, 255, 255, 255, 0))),
  },
  {
    sentence: 'a name beyond ASCII',
    rule: 'alt-names',
    go: 'refuses',
    change: names(implicit(2, Buffer.from('kubernetes')), implicit(2, Buffer.from('bücher.example', 'latin1'))),
  },
  {
    sentence: 'a wildcard in the middle',
    rule: 'alt-names',
    go: 'passes',
    change: names(implicit(2, Buffer.from('kubernetes')), implicit(2, Buffer.from('api.*.example'))),
  },
  {
    sentence: 'names that are critical beside a subject',
    rule: 'alt-names',
    go: 'passes',
    change: used(Oid.altNames, sequence(implicit(2, Buffer.from('kubernetes'))), true),
  },
  {
    sentence: 'the rights of an authority',
    rule: 'basic-constraints',
    go: 'passes',
    change: used(Oid.basicConstraints, sequence(yes()), true),
  },
  {
    sentence: 'nothing on being an authority',
    rule: 'basic-constraints',
    go: 'passes',
    change: (parts) => ({ extensions: without(parts, Oid.basicConstraints) }),
  },
  {
    sentence: 'a key for signing certificates',
    rule: 'key-usage',
    go: 'passes',
    change: used(Oid.keyUsage, bitString(Buffer.of(0b1010_0100), 2), true),
  },
  {
    sentence: 'no key usage',
    rule: 'key-usage',
    go: 'passes',
    change: (parts) => ({ extensions: without(parts, Oid.keyUsage) }),
  },
  {
    sentence: 'a key usage that is not critical',
    rule: 'key-usage',
    go: 'passes',
    change: used(Oid.keyUsage, bitString(Buffer.of(0b1010_0000), 5)),
  },
  {
    sentence: 'a use for clients too',
    rule: 'extended-key-usage',
    go: 'passes',
    change: used(Oid.extendedKeyUsage, sequence(oid(SERVER_AUTH), oid(CLIENT_AUTH))),
  },
  {
    sentence: 'a use for clients only',
    rule: 'extended-key-usage',
    go: 'refuses',
    change: used(Oid.extendedKeyUsage, sequence(oid(CLIENT_AUTH))),
  },
  {
    sentence: 'no id of its key',
    rule: 'subject-key-id',
    go: 'passes',
    change: (parts) => ({ extensions: without(parts, Oid.subjectKeyId) }),
  },
  {
    sentence: 'a group that nobody gave it',
    rule: 'profile',
    go: 'passes',
    change: () => ({ subject: writeName({ commonName: 'kube-apiserver', organization: 'system:masters' }) }),
  },
  {
    sentence: 'a unit that nobody gave it',
    rule: 'profile',
    go: 'passes',
    change: ({ subject }) => ({ subject: sequence(readDer(subject).contents, setOf(sequence(oid('2.5.4.11'), string(0x0c, 'unit')))) }),
  },
  {
    sentence: 'a name less than it should have',
    rule: 'profile',
    go: 'passes',
    change: names(implicit(2, Buffer.from('kubernetes'))),
  },
];

/** The damaged certificate, signed as if nothing were wrong. */
export function defective({ change, hash }: Defect): string {
  const by = authority('cluster');
  return remake(leafOf('apiserver', by).cert, by.key, change, hash);
}
