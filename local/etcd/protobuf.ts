// Just enough of the protobuf wire format to write values shaped like those of the API server.

const LENGTH_DELIMITED = 2;
const VARINT = 0;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** A string, bytes or embedded message. */
export function field(number: number, content: string | Buffer): Buffer {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(body.length), body]);
}

export const integerField = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8 + VARINT), varint(value)]);

export const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);

/** A `map<string, string>`: one embedded message per entry. */
export const mapField = (number: number, entries: Readonly<Record<string, string>>): Buffer[] =>
  Object.entries(entries).map(([key, value]) => field(number, message(field(1, key), field(2, value))));
