import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { hostOf } from '../../contract/host-of';
import type { EtcdClientSecret } from '../../contract/secrets';
import { messageOf } from '../../contract/lifeboat-error';
import { SnapshotStreamBroken } from '../errors';
import { SnapshotMessages } from './snapshot-messages';

const PATH = '/etcdserverpb.Maintenance/Snapshot';
/** One empty SnapshotRequest: not compressed, no bytes. */
const EMPTY_REQUEST = Buffer.alloc(5);
/** Lets one stream run at disk speed instead of one window of 64 KiB a round trip (RFC 9113 §6.9.2). */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** A member that sends nothing for this long is taken for dead. */
const STALL_MS = 30_000;

/**
 * Streams a snapshot over HTTP/2 directly: through a gRPC library each byte is copied three times and decoded once, which costs twice
 * the processor time and 80 MiB more memory for the same stream (docs/adr/0004).
 *
 * Ends normally only when etcd itself said that all was sent (`grpc-status: 0`).
 *
 * @throws SnapshotStreamBroken when the stream ends in any other way, stalls, or is aborted
 */
export async function* streamSnapshot(
  endpoint: string,
  secret: EtcdClientSecret,
  signal: AbortSignal,
  stallMs = STALL_MS,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const broken = (why: string, cause?: unknown) =>
    new SnapshotStreamBroken(`the snapshot stream of ${endpoint} broke off after ${bytes} bytes: ${why}`, { cause });
  const socket = socketTo(endpoint, secret);
  const session = connect(endpoint, { createConnection: () => socket, settings: { initialWindowSize: WINDOW_BYTES } });
  // An error of the session reaches the stream too, where it is told of.
  session.on('error', () => undefined);
  session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
  const stream = open(session);
  const status = grpcStatus(stream);
  const stalled = () => stream.destroy(broken(`nothing arrived for ${stallMs / 1000} s`));
  let stall = setTimeout(stalled, stallMs);
  const stop = () => stream.destroy(broken(messageOf(signal.reason), signal.reason));
  signal.addEventListener('abort', stop, { once: true });
  const gone = () => stream.destroy();
  socket.once('close', gone);
  try {
    if (signal.aborted) stop();
    const messages = new SnapshotMessages();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      // The clock only runs while this side waits: a reader that is slow to come back says nothing about the member.
      clearTimeout(stall);
      for (const blob of messages.blobsOf(chunk)) {
        bytes += blob.length;
        yield blob;
      }
      stall = setTimeout(stalled, stallMs);
    }
    const failure = status();
    if (failure !== undefined) throw broken(failure);
    if (!messages.complete) throw broken('it ended inside a message');
  } catch (error) {
    throw error instanceof SnapshotStreamBroken ? error : broken(messageOf(error), error);
  } finally {
    clearTimeout(stall);
    signal.removeEventListener('abort', stop);
    socket.removeListener('close', gone);
    stream.destroy();
    await close(session, socket);
  }
}

function open(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' });
  stream.end(EMPTY_REQUEST);
  return stream;
}

/** Remembers how etcd ended the call: in the trailers, or in the headers when it refuses at once. Tells what is wrong, if anything is. */
function grpcStatus(stream: ClientHttp2Stream): () => string | undefined {
  let status: string | undefined;
  let message = '';
  const note = (headers: IncomingHttpHeaders) => {
    status = headers['grpc-status']?.toString() ?? status;
    message = headers['grpc-message']?.toString() ?? message;
  };
  stream.on('response', note);
  stream.on('trailers', note);
  return () => {
    if (status === '0') return undefined;
    return status === undefined
      ? 'the connection ended before etcd had said that all was sent'
      : `etcd answered ${status} ${message}`.trim();
  };
}

/** A socket of its own: one that a session opens is out of reach when the session does not let go of it. */
function socketTo(endpoint: string, secret: EtcdClientSecret): Socket {
  const { protocol, port } = new URL(endpoint);
  const host = hostOf(endpoint);
  if (protocol === 'http:') return connectPlain({ host, port: Number(port) });
  const servername = isIP(host) === 0 ? host : undefined;
  return connectTls({ ...secret, host, port: Number(port || 443), ALPNProtocols: ['h2'], servername });
}

/**
 * Waits for the socket and not for the session: one that still has something to write to a peer that fell silent never says that it is closed,
 * and a process that waits for that ends without a word, with its lock held.
 */
async function close(session: ClientHttp2Session, socket: Socket): Promise<void> {
  session.destroy();
  if (socket.closed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
}
