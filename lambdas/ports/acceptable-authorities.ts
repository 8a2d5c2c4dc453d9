import { randomBytes } from 'node:crypto';
import { connect, isIP } from 'node:net';
import { LifeboatError, messageOf } from '../contract/lifeboat-error';
import { printName, readName } from '../pki/certificate-fields';
import { NotDer, Tag, readDer } from '../pki/der';
import { printPem } from '../pki/pem';
import { HandshakeUnreadable, PortUnreachable } from './errors';
import { ServerFlightReader, recordOf } from './server-flight';
import type { ServerFlight } from './server-flight';
import type { Port } from './served-certificate';
import { clientHello } from './tls-messages';

export interface AcceptableAuthority {
  /** The name as it is written, DER in base64: two names are the same only when these bytes are. */
  readonly der: string;
  /** `CN=kubernetes-g2-1f0c9a2e` */
  readonly text: string;
}

/** What a TLS server tells everybody. */
export interface Asked {
  /** What it serves, PEM, its own certificate first. */
  readonly chain: readonly string[];
  /**
   * The names of the authorities whose clients it accepts, out of its memory and not out of a file; one name may stand there twice. Empty when it
   * asks for a certificate of whomever, undefined when it asks for none.
   */
  readonly authorities: readonly AcceptableAuthority[] | undefined;
}

const WITHIN_MS = 5_000;

/**
 * What a TLS server has in its memory as authorities of its clients, and the chain that it serves, without any credential: by a handshake of TLS 1.2
 * that ends when it is this side's turn to show something (RFC 5246, 7.3). `node:tls` keeps that list to itself.
 *
 * Names alone are told: two authorities of one name cannot be told apart here.
 *
 * @throws PortUnreachable when nobody listens, or when it does not say all of it within the time
 * @throws HandshakeRefused when it ends the handshake by an alert, as whoever speaks TLS 1.3 only
 * @throws HandshakeUnreadable when it speaks no TLS, or says what no server says
 */
export function acceptableAuthorities(
  { host, port, serverName }: Pick<Port, 'host' | 'port' | 'serverName'>,
  withinMs = WITHIN_MS,
): Promise<Asked> {
  const place = `${host}:${port}`;
  const name = serverName ?? (isIP(host) === 0 ? host : undefined);
  return new Promise((resolve, reject) => {
    const reader = new ServerFlightReader(place);
    const socket = connect({ host, port });
    const done = (settle: () => void) => {
      clearTimeout(limit);
      socket.destroy();
      settle();
    };
    const fail = (error: LifeboatError) => done(() => reject(error));
    const unreachable = (why: string, cause?: unknown) => fail(new PortUnreachable(`${place} ${why}`, { cause }));
    const limit = setTimeout(
      () => unreachable(`did not end its part of a handshake within ${withinMs} ms, it stopped ${reader.progress}: see that it is well`),
      withinMs,
    );
    socket.once('connect', () => socket.write(recordOf(clientHello(randomBytes(32), name))));
    socket.on('data', (bytes) => {
      try {
        const flight = reader.take(bytes);
        if (flight === undefined) return;
        const asked = told(flight, place);
        done(() => resolve(asked));
      } catch (error) {
        fail(
          error instanceof LifeboatError
            ? error
            : new HandshakeUnreadable(`${place} cannot be read: ${messageOf(error)}`, { cause: error }),
        );
      }
    });
    // Of several addresses none of which answered the message is empty, and the code is not.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      unreachable(`cannot be asked: ${error.message || (error.code ?? error.name)}: see that it runs and lets this side in`, error),
    );
    socket.once('end', () => unreachable(`ended the connection ${reader.progress}: see that it runs and that this is a TLS port`));
  });
}

function told({ chain, authorities }: ServerFlight, place: string): Asked {
  try {
    return {
      chain: chain.map((der) => printPem({ label: 'CERTIFICATE', der: readDer(der, Tag.sequence).whole })),
      authorities: authorities?.map((der) => ({ der: der.toString('base64'), text: printName(readName(der)) })),
    };
  } catch (error) {
    if (!(error instanceof NotDer)) throw error;
    throw new HandshakeUnreadable(`${place} sends as a certificate or a name what ${error.message}: see what listens there`, {
      cause: error,
    });
  }
}
