// Answers of S3 that the local cloud does not give. The rest is tried through the deployed functions.
import { Readable } from 'node:stream';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { S3Document } from '../../lambdas/aws/s3-document';

const s3 = mockClient(S3Client);
const document = new S3Document(new S3Client({ region: 'eu-central-1' }), 'bucket', 'clusters/prod/ledger.json', 'the ledger');
const refusal = (httpStatusCode: number, name: string) =>
  new S3ServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode } });

beforeEach(() => s3.reset());

test.each([
  [412, 'PreconditionFailed', 'e1'],
  [412, 'PreconditionFailed', undefined],
  [409, 'ConditionalRequestConflict', 'e1'],
  [404, 'NoSuchKey', 'e1'],
])('a write that is answered %i %s over %s was lost to somebody else', async (status, name, over) => {
  s3.on(PutObjectCommand).rejects(refusal(status, name));

  expect(await document.write('{}', over)).toBeUndefined();
});

test.each([
  [403, 'AccessDenied', 'e1'],
  [404, 'NoSuchBucket', undefined],
])('a write that is answered %i %s failed, and says on what', async (status, name, over) => {
  s3.on(PutObjectCommand).rejects(refusal(status, name));

  await expect(document.write('{}', over)).rejects.toThrow(
    expect.objectContaining({
      name: 'StoreFailed',
      message: `cannot write the ledger s3://bucket/clusters/prod/ledger.json: ${name}`,
    }) as Error,
  );
});

test.each([
  ['where nothing was read, only if there is still nothing', undefined, { IfNoneMatch: '*', IfMatch: undefined }],
  ['over what was read, only if it is still that', 'e1', { IfNoneMatch: undefined, IfMatch: 'e1' }],
])('it writes %s', async (_how, over, condition) => {
  s3.on(PutObjectCommand).resolves({ ETag: 'e2' });

  expect(await document.write('{}', over)).toBe('e2');
  const { IfNoneMatch, IfMatch } = s3.commandCalls(PutObjectCommand)[0]!.args[0].input;
  expect({ IfNoneMatch, IfMatch }).toEqual(condition);
});

test('an object that is missing is an answer; one that may not be read is an error', async () => {
  s3.on(GetObjectCommand)
    .rejectsOnce(new NoSuchKey({ message: 'gone', $metadata: {} }))
    .rejects(refusal(403, 'AccessDenied'));

  expect(await document.read()).toBeUndefined();
  await expect(document.read()).rejects.toThrow('cannot read the ledger s3://bucket/clusters/prod/ledger.json: AccessDenied');
});

test('an object that no reader could hold is not read, and its connection is given back', async () => {
  const endless = new Readable({ read() { this.push('x'); } }); // prettier-ignore
  s3.on(GetObjectCommand).resolves({ Body: endless as never, ContentLength: 2 * 1024 * 1024, ETag: 'e1' });

  expect(await document.read()).toEqual({ text: '', etag: 'e1' });
  expect(endless.destroyed).toBe(true);
});
