import type { Der } from './der';
import { NotDer, Tag, expectTag, octetsOf, oidOf, readDer, valuesIn } from './der';
import { ATTRIBUTE_NAMES, Oid } from './oids';

// A certificate taken apart as it is written (RFC 5280, 4.1), for what X509Certificate does not tell: string types, usages, key ids, raw names.

export interface NameAttribute {
  readonly oid: string;
  /** Of the string: see `Tag`. */
  readonly tag: number;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface Name {
  readonly der: Buffer;
  readonly attributes: readonly NameAttribute[];
}

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

export interface Time {
  readonly tag: number;
  readonly date: Date;
}

export interface CertificateFields {
  readonly der: Buffer;
  readonly version: number;
  readonly serial: Buffer;
  /** AlgorithmIdentifier inside of what is signed, and beside it: they must be equal. */
  readonly algorithm: Buffer;
  readonly outerAlgorithm: Buffer;
  readonly signatureOid: string;
  readonly issuer: Name;
  readonly notBefore: Time;
  readonly notAfter: Time;
  readonly subject: Name;
  readonly publicKey: SubjectPublicKey;
  readonly extensions: readonly Extension[];
}

export interface SubjectPublicKey {
  /** SubjectPublicKeyInfo. */
  readonly der: Buffer;
  /** The key inside of it, of which SHA-1 makes a key id (RFC 5280, 4.2.1.2, method 1). */
  readonly bits: Buffer;
}

function attributeOf(value: Der): NameAttribute {
  const [type, text] = valuesIn(expectTag(value, Tag.sequence, 'a part of a name').contents);
  if (text === undefined) throw new NotDer('has a part of a name without text');
  const bytes = text.contents;
  const printed =
    text.tag === Tag.bmp ? Buffer.from(bytes).swap16().toString('utf16le') : bytes.toString(text.tag === Tag.utf8 ? 'utf8' : 'latin1');
  return { oid: oidOf(expectTag(type, Tag.oid, 'the type of a part of a name').contents), tag: text.tag, bytes, text: printed };
}

function nameOf(value: Der | undefined, what: string): Name {
  const { contents, whole } = expectTag(value, Tag.sequence, what);
  const attributes = valuesIn(contents).flatMap((set) => valuesIn(expectTag(set, Tag.set, `a part of ${what}`).contents).map(attributeOf));
  return { der: whole, attributes };
}

/** A name by itself, as servers list those of the authorities that they accept (RFC 5246, 7.4.4). @throws NotDer */
export const readName = (der: Buffer): Name => nameOf(readDer(der), 'the name');

function timeOf(value: Der | undefined, what: string): Time {
  const text = value?.contents.toString('latin1') ?? '';
  const [, century, year, month, day, hour, minute, second] = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const fits = value?.tag === Tag.utcTime ? century === undefined : value?.tag === Tag.generalizedTime && century !== undefined;
  if (value === undefined || !fits) throw new NotDer(`has no time as ${what}`);
  // UTCTime reaches from 1950 to 2049 (RFC 5280, 4.1.2.5.1).
  const fullYear = `${century ?? (Number(year) < 50 ? '20' : '19')}${year}`;
  const date = new Date(`${fullYear}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(date.getTime())) throw new NotDer(`has an impossible time as ${what}`);
  return { tag: value.tag, date };
}

function extensionOf(value: Der): Extension {
  const [type, ...rest] = valuesIn(expectTag(value, Tag.sequence, 'an extension').contents);
  const critical = rest[0]?.tag === Tag.boolean ? rest[0].contents[0] === 0xff : false;
  const content = expectTag(rest.at(-1), Tag.octetString, 'the value of an extension').contents;
  return { oid: oidOf(expectTag(type, Tag.oid, 'the type of an extension').contents), critical, value: content };
}

export function publicKeyOf(value: Der | undefined): SubjectPublicKey {
  const { contents, whole } = expectTag(value, Tag.sequence, 'the public key');
  return { der: whole, bits: octetsOf(expectTag(valuesIn(contents)[1], Tag.bitString, 'the bits of the public key')) };
}

/** @throws NotDer */
export function oidOfAlgorithm(algorithm: Buffer): string {
  return oidOf(expectTag(valuesIn(readDer(algorithm, Tag.sequence).contents)[0], Tag.oid, 'an algorithm').contents);
}

const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** @throws NotDer */
export function certificateFields(der: Buffer): CertificateFields {
  const [signed, outer, signature] = valuesIn(readDer(der, Tag.sequence).contents);
  expectTag(signature, Tag.bitString, 'the signature');
  const values = [...valuesIn(expectTag(signed, Tag.sequence, 'what is signed').contents)];
  const version = values[0]?.tag === VERSION ? readDer(values.shift()?.contents ?? Buffer.alloc(0), Tag.integer).contents : Buffer.of(0);
  const [serial, algorithm, issuer, validity, subject, key, ...optional] = values;
  const [notBefore, notAfter] = valuesIn(expectTag(validity, Tag.sequence, 'the validity').contents);
  const extensions = optional.find(({ tag }) => tag === EXTENSIONS);
  const outerAlgorithm = expectTag(outer, Tag.sequence, 'the algorithm of the signature').whole;
  return {
    der,
    version: version.readIntBE(0, Math.min(6, version.length)) + 1,
    serial: expectTag(serial, Tag.integer, 'the serial').contents,
    algorithm: expectTag(algorithm, Tag.sequence, 'the algorithm').whole,
    outerAlgorithm,
    signatureOid: oidOfAlgorithm(outerAlgorithm),
    issuer: nameOf(issuer, 'the issuer'),
    notBefore: timeOf(notBefore, 'notBefore'),
    notAfter: timeOf(notAfter, 'notAfter'),
    subject: nameOf(subject, 'the subject'),
    publicKey: publicKeyOf(key),
    extensions: extensions === undefined ? [] : valuesIn(readDer(extensions.contents, Tag.sequence).contents).map(extensionOf),
  };
}

/** As people read it, in the order written: `O=system:masters, CN=kubernetes-admin`. */
export const printName = ({ attributes }: Name): string =>
  attributes.map(({ oid, text }) => `${ATTRIBUTE_NAMES[oid] ?? oid}=${text}`).join(', ');

export const textsOf = ({ attributes }: Name, oid: string): readonly string[] =>
  attributes.filter((attribute) => attribute.oid === oid).map(({ text }) => text);

export const commonNameOf = (name: Name): string | undefined => textsOf(name, Oid.commonName)[0];
