import forge from 'node-forge';

// Writing DER by node-forge, and nothing else by it. Its certificates are full of traps: SHA-1 by default, PrintableString that Go refuses, the
// leaf's own key id as its authority's (forge#462), extension objects that are changed where they are shared. Its encoder has none of them.

const { asn1 } = forge;
const CONSTRUCTED = 0x20;
const CONTEXT = 0x80;

/** `identifier`: the first octet, where it is not that of the type: constructed of bytes that are DER already, or of a context. */
function write(type: forge.asn1.Type, contents: Buffer, identifier: number = type): Buffer {
  const node = asn1.create(asn1.Class.UNIVERSAL, type, false, contents.toString('binary'));
  const bytes = Buffer.from(asn1.toDer(node).getBytes(), 'binary');
  bytes.writeUInt8(identifier, 0);
  return bytes;
}

export const sequence = (...parts: readonly Buffer[]): Buffer =>
  write(asn1.Type.SEQUENCE, Buffer.concat(parts), asn1.Type.SEQUENCE | CONSTRUCTED);
export const setOf = (...parts: readonly Buffer[]): Buffer => write(asn1.Type.SET, Buffer.concat(parts), asn1.Type.SET | CONSTRUCTED);
/** `[tag]` around a whole value. */
export const explicit = (tag: number, part: Buffer): Buffer => write(asn1.Type.OCTETSTRING, part, CONTEXT | CONSTRUCTED | tag);
/** `[tag]` in the place of a value's own tag. */
export const implicit = (tag: number, contents: Buffer): Buffer => write(asn1.Type.OCTETSTRING, contents, CONTEXT | tag);
export const integer = (contents: Buffer): Buffer => write(asn1.Type.INTEGER, contents);
export const octetString = (contents: Buffer): Buffer => write(asn1.Type.OCTETSTRING, contents);
export const utf8 = (text: string): Buffer => write(asn1.Type.UTF8, Buffer.from(text));
export const nothing = (): Buffer => write(asn1.Type.NULL, Buffer.alloc(0));
export const yes = (): Buffer => write(asn1.Type.BOOLEAN, Buffer.of(0xff));
export const oid = (dotted: string): Buffer => write(asn1.Type.OID, Buffer.from(asn1.oidToDer(dotted).getBytes(), 'binary'));
export const bitString = (contents: Buffer, unusedBits = 0): Buffer =>
  write(asn1.Type.BITSTRING, Buffer.concat([Buffer.of(unusedBits), contents]));

/** UTCTime before 2050 and GeneralizedTime from then on (RFC 5280, 4.1.2.5), in whole seconds. */
export function time(at: Date): Buffer {
  const year = at.getUTCFullYear();
  if (year >= 1950 && year < 2050) return write(asn1.Type.UTCTIME, Buffer.from(asn1.dateToUtcTime(at), 'latin1'));
  return write(asn1.Type.GENERALIZEDTIME, Buffer.from(asn1.dateToGeneralizedTime(at), 'latin1'));
}
