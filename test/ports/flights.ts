import { MessageType } from '../../lambdas/ports/tls-messages';

// What a server sends, written byte for byte, so that nothing of the reader is used to make what it reads.

const sized = (size: number, ...parts: readonly Buffer[]): Buffer => {
  const contents = Buffer.concat(parts);
  const length = Buffer.alloc(size);
  length.writeUIntBE(contents.length, 0, size);
  return Buffer.concat([length, contents]);
};

export const message = (type: number, ...parts: readonly Buffer[]): Buffer => Buffer.concat([Buffer.of(type), sized(3, ...parts)]);

export interface HelloParts {
  readonly version?: number;
  readonly suite?: number;
  readonly compression?: number;
}

export const serverHello = ({ version = 0x0303, suite = 0xc02f, compression = 0 }: HelloParts = {}): Buffer =>
  message(
    MessageType.serverHello,
    Buffer.of(version >> 8, version & 0xff),
    Buffer.alloc(32, 7),
    sized(1, Buffer.alloc(32, 9)),
    Buffer.of(suite >> 8, suite & 0xff, compression),
    sized(2, Buffer.from('00170000ff01000100', 'hex')),
  );
export const certificate = (...certificates: readonly Buffer[]): Buffer =>
  message(MessageType.certificate, sized(3, ...certificates.map((der) => sized(3, der))));
export const serverKeyExchange = (length = 300): Buffer => message(MessageType.serverKeyExchange, Buffer.alloc(length, 5));
export const certificateRequest = (...names: readonly Buffer[]): Buffer =>
  message(
    MessageType.certificateRequest,
    sized(1, Buffer.of(1, 64)),
    sized(2, Buffer.from('04030804', 'hex')),
    sized(2, ...names.map((der) => sized(2, der))),
  );
export const serverHelloDone = (): Buffer => message(MessageType.serverHelloDone);

export interface Said {
  readonly chain: readonly Buffer[];
  readonly authorities: readonly Buffer[] | undefined;
}

export const messagesOf = ({ chain, authorities }: Said): Buffer =>
  Buffer.concat([
    serverHello(),
    certificate(...chain),
    serverKeyExchange(),
    ...(authorities === undefined ? [] : [certificateRequest(...authorities)]),
    serverHelloDone(),
  ]);

export const record = (type: number, contents: Buffer): Buffer => Buffer.concat([Buffer.of(type, 3, 3), sized(2, contents)]);

/** The pieces between cuts at any places; those that would be empty are left out. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
  return places.slice(1).flatMap((end, index) => (end > places[index]! ? [bytes.subarray(places[index], end)] : []));
}

/** In records that end where the cuts are, or after the most that a record may hold. */
export const inRecords = (messages: Buffer, cuts: readonly number[] = []): Buffer =>
  Buffer.concat(
    cutAt(messages, cuts).flatMap((piece) => {
      const full = Array.from({ length: Math.floor(piece.length / 0x4000) }, (_, index) => (index + 1) * 0x4000);
      return full.length === 0 ? [record(22, piece)] : cutAt(piece, full).map((part) => record(22, part));
    }),
  );
