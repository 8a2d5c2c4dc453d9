import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { Tag } from '../../lambdas/pki/der';
import { BadLeafInput, SignerUnusable, UnsupportedKey } from '../../lambdas/pki/errors';
import { inspect } from '../../lambdas/pki/inspect';
import { crossSign, issueLeaf, newAuthority } from '../../lambdas/pki/issue';
import { Oid } from '../../lambdas/pki/oids';
import { readCertificate } from '../../lambdas/pki/read-certificate';
import { bitString, integer, sequence, yes } from '../../lambdas/pki/write-der';
import { kubeadmAuthority } from './kubeadm-authority';
import { NOW, authority, inDays, leafOf, profileOf, sharedKey } from './pki-world';
import { extension, remake, replacing, without } from './remake';

const term = { notAfter: inDays(90), now: NOW };
const admin = profileOf('admin.conf');
const key = sharedKey('leaf');

describe('a leaf', () => {
  test('begins five minutes ago and ends when it should', () => {
    const issued = issueLeaf(authority('cluster'), admin, { ...term, key });

    expect(issued).toMatchObject({ notBefore: new Date(NOW.getTime() - 300_000), notAfter: inDays(90) });
    expect(issued.capped).toBeUndefined();
    expect(inspect(issued.cert)).toMatchObject({ notBefore: issued.notBefore, notAfter: issued.notAfter });
  });

  test('never outlives its signer, and says so', () => {
    const by = authority('cluster', 1, inDays(30));

    const issued = issueLeaf(by, admin, { ...term, key });

    expect(issued).toMatchObject({ notAfter: inDays(30), capped: { wished: inDays(90) } });
    expect(inspect(issued.cert).notAfter).toEqual(inDays(30));
  });

  test('ends within its signer whatever is wished for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 4000 }), fc.nat(86_399_999), (life, wish, offset) => {
        const by = authority('cluster', 1, inDays(life));
        const notAfter = new Date(inDays(wish).getTime() + offset);

        const issued = issueLeaf(by, admin, { now: NOW, notAfter, key });

        expect(issued.notAfter.getTime()).toBeLessThanOrEqual(by.notAfter.getTime());
        expect(issued.capped !== undefined).toBe(notAfter.getTime() - 999 > by.notAfter.getTime());
      }),
      { numRuns: 25 },
    );
  });

  test('does not begin before its signer', () => {
    const by = newAuthority('cluster', { generation: 1, notAfter: inDays(9), now: new Date(NOW.getTime() + 60_000), key });

    expect(issueLeaf(by, admin, { ...term, key }).notBefore).toEqual(new Date(NOW.getTime() - 240_000));
  });

  test('may end after 2050, where certificates write the year in four digits', () => {
    const far = new Date('2061-01-01T00:00:00Z');
    const by = authority('cluster', 1, far);

    expect(inspect(issueLeaf(by, admin, { now: NOW, notAfter: far, key }).cert).notAfter).toEqual(far);
  });

  test('gets a new key of its own, in PKCS #1 as kubeadm writes it', () => {
    const [first, second] = [issueLeaf(authority('cluster'), admin, term), issueLeaf(authority('cluster'), admin, term)];

    expect(first.key).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    expect(first.key).not.toBe(second.key);
    expect(new X509Certificate(first.cert).checkPrivateKey(createPrivateKey(first.key))).toBe(true);
  });

  test('has a serial of 16 octets that is positive and never the same', () => {
    const serials = Array.from({ length: 40 }, () => inspect(leafOf('admin.conf').cert).serial);

    expect(new Set(serials).size).toBe(serials.length);
    expect(serials.filter((serial) => !/^[4-7][0-9a-f]{31}$/.test(serial))).toEqual([]);
  });

  test("names its authority's key and not its own", () => {
    const by = authority('cluster');
    const told = inspect(issueLeaf(by, admin, { ...term, key }).cert);

    expect(told.aki).toBe(inspect(by.cert).ski);
    expect(told.ski).not.toBe(told.aki);
  });

  test('can be signed by the root that kubeadm made, and repeats its name byte for byte', () => {
    const by = kubeadmAuthority();

    const told = inspect(issueLeaf(by, admin, { ...term, key }).cert);

    expect(told.issuer).toEqual(inspect(by.cert).subject);
    expect(told.issuer.text).toBe('CN=kubernetes');
  });

  test('names the key of an authority that has no id of its own by the SHA-1 of the key', () => {
    const { cert, key: signing } = authority('cluster');
    const bare = remake(cert, signing, (parts) => ({ extensions: without(parts, Oid.subjectKeyId, Oid.authorityKeyId) }));

    expect(inspect(issueLeaf({ cert: bare, key: signing }, admin, { ...term, key }).cert).aki).toBe(inspect(cert).ski);
  });

  test.each([
    ['has passed', inDays(-1), /2026-11-25T12:00:00\.000Z.*wish for a later end/],
    ['is no date', new Date(NaN), /no date/],
  ])('is refused when its end %s', (_sentence, notAfter, message) => {
    const wish = () => issueLeaf(authority('cluster'), admin, { now: NOW, notAfter, key });

    expect(wish).toThrow(BadLeafInput);
    expect(wish).toThrow(message);
  });
});

describe('an authority', () => {
  test('has a name that no other has, even when a generation is minted twice', () => {
    const minted = [1, 2, 2].map((generation, index) =>
      newAuthority('cluster', { generation, notAfter: inDays(9), now: NOW, key: sharedKey(`again ${index}`) }),
    );

    expect(new Set(minted.map(({ cert }) => inspect(cert).subject.der)).size).toBe(3);
    expect(inspect(minted[1]!.cert).subject.text).toMatch(/^CN=kubernetes-g2-[0-9a-f]{8}$/);
  });

  test('is written in UTF8String, which Go reads whatever is in it', () => {
    const { subject } = readCertificate(authority('etcd').cert).fields;

    expect(subject.attributes.map(({ tag }) => tag)).toEqual([Tag.utf8]);
  });

  const by = authority('cluster');
  const ended = new Date(by.notAfter.getTime());
  test.each([
    ['before it begins', by, inDays(-1), /valid only from/],
    ['at its end', by, ended, /ended 2031/],
    ['when it is a leaf', leafOf('admin.conf', by), NOW, /is not an authority/],
    ['with the key of another', { cert: by.cert, key }, NOW, /belongs to another certificate/],
    ['with a key that is none', { cert: by.cert, key: 'secret-text' }, NOW, /cannot be read/],
  ])('does not sign %s', (_sentence, signer, now, message) => {
    const sign = () => issueLeaf(signer, admin, { now, notAfter: new Date(now.getTime() + 1e9), key });

    expect(sign).toThrow(SignerUnusable);
    expect(sign).toThrow(message);
  });

  test('that may not sign certificates does not sign', () => {
    const cert = remake(by.cert, by.key, (parts) => ({
      extensions: replacing(parts, extension(Oid.keyUsage, bitString(Buffer.of(0b1010_0000), 5), true)),
    }));

    expect(() => issueLeaf({ cert, key: by.key }, admin, { ...term, key })).toThrow(/may not sign certificates/);
  });
});

describe('keys that kubeadm makes when encryptionAlgorithm is ECDSA', () => {
  const ec = (namedCurve: string) =>
    generateKeyPairSync('ec', {
      namedCurve,
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'der' },
    });
  const { publicKey, privateKey } = ec('P-256');
  const root = authority('cluster');
  const cert = remake(root.cert, root.key, () => ({ publicKey }));

  test('are recognised in a certificate', () => {
    expect(inspect(cert).keyType).toBe('ECDSA-P256');
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'an authority',
      () => issueLeaf({ cert, key: privateKey }, admin, term),
      /the authority has.*ECDSA-P256.*encryptionAlgorithm is ECDSA-P256/,
    ],
    ['a leaf', () => issueLeaf(root, admin, { ...term, key: ec('P-384').privateKey }), /encryptionAlgorithm is ECDSA-P384/],
    ['a root to cross-sign', () => crossSign({ cert }, root, { now: NOW }), /the new authority.*ECDSA-P256/],
    ['a new authority', () => newAuthority('etcd', { generation: 1, ...term, key: privateKey }), /ECDSA-P256/],
  ])('are refused for %s, with the setting to blame', (_sentence, act, message) => {
    expect(act).toThrow(UnsupportedKey);
    expect(act).toThrow(message);
  });

  test('so are RSA keys of 1024 bits', () => {
    expect(() => issueLeaf(root, admin, { ...term, bits: 1024 })).toThrow(/RSA-1024.*2048 bits or more/);
  });
});

describe('cross-signing', () => {
  const [old, next] = [authority('cluster', 1, inDays(400)), authority('cluster', 2)];

  test("gives the new root's name, key and key id to whoever trusts the old one", () => {
    const cross = inspect(crossSign(next, old, { now: NOW }).cert);
    const root = inspect(next.cert);

    expect(cross).toMatchObject({ subject: root.subject, publicKeySha256: root.publicKeySha256, ski: root.ski, isCa: true });
    expect(cross).toMatchObject({ issuer: inspect(old.cert).subject, aki: inspect(old.cert).ski });
  });

  test('ends with the old root, which ends first, and says so', () => {
    expect(crossSign(next, old, { now: NOW })).toMatchObject({ notAfter: inDays(400), capped: { wished: inDays(1825) } });
  });

  test('ends earlier when that is wished for, and never after the new root', () => {
    expect(crossSign(next, old, { now: NOW, notAfter: inDays(9) }).notAfter).toEqual(inDays(9));
    expect(crossSign(old, next, { now: NOW, notAfter: inDays(900) }).notAfter).toEqual(inDays(400));
  });

  test('is refused between two roots of one name: OpenSSL would try the wrong key', () => {
    const act = () => crossSign(kubeadmAuthority(2), kubeadmAuthority(1), { now: NOW });

    expect(act).toThrow(SignerUnusable);
    expect(act).toThrow(/both called kubernetes/);
  });

  test.each([
    ['pathlen:0', extension(Oid.basicConstraints, sequence(yes(), integer(Buffer.of(0))), true), /pathlen:0/],
    ['name constraints', extension(Oid.nameConstraints, sequence(), true), /name constraints/],
  ])('is refused by an old root with %s', (_sentence, limit, message) => {
    const cert = remake(old.cert, old.key, (parts) => ({ extensions: replacing(parts, limit) }));

    expect(() => crossSign(next, { cert, key: old.key }, { now: NOW })).toThrow(message);
  });

  test.each([
    ['a leaf', leafOf('admin.conf', old).cert],
    ['an authority that another one signed', crossSign(next, old, { now: NOW }).cert],
    ['a root that somebody else signed in its name', remake(next.cert, old.key, () => ({}))],
  ])('is refused for %s', (_sentence, cert) => {
    expect(() => crossSign({ cert }, authority('cluster', 3), { now: NOW })).toThrow(/is not an authority that signed itself/);
  });
});
