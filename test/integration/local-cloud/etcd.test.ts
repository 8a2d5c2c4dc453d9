import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { createAuthority, issueCertificate } from '../../../local/etcd/certificates';
import type { EtcdCluster } from '../../../local/etcd/cluster';
import { startEtcdCluster } from '../../../local/etcd/cluster';
import { seedKubernetesData } from '../../../local/etcd/kubernetes-data';
import { RESOURCES } from '../../../local/etcd/kubernetes-resources';
import type { EtcdRelease } from '../../../local/tools';
import { etcdProgram } from '../../../local/tools';

jest.setTimeout(90_000);

/** etcd's own client, with the cluster's credentials. */
async function etcdctl({ folder, credentials, release }: EtcdCluster, endpoint: string, ...args: string[]): Promise<string> {
  // A folder for each call: several run at the same time.
  const own = mkdtempSync(path.join(folder, 'etcdctl-'));
  const { ca, cert, key } = credentials;
  const files = [
    ['cacert', ca],
    ['cert', cert],
    ['key', key],
  ].map(([flag = '', pem = '']) => {
    writeFileSync(path.join(own, flag), pem);
    return `--${flag}=${path.join(own, flag)}`;
  });
  const timeout = '--command-timeout=3s';
  const { stdout } = await promisify(execFile)(etcdProgram(release, 'etcdctl'), [`--endpoints=${endpoint}`, timeout, ...files, ...args], {
    env: { ETCDCTL_API: '3' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim();
}

/** The error code that a client meets which trusts only the cluster's own CA. */
function handshake({ credentials }: Pick<EtcdCluster, 'credentials'>, clientUrl: string): Promise<string> {
  const { hostname: host, port } = new URL(clientUrl);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), ...credentials });
    const end = (outcome: string) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('secureConnect', () => end('trusted'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

describe.each<EtcdRelease>(['3.6', '3.5'])('a cluster of three members of etcd %s', (release) => {
  let cluster: EtcdCluster;
  beforeAll(async () => {
    cluster = await startEtcdCluster({ release });
  });
  afterAll(() => cluster.stop());

  test('serves the same data from each member', async () => {
    await etcdctl(cluster, cluster.endpoints[0]!, 'put', 'greeting', release);

    const answers = await Promise.all(
      cluster.endpoints.map((endpoint) => etcdctl(cluster, endpoint, 'get', 'greeting', '--print-value-only')),
    );

    expect(answers).toEqual([release, release, release]);
    expect(await etcdctl(cluster, cluster.endpoints[0]!, 'version')).toContain(`etcdctl version: ${release}.`);
  });

  test('refuses a client of another authority', async () => {
    const stranger = issueCertificate(createAuthority(), { commonName: 'stranger', usage: 'client' });
    const posing: EtcdCluster = { ...cluster, credentials: { ca: cluster.credentials.ca, ...stranger } };

    await expect(etcdctl(posing, cluster.endpoints[0]!, 'get', 'greeting')).rejects.toThrow(/certificate|deadline|connection/);
  });

  test('goes on without a killed member, which comes back with what it missed', async () => {
    const [first, second] = [cluster.members[0]!, cluster.members[1]!];
    await first.kill();
    expect(first.pid).toBeUndefined();
    await second.ready();
    await etcdctl(cluster, second.clientUrl, 'put', 'meanwhile', 'written');

    first.start();
    await first.ready();

    expect(await etcdctl(cluster, first.clientUrl, 'get', 'meanwhile', '--print-value-only')).toBe('written');
  });

  test('goes on without a paused member, which answers nobody until it is resumed', async () => {
    const [second, third] = [cluster.members[1]!, cluster.members[2]!];
    third.pause();
    await second.ready();

    await expect(etcdctl(cluster, third.clientUrl, 'get', 'greeting')).rejects.toThrow();
    third.resume();
    await third.ready();

    expect(await handshake(cluster, third.clientUrl)).toBe('trusted');
  });
});

test.each([
  ['that has expired', 'CERT_HAS_EXPIRED', { notAfter: new Date(Date.now() - 60_000) }],
  ['for another host', 'ERR_TLS_CERT_ALTNAME_INVALID', { hosts: ['192.0.2.1'] }],
])('a member can show a certificate %s', async (_what, code, bad) => {
  const cluster = await startEtcdCluster({
    members: 1,
    serverCertificate: (authority, host) => issueCertificate(authority, { commonName: 'bad', hosts: [host], ...bad }),
  });

  const outcome = await handshake(cluster, cluster.endpoints[0]!).finally(() => cluster.stop());

  expect(outcome).toBe(code);
});

test('a member can show a certificate of another authority', async () => {
  const cluster = await startEtcdCluster({
    members: 1,
    serverCertificate: (_authority, host) => issueCertificate(createAuthority(), { commonName: 'bad', hosts: [host] }),
  });

  const outcome = await handshake(cluster, cluster.endpoints[0]!).finally(() => cluster.stop());

  expect(outcome).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE|UNABLE_TO_GET_ISSUER_CERT/);
});

test('seeding leaves every resource, leases, tombstones and history behind, and tells what it did', async () => {
  const cluster = await startEtcdCluster({ members: 1 });
  try {
    const [endpoint] = cluster.endpoints;
    const report = await seedKubernetesData(cluster, { megabytes: 5 });

    const keys = (await etcdctl(cluster, endpoint!, 'get', '/registry/', '--prefix', '--keys-only'))
      .split('\n')
      .filter((key) => key !== '');
    const leases = await etcdctl(cluster, endpoint!, 'lease', 'list');
    const compacted = etcdctl(cluster, endpoint!, 'get', '/registry/', '--prefix', `--rev=${report.compactRevision - 1}`);

    expect(keys).toHaveLength(report.objects);
    expect(RESOURCES.filter(({ prefix }) => !keys.some((key) => key.startsWith(`/registry/${prefix}/`)))).toEqual([]);
    expect(report.deletes).toBeGreaterThan(0);
    expect(report.revision).toBeGreaterThan(report.compactRevision);
    expect(leases).toMatch(/found [1-9]/);
    await expect(compacted).rejects.toThrow('required revision has been compacted');
  } finally {
    await cluster.stop();
  }
});
