import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, connect } from 'node:tls';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { hostOf } from '../../contract/host-of';
import type { EtcdClientSecret } from '../../contract/secrets';

/** `none`: nothing is wrong with the connection: the handshake succeeded, and no alert came after it. */
export type Diagnosis = { readonly kind: 'tls' | 'network' | 'none'; readonly because: string };

const DIAL_MS = 5_000;

/**
 * Says why a member cannot be talked to, for a person: gRPC folds every TLS failure into "no connection established".
 *
 * Repeats the handshake without verification and judges what it saw, most specific reason first. In TLS 1.3 a server
 * refuses a client certificate only after the client's handshake is done (RFC 8446 §4.4.2), so the socket is read for a moment.
 *
 * @param endpoint `https://host:port`
 */
export async function diagnoseTls(endpoint: string, secret: EtcdClientSecret, now: Date, dialMs = DIAL_MS): Promise<Diagnosis> {
  const { hostname, port } = new URL(endpoint);
  const own = ownCertificateProblem(secret, now);
  return new Promise((resolve) => {
    const done = (diagnosis: Diagnosis) => {
      socket.destroy();
      resolve(diagnosis);
    };
    const socket = connect({
      host: hostOf(endpoint),
      port: Number(port || 443),
      ca: secret.ca,
      cert: secret.cert,
      key: secret.key,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    socket.setTimeout(dialMs, () => done({ kind: 'network', because: `no answer within ${dialMs / 1000} s` }));
    let seen: Diagnosis | undefined;
    socket.once('secureConnect', () => {
      seen = serverProblem(socket, hostname, now);
      if (seen) done(seen);
      else setTimeout(() => done({ kind: 'none', because: 'the handshake succeeds, but etcd does not answer calls' }), 500).unref();
    });
    // The server's first frame (RFC 9113 §3.4): by then it has accepted the client certificate.
    socket.once('data', () => done({ kind: 'none', because: 'the handshake succeeds, but etcd does not answer calls' }));
    socket.once('error', (error: NodeJS.ErrnoException) => done(seen ?? connectionProblem(error, own)));
  });
}

function ownCertificateProblem(secret: EtcdClientSecret, now: Date): string | undefined {
  try {
    const own = new X509Certificate(secret.cert);
    return new Date(own.validTo) < now
      ? `the client certificate in the secret expired on ${new Date(own.validTo).toISOString()}`
      : undefined;
  } catch {
    return 'the client certificate in the secret cannot be parsed';
  }
}

/** The server's certificate as this side judges it: expired, not yet valid, signed by another CA, or for another name. */
function serverProblem(socket: TLSSocket, hostname: string, now: Date): Diagnosis | undefined {
  const peer: PeerCertificate = socket.getPeerCertificate();
  const refused = (because: string): Diagnosis => ({ kind: 'tls', because });
  if (new Date(peer.valid_to) < now) return refused(`the server certificate expired on ${new Date(peer.valid_to).toISOString()}`);
  if (new Date(peer.valid_from) > now) {
    return refused(`the server certificate is not valid before ${new Date(peer.valid_from).toISOString()}: compare the clocks`);
  }
  // `authorizationError` is typed as an Error but holds OpenSSL's code as text.
  const code = socket.authorized ? '' : String(socket.authorizationError);
  const wrongName = checkServerIdentity(hostname.replace(/^\[|\]$/g, ''), peer);
  if (wrongName) {
    return refused(`the server certificate names ${peer.subjectaltname ?? 'no host'}, not ${hostname}: reissue it with that SAN`);
  }
  if (!socket.authorized) {
    const issuer = [peer.issuer.CN].flat()[0] ?? 'an unnamed issuer';
    return refused(`the server certificate is signed by "${issuer}", which the CA in the secret does not vouch for (${code})`);
  }
  return undefined;
}

/** The server hung up: an alert about our certificate, or no TLS, or nobody there. */
function connectionProblem(error: NodeJS.ErrnoException, own: string | undefined): Diagnosis {
  if (/ALERT/i.test(error.code ?? '') || /alert/.test(error.message)) {
    const alert = /alert ([a-z ]+)/.exec(error.message)?.[1]?.trim() ?? error.message;
    return { kind: 'tls', because: own ?? `the server refused the client certificate in the secret (alert: ${alert})` };
  }
  if (error.code === 'ERR_SSL_WRONG_VERSION_NUMBER') return { kind: 'tls', because: 'the port does not speak TLS' };
  if (error.code === 'ECONNRESET' && own !== undefined) return { kind: 'tls', because: own };
  return { kind: 'network', because: error.message };
}
