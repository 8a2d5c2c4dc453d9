import { existsSync } from 'node:fs';
import { connect } from 'node:tls';
import type { Certificate } from '../../../local/etcd/certificates';
import { issueCertificate } from '../../../local/etcd/certificates';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import type { SetFiles } from '../../../local/nodes/certificate-set';
import { packSet } from '../../../local/nodes/certificate-set';
import { parseBundle } from '../../../lambdas/pki/bundle';
import { crossSign, newAuthority } from '../../../lambdas/pki/issue';
import { startWriter } from '../../support/steady-writer';
import { CertifiedNode } from './certified-node';

// Sets that exchange an authority, on three real members, each with an API server and managers that only pretend.
jest.setTimeout(240_000);

let nodes: LocalNodes;
let all: readonly CertifiedNode[];
beforeAll(async () => {
  nodes = await startLocalNodes({ certificates: 'whole' });
  all = nodes.nodes.map((node) => new CertifiedNode(node));
});
afterAll(() => nodes.stop());

interface Next extends Certificate {
  /** Its name and key, signed by the one before. */
  readonly cross: string;
}

function nextAfter(old: Certificate, authority: 'cluster' | 'etcd'): Next {
  const now = new Date();
  const { cert, key } = newAuthority(authority, { generation: 2, notAfter: new Date(now.getTime() + 86_400_000 * 300), now });
  return { cert, key, cross: crossSign({ cert }, old, { now }).cert };
}

const ETCD_LEAVES = ['etcd/server', 'etcd/peer', 'etcd/healthcheck-client', 'apiserver-etcd-client'] as const;
const pidsOf = ({ node }: CertifiedNode) => ({ etcd: node.pid('etcd'), apiserver: node.pid('kube-apiserver') });

/** The authority of etcd that signed until now: the first that a node trusts. */
function presentOf(on: CertifiedNode): Certificate {
  const [cert = ''] = parseBundle(on.read('pki/etcd/ca.crt'));
  return { cert, key: on.read('pki/etcd/ca.key') };
}

/** Leaves of etcd by the next authority, with the cross certificate after each. */
function etcdLeaves({ node }: CertifiedNode, next: Next): SetFiles {
  const files = node.issuer.files({ leaves: ETCD_LEAVES, kubeconfigs: [], authorities: { ...nodes.authorities, etcd: next } });
  return Object.fromEntries(Object.entries(files).map(([file, text]) => [file, file.endsWith('.crt') ? text + next.cross : text]));
}

/** Whether a member lets somebody in, by a fresh connection. */
function letsIn(url: string, pair: Certificate): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...pair });
    const end = (let_: boolean) => {
      socket.destroy();
      resolve(let_);
    };
    // By TLS 1.3 a client that is refused hears of it with the first answer.
    socket.once('secureConnect', () => socket.write(`GET /health HTTP/1.1\r\nHost: etcd\r\n\r\n`));
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

test('etcd’s: trusted, issued without a restart, and distrusted node by node by one start of etcd and API server, while writes go on', async () => {
  const old = presentOf(all[0]!);
  const next = nextAfter(old, 'etcd');
  const stop = startWriter(nodes.endpoints, nodes.credentials, 'exchange/');
  const before = all.map(pidsOf);

  for (const on of all)
    expect(await on.install(packSet({ 'pki/etcd/ca.crt': old.cert + next.cert }))).toMatchObject({ changed: ['etcd/ca'], restarted: [] });
  for (const on of all) expect(await on.install(packSet(etcdLeaves(on, next)))).toMatchObject({ restarted: [] });

  // Whoever knows the old authority alone was served all the time, by processes that never read the file.
  const { written, failed } = await stop();
  expect({ failed, enough: written.length > 20 }).toEqual({ failed: 0, enough: true });
  expect(all.map(pidsOf)).toEqual(before);
  // Nor did whoever looked, on the node itself, leave a line that he was refused.
  for (const on of all) expect((await on.do('certificate-facts')).etcdRefused).toEqual({ refused: [], more: 0 });

  const byOld = issueCertificate(old, { commonName: 'old', usage: 'client' });
  for (const on of all) {
    expect(await letsIn(on.node.clientUrl, byOld)).toBe(true);
    const done = await on.install(packSet({ 'pki/etcd/ca.crt': next.cert, 'pki/etcd/ca.key': next.key, restarts: 'apiserver\netcd\n' }), {
      waitSeconds: '60',
    });

    expect(done).toMatchObject({ changed: ['etcd/ca'], restarted: ['kube-apiserver', 'etcd'] });
    expect(await letsIn(on.node.clientUrl, byOld)).toBe(false);
    expect(
      await letsIn(on.node.clientUrl, { cert: on.read('pki/apiserver-etcd-client.crt'), key: on.read('pki/apiserver-etcd-client.key') }),
    ).toBe(true);
  }
  for (const [index, on] of all.entries()) {
    expect(pidsOf(on).etcd).not.toBe(before[index]!.etcd);
    expect(pidsOf(on).apiserver).not.toBe(before[index]!.apiserver);
  }
});

test('going back from a distrust starts etcd and API server again, by whom both are trusted', async () => {
  const on = all[0]!;
  const present = presentOf(on);
  const next = nextAfter(present, 'etcd');
  for (const each of all) await each.install(packSet({ 'pki/etcd/ca.crt': present.cert + next.cert, ...etcdLeaves(each, next) }));
  const version = on.offer(packSet({ 'pki/etcd/ca.crt': next.cert, restarts: 'apiserver\netcd\n' }));
  const byPresent = issueCertificate(present, { commonName: 'present', usage: 'client' });
  await on.do('install-certificates', { ...version, waitSeconds: '60' });
  expect(await letsIn(on.node.clientUrl, byPresent)).toBe(false);

  const back = await on.do('previous-certificates', { ...version, waitSeconds: '60' });

  expect(back).toMatchObject({ was: 'installed', restarted: ['kube-apiserver', 'etcd'] });
  expect(on.read('pki/etcd/ca.crt')).toBe(present.cert + next.cert);
  expect(await letsIn(on.node.clientUrl, byPresent)).toBe(true);
});

test('a set that does not say so starts nothing, though what is trusted is another', async () => {
  const on = all[1]!;
  const before = pidsOf(on);
  const file = on.read('pki/etcd/ca.crt');

  expect(await on.install(packSet({ 'pki/etcd/ca.crt': `${file}${nodes.authorities.etcd.cert}` }))).toMatchObject({ restarted: [] });
  expect(await on.install(packSet({ 'pki/etcd/ca.crt': file, restarts: '' }))).toMatchObject({ restarted: [] });
  expect(pidsOf(on)).toEqual(before);
});

describe('the cluster’s', () => {
  const bundle = (next: Next): SetFiles => ({ 'pki/ca.crt': nodes.authorities.cluster.cert + next.cert });

  test('several are refused where the controller-manager signs by the file of what is trusted', async () => {
    const on = all[0]!;
    const before = on.tree();

    const refusal = await on.refusal('install-certificates', on.offer(packSet(bundle(nextAfter(nodes.authorities.cluster, 'cluster')))));

    expect(refusal).toMatchObject({ error: 'SetUnfit', message: expect.stringContaining('signs nothing more') as string });
    expect(on.tree()).toEqual(before);
  });

  test('a signer is refused where the controller-manager does not sign by it', async () => {
    const on = all[0]!;
    const { cert, key } = nodes.authorities.cluster;

    expect(
      await on.refusal('install-certificates', on.offer(packSet({ 'pki/signer/ca.crt': cert, 'pki/signer/ca.key': key }))),
    ).toMatchObject({
      error: 'SetUnfit',
      message: expect.stringContaining('and not by') as string,
    });
    expect(existsSync(on.file('pki/signer'))).toBe(false);
  });

  test('one that does not know the certificate of the kubelet is refused', async () => {
    const on = all[0]!;
    const other = nextAfter(nodes.authorities.cluster, 'cluster');
    const files = on.node.issuer.files({ authorities: { ...nodes.authorities, cluster: other } });
    const leaves = Object.fromEntries(Object.entries(files).filter(([file]) => !file.includes('etcd') && !file.includes('front-proxy')));

    expect(await on.refusal('install-certificates', on.offer(packSet({ 'pki/ca.crt': other.cert, ...leaves })))).toMatchObject({
      error: 'SetUnfit',
      message: expect.stringContaining('certificate of the kubelet') as string,
    });
  });
});

test('what a set wants to be trusted vouches for its leaves, and not what lies there', async () => {
  const on = all[2]!;
  const before = on.tree();
  const stranger = nextAfter(nodes.authorities.cluster, 'etcd');

  expect(await on.refusal('install-certificates', on.offer(packSet(etcdLeaves(on, { ...stranger, cross: '' }))))).toMatchObject({
    error: 'SetUnfit',
  });
  expect(on.tree()).toEqual(before);
});
