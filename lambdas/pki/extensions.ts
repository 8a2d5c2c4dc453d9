import { createHash } from 'node:crypto';
import type { CertificateFields, Extension } from './certificate-fields';
import { NotDer, Tag, expectTag, oidOf, readDer, valuesIn } from './der';
import type { KeyUsage } from './oids';
import { EXTENDED_USAGES, KEY_USAGES, Oid } from './oids';

// What the extensions of a certificate say (RFC 5280, 4.2.1). All throw NotDer where an extension is not what its type promises.

type Extended = Pick<CertificateFields, 'extensions'>;

export const extensionOf = ({ extensions }: Extended, oid: string): Extension | undefined => extensions.find((one) => one.oid === oid);

/** Empty without the extension. */
export function keyUsagesOf(fields: Extended): readonly KeyUsage[] {
  const extension = extensionOf(fields, Oid.keyUsage);
  if (extension === undefined) return [];
  const [unused = 8, ...octets] = readDer(extension.value, Tag.bitString).contents;
  if (unused > 7) throw new NotDer('has a key usage with a bad count of unused bits');
  return KEY_USAGES.filter((_, bit) => (((octets[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1);
}

/** By name where it is one of TLS, else dotted. */
export function extendedUsagesOf(fields: Extended): readonly string[] {
  const extension = extensionOf(fields, Oid.extendedKeyUsage);
  if (extension === undefined) return [];
  return valuesIn(readDer(extension.value, Tag.sequence).contents).map((value) => {
    const oid = oidOf(expectTag(value, Tag.oid, 'an extended key usage').contents);
    return Object.entries(EXTENDED_USAGES).find(([, known]) => known === oid)?.[0] ?? oid;
  });
}

export interface WrittenAltNames {
  readonly dns: readonly Buffer[];
  readonly ips: readonly Buffer[];
  /** Tags of what Kubernetes never looks at: mail addresses, URIs … */
  readonly others: readonly number[];
}

const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** Undefined without the extension. */
export function writtenAltNames(fields: Extended): WrittenAltNames | undefined {
  const extension = extensionOf(fields, Oid.altNames);
  if (extension === undefined) return undefined;
  const names = valuesIn(readDer(extension.value, Tag.sequence).contents);
  const of = (wanted: number) => names.filter(({ tag }) => tag === wanted).map(({ contents }) => contents);
  const others = names.filter(({ tag }) => tag !== DNS_NAME && tag !== IP_ADDRESS).map(({ tag }) => tag);
  return { dns: of(DNS_NAME), ips: of(IP_ADDRESS), others };
}

export interface BasicConstraints {
  readonly isCa: boolean;
  /** How many authorities may stand between this one and a leaf. @default - any number */
  readonly pathLength?: number;
}

/** Undefined without the extension. */
export function basicConstraintsOf(fields: Extended): BasicConstraints | undefined {
  const extension = extensionOf(fields, Oid.basicConstraints);
  if (extension === undefined) return undefined;
  const values = valuesIn(readDer(extension.value, Tag.sequence).contents);
  const isCa = values[0]?.tag === Tag.boolean && values[0].contents[0] === 0xff;
  const length = values.find(({ tag }) => tag === Tag.integer)?.contents;
  return { isCa, ...(length !== undefined && { pathLength: length.readUIntBE(0, Math.min(length.length, 6)) }) };
}

export function subjectKeyIdOf(fields: Extended): Buffer | undefined {
  const extension = extensionOf(fields, Oid.subjectKeyId);
  return extension === undefined ? undefined : readDer(extension.value, Tag.octetString).contents;
}

const KEY_ID = 0x80;

export function authorityKeyIdOf(fields: Extended): Buffer | undefined {
  const extension = extensionOf(fields, Oid.authorityKeyId);
  if (extension === undefined) return undefined;
  return valuesIn(readDer(extension.value, Tag.sequence).contents).find(({ tag }) => tag === KEY_ID)?.contents;
}

/** The key id that leaves of this issuer must name: its own where it has one (Go made SHA-1 ids once and SHA-256 ids later), else computed. */
export const keyIdOf = (fields: CertificateFields): Buffer =>
  subjectKeyIdOf(fields) ?? createHash('sha1').update(fields.publicKey.bits).digest();

/** Reads all of them once, so that nobody finds one later that is not what its type promises. @throws NotDer */
export function tryExtensions(fields: Extended): void {
  for (const read of [keyUsagesOf, extendedUsagesOf, writtenAltNames, basicConstraintsOf, subjectKeyIdOf, authorityKeyIdOf]) read(fields);
}
