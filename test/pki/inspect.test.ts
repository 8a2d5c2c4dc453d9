import { X509Certificate, createHash } from 'node:crypto';
import { CertificateUnreadable } from '../../lambdas/pki/errors';
import { inspect } from '../../lambdas/pki/inspect';
import { issueLeaf } from '../../lambdas/pki/issue';
import { Oid } from '../../lambdas/pki/oids';
import { kubeadmAuthority } from './kubeadm-authority';
import { NOW, authority, inDays, leafOf, profileOf, sharedKey } from './pki-world';
import { extension, remake, replacing } from './remake';

test.each([
  ['a leaf', leafOf('apiserver').cert],
  ['a leaf with an organization', leafOf('super-admin.conf').cert],
  ['an authority', authority('cluster').cert],
  ['a root of kubeadm', kubeadmAuthority().cert],
])('of %s it says what OpenSSL says', (_sentence, cert) => {
  const x509 = new X509Certificate(cert);

  const told = inspect(cert);

  expect(told.subject.text.split(', ')).toEqual(x509.subject.split('\n'));
  expect(told.issuer.text.split(', ')).toEqual(x509.issuer.split('\n'));
  expect(told.serial).toBe(x509.serialNumber.toLowerCase());
  expect(told.sha256).toBe(x509.fingerprint256.replaceAll(':', '').toLowerCase());
  expect([told.notBefore, told.notAfter]).toEqual([new Date(x509.validFrom), new Date(x509.validTo)]);
  expect(told.isCa).toBe(x509.ca);
  const spki = x509.publicKey.export({ type: 'spki', format: 'der' });
  expect(told.publicKeySha256).toBe(createHash('sha256').update(spki).digest('hex'));
});

test('a root of kubeadm names no key of its authority', () => {
  expect(inspect(kubeadmAuthority().cert)).toMatchObject({ aki: undefined, subject: { commonName: 'kubernetes' } });
});

test('the key beside a certificate, as in the file of a kubelet, is not looked at', () => {
  const { cert } = leafOf('kubelet.conf');

  expect(inspect(sharedKey('leaf') + cert)).toEqual(inspect(cert));
});

test.each<[string, string, RegExp]>([
  ['two certificates', authority('cluster').cert + authority('etcd').cert, /a text with 2 certificates/],
  ['a key alone', sharedKey('leaf'), /a text with 0 certificates/],
  ['words', 'words', /a text with 0 certificates/],
  ['half a certificate', authority('etcd').cert.replace(/\n[^\n]*\n[^\n]*\n-----END/, '\n-----END'), /apiserver\.crt is damaged/],
])('%s cannot be inspected, and nothing of a key is told', (_sentence, text, message) => {
  const act = () => inspect(text, 'apiserver.crt');

  expect(act).toThrow(CertificateUnreadable);
  expect(act).toThrow(message);
  expect(act).not.toThrow(/[A-Za-z0-9+/]{60}/);
});

test.each([
  ['basic constraints', Oid.basicConstraints],
  ['a key usage', Oid.keyUsage],
  ['names', Oid.altNames],
  ['a key id of its authority', Oid.authorityKeyId],
])('an authority with %s that are no DER is damaged for whoever reads it', (_sentence, broken) => {
  const { cert, key } = authority('cluster');
  const damaged = remake(cert, key, (parts) => ({ extensions: replacing(parts, extension(broken, Buffer.of(0x30, 0x05, 0x01), true)) }));
  const admin = profileOf('admin.conf');

  expect(() => inspect(damaged)).toThrow(CertificateUnreadable);
  expect(() => issueLeaf({ cert: damaged, key }, admin, { now: NOW, notAfter: inDays(9), key })).toThrow(CertificateUnreadable);
});
