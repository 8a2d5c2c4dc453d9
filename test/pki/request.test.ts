import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { RequestRefused, UnsupportedKey } from '../../lambdas/pki/errors';
import { inspect } from '../../lambdas/pki/inspect';
import { printPem } from '../../lambdas/pki/pem';
import { readRequest, signRequest } from '../../lambdas/pki/request';
import { writeName } from '../../lambdas/pki/sign-certificate';
import { bitString, explicit, integer, sequence } from '../../lambdas/pki/write-der';
import { NOW, authority, inDays, profileOf, sharedKey } from './pki-world';
import { algorithm } from './remake';

const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const SHA1_WITH_RSA = '1.2.840.113549.1.1.5';
const SHA256_WITH_ECDSA = '1.2.840.10045.4.3.2';

interface RequestOptions {
  readonly signedBy?: KeyObject;
  readonly publicKey?: Buffer;
  readonly oid?: string;
  readonly hash?: string;
  readonly label?: string;
}

const mine = createPrivateKey(sharedKey('leaf'));
const spki = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

/** Good by default, and greedy: it asks to be the first of all administrators. */
function request(options: RequestOptions = {}): string {
  const { signedBy = mine, publicKey = spki(mine), oid = SHA256_WITH_RSA, hash = 'sha256', label = 'CERTIFICATE REQUEST' } = options;
  const subject = writeName({ commonName: 'evil', organization: 'system:masters' });
  const info = sequence(integer(Buffer.of(0)), subject, publicKey, explicit(0, Buffer.alloc(0)));
  return printPem({ label, der: sequence(info, algorithm(oid), bitString(sign(hash, info, signedBy))) });
}

const term = { notAfter: inDays(90), now: NOW };
const kubelet = profileOf('kubelet.conf');
const other = createPrivateKey(sharedKey('another'));

test('a request gives its public key and nothing else: who it is for comes from the profile', () => {
  const by = authority('cluster');

  const told = inspect(signRequest(by, request(), kubelet, term).cert);

  expect(told.subject).toMatchObject({ commonName: 'system:node:cp-1', organizations: ['system:nodes'] });
  expect(told).toMatchObject({ eku: ['clientAuth'], isCa: false, sans: { dns: [], ips: [] }, aki: inspect(by.cert).ski });
  expect(readRequest(request())).toEqual({ publicKey: spki(mine), keyType: 'RSA-2048' });
});

test('it is capped as every leaf is', () => {
  expect(signRequest(authority('cluster', 1, inDays(9)), request(), kubelet, term)).toMatchObject({
    notAfter: inDays(9),
    capped: { wished: inDays(90) },
  });
});

test.each<[string, string, RegExp]>([
  ['signed by another key than it holds', request({ signedBy: other }), /has not proven to have that key/],
  ['that holds the key of somebody else', request({ publicKey: spki(other) }), /has not proven to have that key/],
  ['signed by SHA-1', request({ oid: SHA1_WITH_RSA, hash: 'sha1' }), /sign it with SHA-256/],
  ['that says it is signed by another kind of key', request({ oid: SHA256_WITH_ECDSA }), /has not proven/],
  ['that is a certificate', authority('cluster').cert, /not one certificate signing request/],
  ['of two requests', request() + request(), /not one certificate signing request/],
  ['without PEM', 'words', /not one certificate signing request/],
  ['cut short', request().replace(/\n[^\n]*\n[^\n]*\n-----END/, '\n-----END'), /the request is damaged: it ends inside/],
  ['that is no base64', request().replace('\nM', '\n!'), /block 1 of 1 is not base64/],
  [
    'whose key is none',
    request({ publicKey: sequence(algorithm('1.2.3'), bitString(Buffer.of(1))) }),
    /public key that OpenSSL cannot read/,
  ],
])('a request %s is refused', (_sentence, pem, message) => {
  const act = () => signRequest(authority('cluster'), pem, kubelet, term);

  expect(act).toThrow(RequestRefused);
  expect(act).toThrow(message);
});

test('every byte of a request is under its signature or makes it unreadable', () => {
  const lines = request().trim().split('\n');
  const der = Buffer.from(lines.slice(1, -1).join(''), 'base64');

  for (let at = 0; at < der.length; at += 7) {
    const damaged = Buffer.from(der);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x01, at);

    expect(() => readRequest(printPem({ label: 'CERTIFICATE REQUEST', der: damaged }))).toThrow(RequestRefused);
  }
});

test('a request for an ECDSA key is read, and refused with the setting that makes such keys', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = request({ signedBy: privateKey, publicKey: spki(privateKey), oid: SHA256_WITH_ECDSA });

  expect(readRequest(pem).keyType).toBe('ECDSA-P256');
  expect(() => signRequest(authority('cluster'), pem, kubelet, term)).toThrow(UnsupportedKey);
});
