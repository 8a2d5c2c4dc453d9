import type { KeyObject } from 'node:crypto';
import { createHash, randomBytes, sign } from 'node:crypto';
import type { AltNames } from './alt-names';
import { publicKeyOf } from './certificate-fields';
import { readDer } from './der';
import { parseIp } from './ip-address';
import type { ExtendedUsage, KeyUsage } from './oids';
import { EXTENDED_USAGES, KEY_USAGES, Oid } from './oids';
import { printPem } from './pem';
import type { LeafSubject } from './profiles';
import { bitString, explicit, implicit, integer, nothing, octetString, oid, sequence, setOf, time, utf8, yes } from './write-der';

/** All that stands in a certificate, already decided. `issuer`, `subject` and `publicKey` are DER, so that names stay equal byte for byte. */
export interface CertificateContent {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isCa: boolean;
  readonly ku: readonly KeyUsage[];
  /** @default - none: authorities sign for any use */
  readonly eku?: readonly ExtendedUsage[];
  /** @default - none */
  readonly sans?: AltNames;
  readonly subjectKeyId: Buffer;
  readonly authorityKeyId: Buffer;
}

const RSA_SHA256 = () => sequence(oid(Oid.sha256WithRsa), nothing());

/** UTF8String: Go refuses in PrintableString the characters that others let pass (`@`, `_`). */
export function writeName({ commonName, organization }: LeafSubject): Buffer {
  const part = (type: string, text: string) => setOf(sequence(oid(type), utf8(text)));
  return sequence(...(organization === undefined ? [] : [part(Oid.organization, organization)]), part(Oid.commonName, commonName));
}

/** RFC 5280, 4.2.1.2, method 1, as kubeadm's certificates had it until Go 1.25. */
export const newKeyId = (spki: Buffer): Buffer =>
  createHash('sha1')
    .update(publicKeyOf(readDer(spki)).bits)
    .digest();

/** 16 octets, of which 126 bits are random: never negative (Go 1.23 refuses that), never zero, and always of one length. */
function newSerial(): Buffer {
  const [first = 0, ...rest] = randomBytes(16);
  return Buffer.from([(first & 0x3f) | 0x40, ...rest]);
}

/** A BIT STRING of names without zero bits at its end (X.690, 11.2.2). */
function keyUsage(usages: readonly KeyUsage[]): Buffer {
  const bits = KEY_USAGES.map((usage) => (usages.includes(usage) ? 1 : 0));
  const length = bits.lastIndexOf(1) + 1;
  const octets = Buffer.alloc(Math.ceil(length / 8));
  for (const [index, bit] of bits.entries())
    if (bit === 1) octets.writeUInt8((octets[index >> 3] ?? 0) | (0x80 >> (index & 7)), index >> 3);
  return bitString(octets, octets.length * 8 - length);
}

const DNS_NAME = 2;
const IP_ADDRESS = 7;

const altNames = ({ dns, ips }: AltNames): Buffer =>
  sequence(
    ...dns.map((name) => implicit(DNS_NAME, Buffer.from(name, 'latin1'))),
    ...ips.map((address) => implicit(IP_ADDRESS, parseIp(address) ?? Buffer.alloc(0))),
  );

function extensionsOf({ isCa, ku, eku = [], sans, subjectKeyId, authorityKeyId }: CertificateContent): Buffer {
  const extension = (type: string, value: Buffer, critical = false) =>
    sequence(oid(type), ...(critical ? [yes()] : []), octetString(value));
  return sequence(
    extension(Oid.keyUsage, keyUsage(ku), true),
    ...(eku.length === 0 ? [] : [extension(Oid.extendedKeyUsage, sequence(...eku.map((usage) => oid(EXTENDED_USAGES[usage]))))]),
    extension(Oid.basicConstraints, sequence(...(isCa ? [yes()] : [])), true),
    extension(Oid.subjectKeyId, octetString(subjectKeyId)),
    extension(Oid.authorityKeyId, sequence(implicit(0, authorityKeyId))),
    ...(sans === undefined ? [] : [extension(Oid.altNames, altNames(sans))]),
  );
}

/** Signs by OpenSSL inside Node: node-forge's own arithmetic takes a second a signature. Nothing is checked here: see `checked`. */
export function signCertificate(content: CertificateContent, key: KeyObject): string {
  const { issuer, notBefore, notAfter, subject, publicKey } = content;
  const validity = sequence(time(notBefore), time(notAfter));
  const version3 = explicit(0, integer(Buffer.of(2)));
  const extensions = explicit(3, extensionsOf(content));
  const signed = sequence(version3, integer(newSerial()), RSA_SHA256(), issuer, validity, subject, publicKey, extensions);
  const der = sequence(signed, RSA_SHA256(), bitString(sign('sha256', signed, key)));
  return printPem({ label: 'CERTIFICATE', der });
}
