import { connect } from 'node:tls';
import { createHash } from 'node:crypto';

/** A port of the control plane, and what this side shows it. */
export interface Port {
  readonly host: string;
  readonly port: number;
  /** PEM texts: what the other side must be vouched for by. */
  readonly ca: string;
  /** A client certificate and its key; none where the port asks for none. */
  readonly client?: { readonly cert: string; readonly key: string };
  /** What is asked by HTTP after the handshake: kube-apiserver lets everybody in and judges a client certificate only then. @default - nothing */
  readonly path?: string;
  /** Name for SNI and for the comparison with the certificate. @default - the host */
  readonly serverName?: string;
}

export interface Served {
  /** SHA-256 of the DER of the certificate that it serves; missing when no handshake came so far. */
  readonly sha256?: string;
  readonly notAfter?: string;
  /** Whether both sides accepted each other; in TLS 1.3 the other side says so only after the handshake (RFC 8446, 4.4.2). */
  readonly accepted: boolean;
  /** Of the answer to the path. */
  readonly status?: number;
  readonly because: string;
}

const WITHIN_MS = 5_000;
/** So long a refusal may take that comes after the handshake. Servers that speak first (HTTP/2) end the wait. */
const ALERT_MS = 700;

/**
 * A fresh handshake: what is served now, and whether it and this side's own certificate are accepted. A connection that is open already would
 * say nothing: it lives by what was agreed when it began.
 */
export function servedCertificate({ host, port, ca, client, serverName, path }: Port, withinMs = WITHIN_MS): Promise<Served> {
  return new Promise((resolve) => {
    const dialled = {
      host,
      port,
      ca,
      ...client,
      ALPNProtocols: path === undefined ? ['h2', 'http/1.1'] : ['http/1.1'],
      rejectUnauthorized: false,
    };
    const socket = connect({ ...dialled, ...(serverName !== undefined && { servername: serverName }) });
    let seen: Pick<Served, 'sha256' | 'notAfter' | 'status'> = {};
    let refused = '';
    const done = (accepted: boolean, because: string) => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ ...seen, accepted, because });
    };
    const limit = setTimeout(() => done(false, `no answer within ${withinMs} ms`), withinMs);
    socket.once('secureConnect', () => {
      const { raw, valid_to } = socket.getPeerCertificate();
      seen = { sha256: createHash('sha256').update(raw).digest('hex'), notAfter: new Date(valid_to).toISOString() };
      if (!socket.authorized) refused = `its certificate is not accepted: ${String(socket.authorizationError)}`;
      if (refused !== '') done(false, refused);
      else if (path !== undefined) socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      else setTimeout(() => done(true, 'both sides accept each other'), ALERT_MS).unref();
    });
    socket.once('data', (bytes: Buffer) => {
      const status = path === undefined ? undefined : /^HTTP\/1\.1 (\d{3})/.exec(bytes.toString('latin1'))?.[1];
      if (status !== undefined) seen = { ...seen, status: Number(status) };
      if (status === '401') done(false, 'it answers 401: the client certificate is nobody that it knows');
      else done(refused === '', refused || 'both sides accept each other');
    });
    socket.once('error', (error: Error) => done(false, error.message));
    socket.once('end', () => done(false, 'it ended the connection'));
  });
}
