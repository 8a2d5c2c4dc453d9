import type { IncomingMessage } from 'node:http';

/** The S3 operation that a request asks for, by method and query; undefined for any other service. */
export function s3Operation({
  method = 'GET',
  url = '/',
  headers,
}: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): string | undefined {
  if (!/Credential=[^,]+\/s3\/aws4_request/.test(headers.authorization ?? '')) return undefined;
  const { pathname, searchParams: query } = new URL(url, 'http://s3');
  const isObject = /^\/[^/]+\/./.test(pathname);
  const found = MULTIPART.find((rule) => rule.method === method && rule.query.every((name) => query.has(name)));
  if (found !== undefined) return found.operation;
  if (isObject) return OBJECT[method];
  return method === 'GET' && query.has('list-type') ? 'ListObjectsV2' : undefined;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html, most specific first
const MULTIPART = [
  { method: 'PUT', query: ['partNumber', 'uploadId'], operation: 'UploadPart' },
  { method: 'POST', query: ['uploads'], operation: 'CreateMultipartUpload' },
  { method: 'POST', query: ['uploadId'], operation: 'CompleteMultipartUpload' },
  { method: 'DELETE', query: ['uploadId'], operation: 'AbortMultipartUpload' },
] as const;

const OBJECT: Readonly<Record<string, string>> = { PUT: 'PutObject', GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' };
