import { X509Certificate, createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { issueLeaf } from '../../../local/nodes/pki';
import { CertifiedNode, filesIn } from './certified-node';

jest.setTimeout(120_000);

let nodes: LocalNodes;
let on: CertifiedNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new CertifiedNode(nodes.nodes[0]!);
});
afterAll(() => nodes.stop());

const sha256 = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
const archiveOf = (facts: { readonly archive: string }) => filesIn(Buffer.from(facts.archive, 'base64'));

test('a node of kubeadm tells who it is, what runs on it and that every key is its certificate’s', async () => {
  const { clock, ...facts } = await on.do('certificate-facts');

  expect(Math.abs(clock - Date.now() / 1000)).toBeLessThan(10);
  const { clientUrl, peerUrl, host } = on.node;
  expect(facts).toMatchObject({
    nodeName: 'master-1',
    apiserver: {
      advertiseAddress: '192.0.2.1',
      bindAddress: host,
      securePort: Number(new URL(on.node.apiUrl).port),
      serviceSubnet: '10.96.0.0/12',
    },
    etcd: { runs: 'static-pod', clientUrls: [clientUrl], peerUrls: [peerUrl], listenClientUrls: [clientUrl], listenPeerUrls: [peerUrl] },
    controllerManager: { running: true, signingCertFile: on.file('pki/ca.crt'), rootCaFile: on.file('pki/ca.crt') },
    signer: { certSha256: sha256(on.read('pki/ca.crt')), split: false },
    scheduler: { running: true },
    authorityKeys: { cluster: true, etcd: true, frontProxy: true, serviceAccounts: true },
    kubelet: 'refers',
    installed: null,
    tools: { openssl: true, aws: true, curl: true, tar: true, base64: true, gzip: true },
  });
  expect(facts.processes.map(({ component }) => component)).toEqual(['apiserver', 'etcd', 'controller-manager', 'scheduler']);
  expect(Object.keys(facts.pairs)).toHaveLength(12);
  expect(new Set(Object.values(facts.pairs))).toEqual(new Set(['matches']));
});

test('its archive has every certificate, and no key', async () => {
  const outcome = await on.run('certificate-facts');

  const files = archiveOf(outcome.result as { archive: string });
  const certificates = Object.keys(files).filter((name) => name.endsWith('.crt'));
  expect(Object.keys(files)).toEqual(expect.arrayContaining(['pki/sa.pub', 'pki/etcd/ca.crt', 'kubeconfigs/super-admin.conf.ca.crt']));
  expect(certificates).toHaveLength(20);
  for (const name of certificates) expect(() => new X509Certificate(files[name]!)).not.toThrow();
  expect(files['pki/etcd/peer.crt']!.replaceAll('\r', '')).toBe(on.read('pki/etcd/peer.crt').replaceAll('\r', ''));
  expect(new X509Certificate(files['kubeconfigs/kubelet.conf.crt']!).subject).toContain('CN=system:node:master-1');
  expect(files['kubeconfigs/scheduler.conf.server']).toBe(`${on.node.apiUrl}\n`);
  expect(Object.values(files).join()).not.toContain('PRIVATE');
  expect(outcome.stdout + outcome.stderr).not.toContain('PRIVATE KEY');
  expect(outcome.stdout.length).toBeLessThan(23_000);
});

describe('on a node that somebody has worked on', () => {
  let before: Readonly<Record<string, string>>;
  const texts = (...names: string[]) => Object.fromEntries(names.map((name) => [name, on.read(name)]));
  beforeEach(() => {
    before = texts('pki/apiserver.crt', 'pki/ca.crt', 'pki/ca.key', 'pki/front-proxy-client.key', 'pki/sa.key', 'kubelet.conf');
  });
  afterEach(() => Object.entries(before).forEach(([name, text]) => writeFileSync(on.file(name), text)));

  test('a key of another certificate, a key that is gone, and an authority without its key are told', async () => {
    writeFileSync(on.file('pki/ca.key'), before['pki/front-proxy-client.key']!);
    writeFileSync(on.file('pki/front-proxy-client.key'), before['pki/ca.key']!);
    rmSync(on.file('pki/sa.key'));

    const { pairs, authorityKeys } = await on.do('certificate-facts');

    expect(pairs['front-proxy-client']).toBe('differs');
    expect(authorityKeys).toEqual({ cluster: false, etcd: true, frontProxy: true, serviceAccounts: false });
  });

  test('text around a certificate and a key in the same file stay where they are', async () => {
    writeFileSync(on.file('pki/apiserver.crt'), `Certificate:\n${before['pki/apiserver.crt']!}${before['pki/ca.key']!}`);

    const files = archiveOf(await on.do('certificate-facts'));

    expect(files['pki/apiserver.crt']!.replaceAll('\r', '')).toBe(before['pki/apiserver.crt']!.replaceAll('\r', ''));
  });

  test('a kubelet that holds its first certificate for ever is told', async () => {
    writeFileSync(
      on.file('kubelet.conf'),
      on.node.issuer.files({ leaves: [], kubeconfigs: ['kubelet.conf'] })['kubeconfigs/kubelet.conf']!,
    );

    expect(await on.do('certificate-facts')).toMatchObject({
      kubelet: 'embeds',
      nodeName: 'master-1',
      pairs: { 'kubelet.conf': 'matches' },
    });
  });

  test('more than Run Command gives back is refused, and told in two parts', async () => {
    const many = Array.from({ length: 12 }, () => issueLeaf('apiserver', nodes.authorities, { name: 'n', hosts: [], apiHosts: [] }).cert);
    writeFileSync(on.file('pki/ca.crt'), [before['pki/ca.crt'], ...many].join(''));

    expect(await on.refusal('certificate-facts')).toMatchObject({
      error: 'FactsTooLarge',
      fix: expect.stringContaining('part pki') as string,
    });

    const parts = await Promise.all(['pki', 'kubeconfigs'].map((part) => on.do('certificate-facts', { part })));
    expect(parts.map((part) => Object.keys(archiveOf(part)).length)).toEqual([11, 15]);
  });
});

test('a node that runs nothing and has no certificate at all tells that', async () => {
  const empty = path.join(on.node.tree.folder, 'empty');

  const { archive, ...facts } = await on.do('certificate-facts', { pkiDir: `${empty}/pki`, manifestDir: empty });

  expect(filesIn(Buffer.from(archive, 'base64'))).toEqual({});
  expect(facts).toMatchObject({ pairs: {}, apiserver: null, kubelet: 'absent', etcd: { runs: 'absent', clientUrls: [] } });
  expect(facts).toMatchObject({ controllerManager: { running: false, rootCaFile: null }, authorityKeys: { cluster: false } });
  expect(facts).toMatchObject({ signer: null, processes: [], written: {} });
});
