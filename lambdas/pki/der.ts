// A reader of DER (X.690, 10) that is as strict as Go's cryptobyte: what Go refuses must not pass here.

/** One value: `tag` is the whole identifier octet, `whole` has tag and length too. */
export interface Der {
  readonly tag: number;
  readonly contents: Buffer;
  readonly whole: Buffer;
}

/** Bytes that are no DER. Never leaves this room. */
export class NotDer extends Error {
  override readonly name = 'NotDer';
}

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  numeric: 0x12,
  printable: 0x13,
  t61: 0x14,
  ia5: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

function lengthAt(bytes: Buffer, at: number): { readonly length: number; readonly size: number } {
  const first = bytes[at];
  if (first === undefined) throw new NotDer(`ends before a length at byte ${at}`);
  if (first < 0x80) return { length: first, size: 1 };
  const count = first & 0x7f;
  // 0x80 is BER's indefinite length. Four bytes tell of 4 GiB: nothing here is larger.
  if (count === 0 || count > 4 || at + count >= bytes.length) throw new NotDer(`has a bad length at byte ${at}`);
  const length = bytes.readUIntBE(at + 1, count);
  if (length < 0x80 || bytes[at + 1] === 0) throw new NotDer(`has a length at byte ${at} that is not minimal`);
  return { length, size: 1 + count };
}

function valueAt(bytes: Buffer, at: number): Der {
  const tag = bytes[at];
  if (tag === undefined) throw new NotDer(`ends before a tag at byte ${at}`);
  if ((tag & 0x1f) === 0x1f) throw new NotDer(`has a tag of several bytes at byte ${at}`);
  const { length, size } = lengthAt(bytes, at + 1);
  const start = at + 1 + size;
  if (start + length > bytes.length) throw new NotDer(`ends inside a value at byte ${at}`);
  return { tag, contents: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** @throws NotDer unless `bytes` are exactly one value */
export function readDer(bytes: Buffer, tag?: number): Der {
  const value = valueAt(bytes, 0);
  if (value.whole.length !== bytes.length) throw new NotDer(`has ${bytes.length - value.whole.length} bytes after its end`);
  if (tag !== undefined && value.tag !== tag) throw new NotDer(`has tag ${value.tag} where ${tag} belongs`);
  return value;
}

/** The values inside of another. @throws NotDer */
export function valuesIn(bytes: Buffer): readonly Der[] {
  const values: Der[] = [];
  for (let at = 0; at < bytes.length;) {
    const value = valueAt(bytes, at);
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** @throws NotDer when the value is missing or of another kind */
export function expectTag(value: Der | undefined, tag: number, what: string): Der {
  if (value?.tag !== tag)
    throw new NotDer(`has ${value === undefined ? 'nothing' : `tag ${value.tag}`} as ${what}, where tag ${tag} belongs`);
  return value;
}

/** Dotted, from the contents of an OBJECT IDENTIFIER (X.690, 8.19). @throws NotDer */
export function oidOf(contents: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of contents.entries()) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new NotDer('has an object identifier with an arc too large');
    if ((byte & 0x80) !== 0) {
      if (index === contents.length - 1) throw new NotDer('has an object identifier that ends inside an arc');
      continue;
    }
    arcs.push(arc);
    arc = 0;
  }
  const [first, ...rest] = arcs;
  if (first === undefined) throw new NotDer('has an empty object identifier');
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

/** The octets of a BIT STRING that has no unused bits, as keys and signatures are. @throws NotDer */
export function octetsOf(bits: Der): Buffer {
  if (bits.contents[0] !== 0) throw new NotDer('has a bit string with unused bits where whole octets belong');
  return bits.contents.subarray(1);
}
