import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { acceptableAuthorities } from '../../../lambdas/ports/acceptable-authorities';
import { HandshakeRefused } from '../../../lambdas/ports/errors';
import { printBundle } from '../../../lambdas/pki/bundle';
import { crossSign } from '../../../lambdas/pki/issue';
import { killProcess, waitUntil } from '../../../local/child-process';
import { createAuthority } from '../../../local/etcd/certificates';
import type { EtcdCluster } from '../../../local/etcd/cluster';
import { startEtcdCluster } from '../../../local/etcd/cluster';
import { freePort } from '../../../local/free-port';
import { kubeadmAuthority } from '../../pki/kubeadm-authority';
import { NOW, authority, leafOf } from '../../pki/pki-world';

jest.setTimeout(60_000);

describe('a member of etcd', () => {
  let etcd: EtcdCluster;
  beforeEach(async () => {
    etcd = await startEtcdCluster({ members: 1 });
  });
  afterEach(() => etcd.stop());

  const clientPort = () => {
    const { hostname, port } = new URL(etcd.endpoints[0]!);
    return { host: hostname, port: Number(port) };
  };
  const peerPort = () => {
    const flag = readFileSync(`/proc/${etcd.members[0]!.pid}/cmdline`, 'utf8')
      .split('\0')
      .find((word) => word.startsWith('--listen-peer-urls='));
    const { hostname, port } = new URL(flag!.split('=')[1]!);
    return { host: hostname, port: Number(port) };
  };

  test.each([
    ['clients', clientPort],
    ['peers', peerPort],
  ])('tells on its port for %s what it trusts, to whom has no certificate', async (_whom, portOf) => {
    const { chain, authorities } = await acceptableAuthorities(portOf());

    expect(chain).toHaveLength(1);
    expect(authorities?.map(({ text }) => text)).toEqual(['CN=etcd-ca']);
  });

  test('is not told of a rejected connection by its log, as whoever waits for peers that are refused would read it', async () => {
    const { logFile } = etcd.members[0]!;
    const rejected = () => readFileSync(logFile, 'utf8').match(/rejected connection/g)?.length ?? 0;

    for (const portOf of [clientPort, peerPort, peerPort]) await acceptableAuthorities(portOf());
    // Whoever speaks no TLS is logged: when that is there, everything before it is there too.
    connect(peerPort())
      .end('GET / HTTP/1.0\r\n\r\n')
      .on('error', () => undefined)
      .resume();
    await waitUntil('etcd logs a rejected connection', 10_000, async () => rejected() > 0);

    expect(rejected()).toBe(1);
  });

  test('says what is in its memory, and not what lies on its disk, until it starts again', async () => {
    const [member] = etcd.members;
    const file = path.join(etcd.folder, 'pki/ca.crt');
    writeFileSync(file, printBundle([etcd.authority.cert, createAuthority('etcd-ca-g2').cert]));
    const trusted = async () => (await acceptableAuthorities(clientPort())).authorities?.map(({ text }) => text).sort();
    expect(await trusted()).toEqual(['CN=etcd-ca']);

    await member!.stop();
    member!.start();
    await member!.ready();

    expect(await trusted()).toEqual(['CN=etcd-ca', 'CN=etcd-ca-g2']);
  });
});

describe('s_server of OpenSSL', () => {
  const [old, next] = [kubeadmAuthority(), authority('cluster', 2)];
  const leaf = leafOf('apiserver', next);
  const cross = crossSign(next, old, { now: NOW });
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'acceptable-authorities-'));
    const files = { 'leaf.crt': leaf.cert, 'leaf.key': leaf.key, 'cross.crt': cross.cert, 'roots.crt': printBundle([old.cert, next.cert]) };
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text, { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function asked(...flags: readonly string[]) {
    const port = await freePort();
    const served = ['-cert', 'leaf.crt', '-key', 'leaf.key', '-cert_chain', 'cross.crt'];
    const server = spawn('openssl', ['s_server', '-accept', `127.0.0.1:${port}`, ...served, '-CAfile', 'roots.crt', ...flags], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let said = '';
    server.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    try {
      await waitUntil('s_server listens', 10_000, async () => said.includes('ACCEPT'));
      return await acceptableAuthorities({ host: '127.0.0.1', port });
    } finally {
      await killProcess(server);
    }
  }

  test('tells its chain and whom it accepts, however it cuts its records', async () => {
    for (const cut of [[], ['-max_send_frag', '512']]) {
      const { chain, authorities } = await asked('-Verify', '3', ...cut);

      expect(chain).toEqual([leaf.cert, cross.cert]);
      expect(authorities?.map(({ text }) => text)).toEqual(['CN=kubernetes', expect.stringMatching(/^CN=kubernetes-g2-/)]);
    }
  });

  test('asks for no certificate without being told to', async () => {
    expect(await asked()).toEqual({ chain: [leaf.cert, cross.cert], authorities: undefined });
  });

  test('that speaks TLS 1.3 only is told as such', async () => {
    await expect(asked('-Verify', '3', '-tls1_3')).rejects.toThrow(HandshakeRefused);
    await expect(asked('-Verify', '3', '-tls1_3')).rejects.toThrow(/alert protocol_version/);
  });
});
