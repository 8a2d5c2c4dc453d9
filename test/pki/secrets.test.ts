import { parseBundle } from '../../lambdas/pki/bundle';
import { inspect } from '../../lambdas/pki/inspect';
import { crossSign, issueLeaf, newAuthority } from '../../lambdas/pki/issue';
import { printKubeconfig, readKubeconfig } from '../../lambdas/pki/kubeconfig';
import { lint } from '../../lambdas/pki/lint';
import { readRequest } from '../../lambdas/pki/request';
import { NOW, authority, inDays, leafOf, profileOf, sharedKey } from './pki-world';

// Whatever is put where, what is thrown goes into logs: no line of a key may be in message, stack or cause.

const KEY = sharedKey('secret');
const DAMAGED = KEY.replace(/\n[^\n]*\n[^\n]*\n-----END/, '\n-----END');
const NO_BASE64 = KEY.replaceAll('A', '?');
const AS_CERTIFICATE = KEY.replaceAll('RSA PRIVATE KEY', 'CERTIFICATE');
const by = authority('cluster');
const term = { now: NOW, notAfter: inDays(9) };
const admin = profileOf('admin.conf');
const kubeconfig = printKubeconfig({ ...leafOf('admin.conf', by), key: KEY, ca: by.cert, server: 'https://x', cluster: 'k', user: 'u' });

const printed = (error: unknown): string => {
  if (!(error instanceof Error)) return JSON.stringify(error ?? null);
  return `${error.name} ${error.message} ${error.stack ?? ''} ${JSON.stringify(error)} ${printed(error.cause)}`;
};

const secrets = [KEY, Buffer.from(KEY).toString('base64'), DAMAGED, NO_BASE64].flatMap((text) => {
  const flat = text.replaceAll(/-----[^\n]*-----|\n/g, '');
  return Array.from({ length: Math.floor(flat.length / 24) }, (_, index) => flat.slice(index * 24, index * 24 + 24));
});

test.each<[string, () => unknown]>([
  ['a key as certificate to inspect', () => inspect(KEY)],
  ['a key called a certificate to inspect', () => inspect(AS_CERTIFICATE)],
  ['a key called a certificate in a bundle', () => parseBundle(by.cert + AS_CERTIFICATE)],
  ['a key in a bundle', () => parseBundle(by.cert + KEY)],
  ['a key that is no base64 in a bundle', () => parseBundle(NO_BASE64)],
  ['a key as issuer to lint', () => lint(by.cert, { issuer: KEY })],
  ['a key as request', () => readRequest(KEY)],
  ['a key called a request', () => readRequest(KEY.replaceAll('RSA PRIVATE KEY', 'CERTIFICATE REQUEST'))],
  ['a damaged key to sign with', () => issueLeaf({ cert: by.cert, key: DAMAGED }, admin, term)],
  ['a key that is no base64 to sign with', () => issueLeaf({ cert: by.cert, key: NO_BASE64 }, admin, term)],
  ['the key of another to sign with', () => issueLeaf({ cert: by.cert, key: KEY }, admin, term)],
  ['key and certificate in each other’s place', () => issueLeaf({ cert: KEY, key: by.cert }, admin, term)],
  ['a damaged key for a leaf', () => issueLeaf(by, admin, { ...term, key: DAMAGED })],
  ['a damaged key for an authority', () => newAuthority('etcd', { ...term, generation: 1, key: DAMAGED })],
  ['a key as root to cross-sign', () => crossSign({ cert: KEY }, by, { now: NOW })],
  ['a key as kubeconfig', () => readKubeconfig(KEY)],
  ['a kubeconfig that is no YAML', () => readKubeconfig(kubeconfig.replace('client-key-data: ', 'client-key-data: {'))],
  ['a kubeconfig whose key is no base64', () => readKubeconfig(kubeconfig.replace('client-key-data: ', 'client-key-data: "?"'))],
  ['a kubeconfig whose key is a list', () => readKubeconfig(kubeconfig.replace('client-key-data: ', 'client-key-data: \n      - '))],
  ['a kubeconfig whose key is called like its server', () => readKubeconfig(kubeconfig.replace('server: ', '"server": {} #'))],
])('%s throws nothing of the key', (_what, act) => {
  let error: unknown;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }

  expect(error).toMatchObject({ retryable: false });
  const text = printed(error);
  expect(secrets.filter((piece) => text.includes(piece))).toEqual([]);
  expect(text).not.toContain('PRIVATE KEY-----');
});
