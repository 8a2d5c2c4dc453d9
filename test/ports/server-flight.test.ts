import fc from 'fast-check';
import { HandshakeRefused, HandshakeUnreadable } from '../../lambdas/ports/errors';
import type { ServerFlight } from '../../lambdas/ports/server-flight';
import { ServerFlightReader, recordOf } from '../../lambdas/ports/server-flight';
import {
  certificate,
  certificateRequest,
  cutAt,
  inRecords,
  message,
  messagesOf,
  record,
  serverHello,
  serverHelloDone,
  serverKeyExchange,
} from './flights';

const PLACE = '10.0.0.1:6443';

/** Reads the pieces one after the other, until the server has said all. */
function read(...pieces: readonly Buffer[]): ServerFlight | undefined {
  const reader = new ServerFlightReader(PLACE);
  for (const piece of pieces) {
    const flight = reader.take(piece);
    if (flight !== undefined) return flight;
  }
  return undefined;
}
const plain = (flight: ServerFlight | undefined) =>
  flight && {
    chain: flight.chain.map((der) => der.toString('hex')),
    authorities: flight.authorities?.map((der) => der.toString('hex')),
  };

const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength }).map((array) => Buffer.from(array));
const said = fc.record({
  chain: fc.array(bytes(2000), { minLength: 1, maxLength: 4 }),
  authorities: fc.option(fc.array(bytes(80), { maxLength: 5 }), { nil: undefined }),
});
const cuts = fc.array(fc.nat(100_000), { maxLength: 30 });

describe('for any server', () => {
  test('what it says is read as it was said, in whatever records and pieces it comes', () => {
    fc.assert(
      fc.property(said, cuts, cuts, (flight, records, pieces) => {
        const stream = inRecords(messagesOf(flight), records);

        expect(plain(read(...cutAt(stream, pieces)))).toEqual(plain(flight));
      }),
    );
  });

  test('byte by byte is as good as all at once, and what comes after its last word is not looked at', () => {
    fc.assert(
      fc.property(said, bytes(50), (flight, more) => {
        const stream = Buffer.concat([inRecords(messagesOf(flight)), more]);

        expect(plain(read(...Array.from(stream, (byte) => Buffer.of(byte))))).toEqual(plain(flight));
        expect(plain(read(stream))).toEqual(plain(flight));
      }),
      { numRuns: 20 },
    );
  });

  test('a stream that is cut anywhere is not taken for a whole one', () => {
    fc.assert(
      fc.property(said, cuts, fc.nat(), (flight, records, cut) => {
        const stream = inRecords(messagesOf(flight), records);

        expect(read(stream.subarray(0, cut % stream.length))).toBeUndefined();
      }),
    );
  });

  test('whatever is damaged, it ends in a result, in a wait or in an error of this room, in pieces as at once', () => {
    const outcome = (...pieces: readonly Buffer[]) => {
      try {
        return plain(read(...pieces)) ?? 'waits';
      } catch (error) {
        if (!(error instanceof HandshakeUnreadable || error instanceof HandshakeRefused)) throw error;
        return error.message;
      }
    };
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    const seen = { errors: 0 };
    fc.assert(
      fc.property(said, cuts, damage, cuts, (flight, records, damages, pieces) => {
        const stream = inRecords(messagesOf(flight), records);
        // Half of the damages hit the first bytes, where lengths and types are close together.
        for (const [at, value] of damages) stream.writeUInt8(value, at % (at % 2 === 0 ? stream.length : Math.min(120, stream.length)));

        const whole = outcome(stream);
        if (typeof whole === 'string' && whole !== 'waits') seen.errors++;
        expect(outcome(...cutAt(stream, pieces))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
    expect(seen.errors).toBeGreaterThan(100);
  });

  test('noise is nothing but an error or a wait', () => {
    fc.assert(
      fc.property(bytes(400), fc.boolean(), (noise, inside) => {
        try {
          expect(read(inside ? record(22, noise) : noise)).toBeUndefined();
        } catch (error) {
          expect(error).toBeInstanceOf(inside ? HandshakeUnreadable : Error);
          expect(error instanceof HandshakeUnreadable || error instanceof HandshakeRefused).toBe(true);
        }
      }),
    );
  });
});

const [cert, name] = [Buffer.from('a certificate'), Buffer.from('a name')];

test('a server that asks for no certificate names no authorities, and one that asks whomever names none', () => {
  expect(read(inRecords(messagesOf({ chain: [cert], authorities: undefined })))?.authorities).toBeUndefined();
  expect(read(inRecords(messagesOf({ chain: [cert], authorities: [] })))?.authorities).toEqual([]);
});

test('a server whose key exchange has no message of its own is read as well', () => {
  const flight = read(inRecords(Buffer.concat([serverHello(), certificate(cert), certificateRequest(name), serverHelloDone()])));

  expect(flight).toEqual({ chain: [cert], authorities: [name] });
});

test('a warning does not end the handshake', () => {
  const warned = Buffer.concat([record(21, Buffer.of(1, 112)), inRecords(messagesOf({ chain: [cert], authorities: [name] }))]);

  expect(read(warned)).toEqual({ chain: [cert], authorities: [name] });
});

test.each([
  [
    'of TLS 1.3 alone',
    Buffer.of(2, 70),
    /^10\.0\.0\.1:6443 ended the handshake by the alert protocol_version \(70\): .*let it speak TLS 1\.2/,
  ],
  ['without a common cipher suite', Buffer.of(2, 40), /handshake_failure \(40\): .*AES-GCM/],
  ['that does not know the name', Buffer.of(2, 112), /unrecognized_name \(112\): .*give the name/],
  ['that closes by a warning', Buffer.of(1, 0), /close_notify \(0\): its own log/],
  ['with an alert that nobody knows', Buffer.of(2, 222), /alert 222 \(222\)/],
])('the alert of a server %s is told by its name, with what to do', (_sentence, alert, text) => {
  expect(() => read(record(21, alert))).toThrow(HandshakeRefused);
  expect(() => read(record(21, alert))).toThrow(text);
});

const start = Buffer.concat([serverHello(), certificate(cert)]);
const handshake = (...messages: readonly Buffer[]): Buffer => inRecords(Buffer.concat(messages));

test.each<[string, Buffer, RegExp]>([
  [
    'speaks HTTP',
    Buffer.from('HTTP/1.1 400 Bad Request\r\n'),
    /begins with "HTTP\/", which is no record of TLS: give a port that speaks TLS/,
  ],
  ['speaks first and no TLS', Buffer.from('\0\x15\xffSSH-2.0'), /begins with "\.{4}S"/],
  ['begins with application data', record(23, cert), /a record of type 23/],
  ['begins with a change of cipher', record(20, Buffer.of(1)), /a record of type 20/],
  ['sends an empty record', Buffer.of(22, 3, 3, 0, 0), /a record of 0 bytes/],
  ['sends a record that is too long', Buffer.of(22, 3, 3, 0x40, 1), /a record of 16385 bytes, and not of 1 to 16384/],
  ['sends half an alert', record(21, Buffer.of(2)), /an alert of 1 bytes/],
  ['announces a message that never ends', record(22, Buffer.of(2, 0xff, 0xff, 0xff)), /a message of 16777219 bytes/],
  ['sends more than any server', inRecords(Buffer.concat([start, serverKeyExchange(262_000)])), /is longer than 262144 bytes/],
  ['sends its certificate first', handshake(certificate(cert)), /a message of type 11 after one of type 1/],
  ['sends its certificate twice', handshake(start, certificate(cert)), /a message of type 11 after one of type 11/],
  ['ends without a certificate', handshake(serverHello(), serverHelloDone()), /a message of type 14 after one of type 2/],
  ['answers as a client', recordOf(message(1, cert)), /a message of type 1 after one of type 1/],
  ['chooses TLS 1.1', handshake(serverHello({ version: 0x0302 })), /chooses version 0x302 of TLS where only 0x303/],
  ['chooses a suite that was not offered', handshake(serverHello({ suite: 0x002f })), /cipher suite 0x2f, which was not offered/],
  ['chooses a compression', handshake(serverHello({ compression: 1 })), /compression 1, which was not offered/],
  ['has no certificate', handshake(serverHello(), certificate()), /the Certificate message of 10\.0\.0\.1:6443 has no certificate/],
  ['has bytes after its certificates', handshake(serverHello(), message(11, Buffer.of(0, 0, 0, 0))), /has 1 bytes after its end/],
  [
    'cuts a certificate',
    handshake(serverHello(), message(11, Buffer.of(0, 0, 4, 0, 0, 9, 1))),
    /ends at byte 4, inside of something that reaches to 12/,
  ],
  ['cuts a name', handshake(start, message(13, Buffer.of(0, 0, 0, 0, 3, 0, 9, 1))), /the CertificateRequest of .* ends at byte 3/],
  ['says something with its last word', handshake(start, message(14, cert)), /13 bytes in its ServerHelloDone/],
])('a server that %s is not read any further', (_sentence, stream, text) => {
  expect(() => read(stream)).toThrow(HandshakeUnreadable);
  expect(() => read(stream)).toThrow(text);
});

test('many records of one byte each end as well', () => {
  const begun = inRecords(Buffer.concat([start, serverKeyExchange(200 * 1024).subarray(0, 10)]));
  const dribble = Array.from({ length: 3_000 }, () => record(22, Buffer.of(5)));

  expect(() => read(begun, ...dribble)).toThrow(/has more than 2048 records/);
});
