// Who holds what, over one object as S3 keeps it. That S3 itself keeps conditions is tried through the deployed functions.
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { S3Lock } from '../../lambdas/aws/s3-lock';
import { NOW } from '../backup/snapshots';

const s3 = mockClient(S3Client);
let stored: { readonly text: string; readonly etag: string } | undefined;
let writes = 0;
let clock = NOW;
const lock = new S3Lock(
  new S3Client({ region: 'eu-central-1' }),
  { bucket: 'bucket', cluster: 'prod', name: 'control-plane', ttlMs: 60_000 },
  () => clock,
);

beforeEach(() => {
  s3.reset();
  stored = undefined;
  writes = 0;
  clock = NOW;
  s3.on(GetObjectCommand).callsFake(() => {
    if (stored === undefined) throw new NoSuchKey({ message: 'none', $metadata: {} });
    const { text, etag } = stored;
    return { Body: { transformToString: async () => text }, ContentLength: text.length, ETag: etag };
  });
  s3.on(PutObjectCommand).callsFake(({ Body, IfMatch }: { readonly Body: string; readonly IfMatch?: string }) => {
    if (stored?.etag !== IfMatch)
      throw new S3ServiceException({ name: 'PreconditionFailed', message: '', $fault: 'client', $metadata: { httpStatusCode: 412 } });
    writes++;
    stored = { text: Body, etag: `e${writes}` };
    return { ETag: stored.etag };
  });
});

const take = async (holder: string): Promise<boolean> => (await lock.acquire(holder)).acquired;
const later = (milliseconds: number): Date => new Date(clock.getTime() + milliseconds);

test('what one process took for a holder, another one gives back by his name', async () => {
  await take('run-1');

  await lock.release('run-1');

  expect(await take('run-2')).toBe(true);
});

test('what somebody else holds is not given back', async () => {
  await take('run-1');

  await lock.release('run-2');

  expect(await lock.acquire('run-2')).toMatchObject({ acquired: false, holder: 'run-1' });
});

test.each<[what: string, before: () => Promise<unknown>]>([
  ['was never taken', async () => undefined],
  ['was given back already', async () => (await take('run-1')) && lock.release('run-1')],
  [
    'ran out',
    async () => {
      await take('run-1');
      clock = later(60_000);
    },
  ],
])('a lock that %s is not written, so that nobody is refused in that moment', async (_what, before) => {
  await before();
  const already = writes;

  await lock.release('run-1');

  expect(writes).toBe(already);
});

test('a lock that somebody took over between reading and writing stays his', async () => {
  await take('run-1');
  const read = stored!;
  clock = later(59_999);
  s3.on(GetObjectCommand).callsFakeOnce(() => {
    stored = { text: JSON.stringify({ ...JSON.parse(read.text), holder: 'run-2', expiresAt: later(60_000).toISOString() }), etag: 'his' };
    return { Body: { transformToString: async () => read.text }, ContentLength: read.text.length, ETag: read.etag };
  });

  await lock.release('run-1');

  expect(stored).toMatchObject({ etag: 'his' });
});
