import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LeafName } from '../../../lambdas/contract/certificate-names';
import { LEAF_NAMES, LEAVES } from '../../../lambdas/contract/certificate-names';
import { printBundle } from '../../../lambdas/pki/bundle';
import { crossSign } from '../../../lambdas/pki/issue';
import type { Pair } from '../../../lambdas/pki/signer';
import { DEFECTS, defective } from '../../pki/defects';
import { kubeadmAuthority } from '../../pki/kubeadm-authority';
import { NOW, authority, leafOf, profileOf } from '../../pki/pki-world';
import type { GoVerifier, Question } from '../../support/go-verifier';
import { buildGoVerifier } from '../../support/go-verifier';
import { openssl, opensslJudges } from '../../support/openssl-verifier';

// The readers that did not make the certificates: OpenSSL's command, and crypto/x509 that every component of Kubernetes uses.

const folder = mkdtempSync(path.join(tmpdir(), 'other-readers-'));
let go: GoVerifier;
beforeAll(() => {
  go = buildGoVerifier();
}, 120_000);
afterAll(() => {
  go.remove();
  rmSync(folder, { recursive: true, force: true });
});

function fileOf(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

const bothJudge = (question: Question): readonly string[] => [opensslJudges(question, 'strictly'), ...go.judge([question])];

function usesOf(leaf: LeafName): Pick<Question, 'as' | 'host'>[] {
  const { eku, sans = { dns: [], ips: [] } } = profileOf(leaf);
  const hosts = [...sans.dns, ...sans.ips].map((host) => ({ as: 'server', host }) as const);
  return [...hosts, ...(eku.includes('clientAuth') ? [{ as: 'client' } as const] : [])];
}

test.each(LEAF_NAMES)('OpenSSL and Go take %s for every name and use that it has', (leaf) => {
  const by = authority(LEAVES[leaf].authority);
  const { cert, key } = leafOf(leaf, by);

  const answers = usesOf(leaf).flatMap((use) => bothJudge({ chain: cert, key, roots: by.cert, at: NOW, ...use }));

  expect(answers.length).toBeGreaterThan(0);
  expect([...new Set(answers)]).toEqual(['ok']);
});

test.each<[string, LeafName, Pick<Question, 'as' | 'host'>]>([
  ['a name that is not in it', 'apiserver', { as: 'server', host: 'api.other.example.com' }],
  ['an address that is not in it', 'etcd/server', { as: 'server', host: '10.0.0.5' }],
  ['a server, when it is for clients', 'admin.conf', { as: 'server' }],
  ['a client, when it is for servers', 'apiserver', { as: 'client' }],
])('OpenSSL and Go refuse a leaf as that of %s', (_sentence, leaf, use) => {
  const by = authority(LEAVES[leaf].authority);

  const [byOpenssl, byGo] = bothJudge({ chain: leafOf(leaf, by).cert, roots: by.cert, at: NOW, ...use });

  expect(byOpenssl).toBe('refused');
  expect(byGo).toMatch(/^x509: /);
});

const [second, third] = [authority('cluster', 2), authority('cluster', 3)];

describe.each<[old: string, old: Pair]>([
  ["of a root that kubeadm made, called kubernetes in a PrintableString, the new root's key is signed", kubeadmAuthority()],
  ['of a root of this product', second],
])('in a rotation away from the key %s', (_old, old) => {
  const cross = crossSign(third, old, { now: NOW });
  const leaf = leafOf('apiserver', third);
  const before = leafOf('apiserver', old);
  const served = printBundle([leaf.cert, cross.cert]);
  const ask = (chain: string, roots: string): Question => ({ chain, roots, as: 'server', host: '10.96.0.1', at: NOW });

  test.each([
    ['the old one alone', () => old.cert],
    ['the new one alone', () => third.cert],
    ['both, the new one first', () => printBundle([third.cert, old.cert])],
    ['both, the old one first', () => printBundle([old.cert, third.cert])],
  ])('the new leaf with the cross-signed authority is taken by whoever trusts %s', (_who, roots) => {
    expect(bothJudge(ask(served, roots()))).toEqual(['ok', 'ok']);
  });

  test('the old leaf is taken by whoever trusts both, and no longer by whoever trusts the new one alone', () => {
    expect(bothJudge(ask(before.cert, printBundle([third.cert, old.cert])))).toEqual(['ok', 'ok']);
    expect(bothJudge(ask(before.cert, third.cert))).toEqual(['refused', expect.stringMatching(/^x509: certificate signed by unknown/)]);
  });

  test('the new leaf without the cross-signed authority is refused by whoever trusts the old one alone', () => {
    expect(bothJudge(ask(leaf.cert, old.cert))).toEqual(['refused', expect.stringMatching(/^x509: certificate signed by unknown/)]);
  });

  test('a new client with the cross-signed authority is taken by a server that trusts the old one alone', () => {
    const client = leafOf('admin.conf', third);

    expect(bothJudge({ chain: printBundle([client.cert, cross.cert]), roots: old.cert, as: 'client', at: NOW })).toEqual(['ok', 'ok']);
  });
});

test("OpenSSL's command reads in a leaf what kubeadm writes", () => {
  const text = openssl('x509', '-noout', '-text', '-in', fileOf('one', leafOf('etcd/server').cert));

  expect(text).toContain('Version: 3 (0x2)');
  expect(text).toContain('Signature Algorithm: sha256WithRSAEncryption');
  expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
  expect(text).toMatch(/X509v3 Extended Key Usage: \s+TLS Web Server Authentication, TLS Web Client Authentication\n/);
  expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE\n/);
  expect(text).toMatch(/DNS:cp-1, DNS:localhost, .*IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1/);
  expect(openssl('rsa', '-check', '-noout', '-in', fileOf('key', leafOf('etcd/server').key))).toContain('RSA key ok');
});

test.each(DEFECTS)('Go $go a certificate with $sentence, as the lint knows', (defect) => {
  const [answer] = go.judge([{ chain: defective(defect), roots: authority('cluster').cert, as: 'server', host: 'kubernetes', at: NOW }]);

  expect(answer === 'ok' ? 'passes' : 'refuses').toBe(defect.go);
});
