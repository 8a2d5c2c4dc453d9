import { createServer } from 'node:http2';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { streamSnapshot } from '../../../lambdas/etcd/client/snapshot-stream';

/** SnapshotResponse { blob = 3 } of fewer than 128 bytes, with its gRPC prefix. */
const message = (blob: string) => Buffer.from([0, 0, 0, 0, blob.length + 2, 0x1a, blob.length, ...Buffer.from(blob)]);
const NOBODY = { ca: '', cert: '', key: '' };

describe('streamSnapshot', () => {
  let server: Http2Server;
  let answer: (stream: ServerHttp2Stream) => void;
  let endpoint: string;
  beforeAll(async () => {
    server = createServer();
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      answer(stream);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

  const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };
  const endWith = (stream: ServerHttp2Stream, trailers: Record<string, string>, ...messages: Buffer[]) => {
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(Buffer.concat(messages));
  };
  const collect = async (signal = new AbortController().signal, stallMs = 5_000, pause = 0) => {
    let text = '';
    for await (const bytes of streamSnapshot(endpoint, NOBODY, signal, stallMs)) {
      text += Buffer.from(bytes).toString();
      if (pause > 0) await wait(pause);
    }
    return text;
  };

  test('gives the bytes of all blobs when etcd says that all was sent', async () => {
    answer = (stream) => endWith(stream, { 'grpc-status': '0' }, message('lifeboat '), message('ahoy'));

    expect(await collect()).toBe('lifeboat ahoy');
  });

  test.each<[string, (stream: ServerHttp2Stream) => void, RegExp]>([
    [
      'etcd ends the call with an error',
      (stream) => endWith(stream, { 'grpc-status': '14', 'grpc-message': 'etcdserver: server stopped' }, message('half')),
      /after 4 bytes: etcd answered 14 etcdserver: server stopped/,
    ],
    [
      'etcd refuses at once',
      (stream) => stream.respond({ ...HEADERS, 'grpc-status': '7', 'grpc-message': 'permission denied' }, { endStream: true }),
      /after 0 bytes: etcd answered 7 permission denied/,
    ],
    [
      'the connection ends without a status',
      (stream) => {
        stream.respond(HEADERS);
        stream.end(message('half'));
      },
      /ended before etcd had said that all was sent/,
    ],
    [
      'a message is cut off',
      (stream) => endWith(stream, { 'grpc-status': '0' }, message('whole').subarray(0, 9)),
      /ended inside a message/,
    ],
    [
      'the stream is reset',
      (stream) => {
        stream.respond(HEADERS);
        stream.write(message('half'), () => stream.close(2));
      },
      /after 4 bytes: the connection ended before etcd had said that all was sent/,
    ],
  ])('breaks by name when %s', async (_what, behaviour, because) => {
    answer = behaviour;

    await expect(collect()).rejects.toThrow(
      expect.objectContaining({ name: 'SnapshotStreamBroken', message: expect.stringMatching(because) as string }) as Error,
    );
  });

  test('a member that goes silent is given up', async () => {
    answer = (stream) => {
      stream.respond(HEADERS);
      stream.write(message('half'));
    };

    await expect(collect(undefined, 100)).rejects.toThrow(/nothing arrived for 0.1 s/);
  });

  test('a reader that is slow to come back is not taken for a silent member', async () => {
    answer = (stream) => endWith(stream, { 'grpc-status': '0' }, message('one '), message('two'));

    expect(await collect(undefined, 100, 250)).toBe('one two');
  });

  test('ends with the reason of the signal', async () => {
    const time = new AbortController();
    answer = (stream) => {
      stream.respond(HEADERS);
      time.abort(new Error('time is nearly over'));
    };

    await expect(collect(time.signal)).rejects.toThrow(/after 0 bytes: time is nearly over/);
  });
});
