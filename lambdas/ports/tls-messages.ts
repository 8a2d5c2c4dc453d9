import { HandshakeUnreadable } from './errors';

// The messages of a TLS 1.2 handshake (RFC 5246, 7.4) that are sent before anybody shows a credential: one to write, three to read.

export const TLS_1_2 = 0x0303;

export const MessageType = {
  clientHello: 1,
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
} as const;

const number = (value: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};
/** A vector of TLS: its length in `size` bytes, then itself (RFC 5246, 4.3). */
const vector = (size: number, ...parts: readonly Buffer[]): Buffer => {
  const contents = Buffer.concat(parts);
  return Buffer.concat([number(contents.length, size), contents]);
};
const listOf = (size: number, values: readonly number[]): Buffer => vector(size, ...values.map((value) => number(value, 2)));
const extension = (type: number, contents: Buffer): Buffer => Buffer.concat([number(type, 2), vector(2, contents)]);

/** ECDHE with AES-GCM or ChaCha20: what kube-apiserver and etcd have unless they are told otherwise, for ECDSA and for RSA. */
const CIPHER_SUITES = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8];
/** In the place of the extension renegotiation_info (RFC 5746, 3.3). */
const RENEGOTIATION_SCSV = 0x00ff;
/** X25519, P-256, P-384, P-521. */
const GROUPS = [0x001d, 0x0017, 0x0018, 0x0019];
/** ECDSA, RSA-PSS, Ed25519 and PKCS #1, with SHA-256 and stronger: a server chooses its certificate by these. */
const SIGNATURES = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501, 0x0601];

const serverNameOf = (name: string): Buffer => extension(0, vector(2, number(0, 1), vector(2, Buffer.from(name, 'latin1'))));

/**
 * The first message of a client that speaks TLS 1.2 and nothing newer: in TLS 1.3 the server's certificate is encrypted already.
 *
 * @param random 32 bytes that nobody can guess
 * @param serverName a DNS name, for SNI. @default - none: an address never is one (RFC 6066, 3)
 */
export function clientHello(random: Buffer, serverName?: string): Buffer {
  const extensions = vector(
    2,
    ...(serverName === undefined ? [] : [serverNameOf(serverName)]),
    extension(10, listOf(2, GROUPS)),
    extension(11, vector(1, number(0, 1))),
    extension(13, listOf(2, SIGNATURES)),
    // extended_master_secret (RFC 7627): some servers insist.
    extension(23, Buffer.alloc(0)),
  );
  const suites = listOf(2, [...CIPHER_SUITES, RENEGOTIATION_SCSV]);
  const body = Buffer.concat([number(TLS_1_2, 2), random, vector(1), suites, vector(1, number(0, 1)), extensions]);
  return Buffer.concat([number(MessageType.clientHello, 1), vector(3, body)]);
}

/** Takes a message apart from its begin to its end. */
class Reader {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly what: string,
  ) {}

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) this.fail(`ends at byte ${this.bytes.length}, inside of something that reaches to ${end}`);
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  number(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  vector(size: number): Buffer {
    return this.take(this.number(size));
  }

  end(): void {
    if (this.more) this.fail(`has ${this.bytes.length - this.at} bytes after its end`);
  }

  fail(why: string): never {
    throw new HandshakeUnreadable(`${this.what} ${why}: see what listens there, it is no TLS server or damages what it sends`);
  }
}

/** @throws HandshakeUnreadable unless the server chose TLS 1.2 and something that was offered */
export function checkServerHello(body: Buffer, place: string): void {
  const reader = new Reader(body, `the ServerHello of ${place}`);
  const version = reader.number(2);
  if (version !== TLS_1_2) reader.fail(`chooses version 0x${version.toString(16)} of TLS where only 0x303, TLS 1.2, was offered`);
  reader.take(32);
  reader.vector(1);
  const suite = reader.number(2);
  if (!CIPHER_SUITES.includes(suite)) reader.fail(`chooses the cipher suite 0x${suite.toString(16)}, which was not offered`);
  const compression = reader.number(1);
  if (compression !== 0) reader.fail(`chooses the compression ${compression}, which was not offered`);
  if (reader.more) reader.vector(2);
  reader.end();
}

/** The certificates of a server as it sends them, DER, its own first (RFC 5246, 7.4.2). @throws HandshakeUnreadable */
export function certificatesIn(body: Buffer, place: string): readonly Buffer[] {
  const what = `the Certificate message of ${place}`;
  const whole = new Reader(body, what);
  const list = new Reader(whole.vector(3), what);
  whole.end();
  const certificates: Buffer[] = [];
  while (list.more) certificates.push(list.vector(3));
  if (certificates.length === 0) list.fail('has no certificate');
  return certificates;
}

/** DER of the names of all authorities of whose clients the server wants to hear; an empty list is no limit (RFC 5246, 7.4.4). @throws HandshakeUnreadable */
export function authoritiesIn(body: Buffer, place: string): readonly Buffer[] {
  const what = `the CertificateRequest of ${place}`;
  const whole = new Reader(body, what);
  whole.vector(1);
  whole.vector(2);
  const list = new Reader(whole.vector(2), what);
  whole.end();
  const names: Buffer[] = [];
  while (list.more) names.push(list.vector(2));
  return names;
}
