import { HandshakeRefused, HandshakeUnreadable } from './errors';
import { alertName, fixOfAlert } from './tls-alerts';
import { MessageType, authoritiesIn, certificatesIn, checkServerHello } from './tls-messages';

/** What a server of TLS 1.2 says before its client shows anything, all DER. */
export interface ServerFlight {
  /** Its own certificate first. */
  readonly chain: readonly Buffer[];
  /** Names of the authorities of whose clients it wants to hear; undefined when it asks for no client certificate. */
  readonly authorities: readonly Buffer[] | undefined;
}

const ContentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
const HEADER = 5;
/** RFC 5246, 6.2.1: what is not encrypted yet is never longer. */
const MAX_RECORD = 1 << 14;
/** A chain and 64 KiB of names fit in four times. */
const MAX_FLIGHT = 256 * 1024;
/** As many as the longest flight has in the smallest records that servers are set to (512 bytes), and four times more. */
const MAX_RECORDS = 2048;
const MESSAGE_HEADER = 4;
const WARNING = 1;
const CLOSE_NOTIFY = 0;

/** Which messages may follow which (RFC 5246, 7.3). */
const AFTER: Readonly<Record<number, readonly number[]>> = {
  [MessageType.clientHello]: [MessageType.serverHello],
  [MessageType.serverHello]: [MessageType.certificate],
  [MessageType.certificate]: [MessageType.serverKeyExchange, MessageType.certificateRequest, MessageType.serverHelloDone],
  [MessageType.serverKeyExchange]: [MessageType.certificateRequest, MessageType.serverHelloDone],
  [MessageType.certificateRequest]: [MessageType.serverHelloDone],
};

/** A message of a handshake in one record of its own (RFC 5246, 6.2.1). Version 1.0, as every client writes it on its first one. */
export const recordOf = (message: Buffer): Buffer =>
  Buffer.concat([Buffer.of(ContentType.handshake, 3, 1, message.length >> 8, message.length & 0xff), message]);

/** Reads the answer to a ClientHello from bytes that come in any pieces, of messages that come in any records. */
export class ServerFlightReader {
  private records = Buffer.alloc(0);
  private messages = Buffer.alloc(0);
  private total = 0;
  private count = 0;
  private last: number = MessageType.clientHello;
  private chain: readonly Buffer[] = [];
  private authorities: readonly Buffer[] | undefined;

  /** @param place for the messages of errors: `10.0.0.1:6443` */
  constructor(private readonly place: string) {}

  /**
   * @returns undefined as long as the server has more to say; what comes after its last word is not looked at
   * @throws HandshakeRefused, HandshakeUnreadable
   */
  take(bytes: Buffer): ServerFlight | undefined {
    this.records = Buffer.concat([this.records, bytes]);
    while (this.records.length >= HEADER) {
      const length = this.lengthOfRecord();
      if (this.records.length < HEADER + length) return undefined;
      const type = this.records.readUInt8(0);
      const contents = this.records.subarray(HEADER, HEADER + length);
      this.records = this.records.subarray(HEADER + length);
      this.total += HEADER + length;
      this.count++;
      if (type === ContentType.alert) this.heed(contents);
      else if (this.readMessages(contents)) return { chain: this.chain, authorities: this.authorities };
    }
    return undefined;
  }

  /** How far it came, to be read after "the connection ended": `before a Certificate message`. */
  get progress(): string {
    if (this.total === 0) return this.records.length === 0 ? 'before a single byte' : 'inside of its first record';
    return this.last === MessageType.clientHello ? 'before its ServerHello' : `after its message of type ${this.last}`;
  }

  private lengthOfRecord(): number {
    const type = this.records.readUInt8(0);
    if (this.records.readUInt8(1) !== 3 || type < ContentType.changeCipherSpec || type > ContentType.applicationData) {
      const shown = JSON.stringify(this.records.toString('latin1', 0, HEADER).replace(/[^ -~]/g, '.'));
      return this.fail(`begins with ${shown}, which is no record of TLS`, 'give a port that speaks TLS');
    }
    const length = this.records.readUInt16BE(3);
    if (type !== ContentType.handshake && type !== ContentType.alert) this.fail(`has a record of type ${type} before any key is agreed on`);
    if (length === 0 || length > MAX_RECORD) this.fail(`has a record of ${length} bytes, and not of 1 to ${MAX_RECORD}`);
    if (this.total + HEADER + length > MAX_FLIGHT) this.fail(`is longer than ${MAX_FLIGHT} bytes`);
    if (this.count === MAX_RECORDS) this.fail(`has more than ${MAX_RECORDS} records`);
    return length;
  }

  private heed(alert: Buffer): void {
    const [level, description] = alert;
    if (alert.length !== 2 || level === undefined || description === undefined) return this.fail(`has an alert of ${alert.length} bytes`);
    // A server that does not know the name in SNI warns and goes on (RFC 6066, 3).
    if (level === WARNING && description !== CLOSE_NOTIFY) return;
    throw new HandshakeRefused(
      `${this.place} ended the handshake by the alert ${alertName(description)} (${description}): ${fixOfAlert(description)}`,
    );
  }

  /** @returns whether the server has said all */
  private readMessages(contents: Buffer): boolean {
    this.messages = Buffer.concat([this.messages, contents]);
    while (this.messages.length >= MESSAGE_HEADER) {
      const type = this.messages.readUInt8(0);
      const end = MESSAGE_HEADER + this.messages.readUIntBE(1, 3);
      if (AFTER[this.last]?.includes(type) !== true) this.fail(`has a message of type ${type} after one of type ${this.last}`);
      if (end > MAX_FLIGHT) this.fail(`has a message of ${end} bytes, which is longer than ${MAX_FLIGHT}`);
      if (this.messages.length < end) return false;
      this.readMessage(type, this.messages.subarray(MESSAGE_HEADER, end));
      this.messages = this.messages.subarray(end);
      this.last = type;
      if (type === MessageType.serverHelloDone) return true;
    }
    return false;
  }

  private readMessage(type: number, body: Buffer): void {
    if (type === MessageType.serverHello) checkServerHello(body, this.place);
    if (type === MessageType.certificate) this.chain = certificatesIn(body, this.place);
    if (type === MessageType.certificateRequest) this.authorities = authoritiesIn(body, this.place);
    if (type === MessageType.serverHelloDone && body.length > 0) this.fail(`has ${body.length} bytes in its ServerHelloDone`);
  }

  private fail(why: string, fix = 'see what listens there'): never {
    throw new HandshakeUnreadable(`the handshake of ${this.place} ${why}: ${fix}`);
  }
}
