const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** A field of a protobuf message: a number as it lies on the wire, or the bytes of a text or of a message within. */
export type Field = { readonly number: number } & ({ readonly value: bigint } | { readonly bytes: Buffer });

/**
 * The fields of a small protobuf message, in order; what the caller does not know it leaves. For the few answers whose newer fields
 * etcd3's old protocol files drop, or whose calls it misses.
 *
 * @throws RangeError on bytes that are no message of numbers, texts and messages
 */
export function* fieldsOf(message: Buffer): Generator<Field> {
  for (let at = 0; at < message.length;) {
    const tag = varint(message, at);
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    const { value, next } = varint(message, tag.next);
    if (wireType === VARINT) yield { number, value };
    else if (wireType !== LENGTH_DELIMITED) throw new RangeError(`field ${number} of an answer is of wire type ${wireType}`);
    const end = wireType === VARINT ? next : next + Number(value);
    if (end > message.length) throw new RangeError(`field ${number} of an answer is cut off`);
    if (wireType === LENGTH_DELIMITED) yield { number, bytes: message.subarray(next, end) };
    at = end;
  }
}

/** The number fields of a message; where one is repeated the last counts (protobuf, "Last One Wins"). */
export const numbersOf = (message: Buffer): ReadonlyMap<number, bigint> =>
  new Map([...fieldsOf(message)].flatMap((field) => ('value' in field ? [[field.number, field.value]] : [])));

/** protobuf's int64: two's complement of 64 bits, of which etcd uses 53 at most. */
export const int64 = (value: bigint | undefined): number => Number(BigInt.asIntN(64, value ?? 0n));

function varint(bytes: Buffer, from: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  for (let at = from, shift = 0n; shift < 70n; at++, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) break;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return { value, next: at + 1 };
  }
  throw new RangeError('an answer is cut off inside a number');
}
