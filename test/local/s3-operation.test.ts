import { s3Operation } from '../../local/cloud/s3-operation';

const signedFor = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20261123/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

test.each([
  ['PUT', '/bucket/key?partNumber=3&uploadId=u', 'UploadPart'],
  ['POST', '/bucket/key?uploads', 'CreateMultipartUpload'],
  ['POST', '/bucket/key?uploadId=u', 'CompleteMultipartUpload'],
  ['DELETE', '/bucket/key?uploadId=u', 'AbortMultipartUpload'],
  ['PUT', '/bucket/a/b/key?x-id=PutObject', 'PutObject'],
  ['GET', '/bucket/key', 'GetObject'],
  ['HEAD', '/bucket/key', 'HeadObject'],
  ['GET', '/bucket?list-type=2&prefix=x', 'ListObjectsV2'],
  ['PUT', '/bucket', undefined],
])('%s %s is %s', (method, url, operation) => {
  expect(s3Operation({ method, url, headers: signedFor('s3') })).toBe(operation);
});

test('is nothing for another service', () => {
  expect(s3Operation({ method: 'POST', url: '/a/b?uploads', headers: signedFor('lambda') })).toBeUndefined();
});
