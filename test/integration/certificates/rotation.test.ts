import { X509Certificate, createHash } from 'node:crypto';
import { PutSecretValueCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { archiveOf, filesOf, setSha256Of } from '../../../lambdas/certificates/archive';
import { NodeSetSecret } from '../../../lambdas/contract/certificates';
import { servedCertificate } from '../../../lambdas/ports/served-certificate';
import { waitUntil } from '../../../local/child-process';
import type { LocalNode } from '../../../local/nodes';
import { SteadyClient } from '../../../local/steady-client';
import { runScript } from '../../support/node-script';
import { endsWithFile } from '../../support/ends-with-file';
import { startWriter } from '../../support/steady-writer';
import { CertificateWorld } from './world';

jest.setTimeout(300_000);

describe('rotating the certificates of nodes, deployed', () => {
  let world: CertificateWorld;
  beforeAll(async () => {
    world = await CertificateWorld.start({ certificates: { extraSans: ['203.0.113.10'] } });
    const { report } = await world.adopt();
    expect(report?.outcome).toBe('ADOPTED');
    await world.nothingIsPending();
  });
  afterAll(() => world.stop());
  afterEach(() => world.nodes.nodes.forEach((node) => node.heal()));

  const begin = async (node: LocalNode): Promise<string> =>
    (await world.secrets.send(new RotateSecretCommand({ SecretId: world.nodeSecret(node) }))).VersionId ?? '';
  const labelsOf = async (node: LocalNode) => (await world.described(world.nodeSecret(node))).labels;
  const rotate = async (node: LocalNode): Promise<string> => {
    const version = await begin(node);
    await waitUntil(
      `the certificates of ${node.name} are rotated`,
      90_000,
      async () => {
        const own = (await labelsOf(node))[version] ?? [];
        return own.includes('AWSCURRENT') && !own.includes('AWSPENDING');
      },
      200,
    );
    return version;
  };
  /** What waits is taken up again by whoever asks for a rotation, under its own version. */
  const goesOn = (node: LocalNode, version: string) =>
    waitUntil(
      'the set that waited is the current one',
      120_000,
      async () => {
        if (((await labelsOf(node))[version] ?? []).includes('AWSCURRENT')) return true;
        await begin(node).catch(() => undefined);
        return false;
      },
      3_000,
    );
  const said = async (): Promise<string> => (await world.functionLogs()).join('\n');
  const sha256 = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
  const set = async (node: LocalNode): Promise<NodeSetSecret> =>
    NodeSetSecret.parse(JSON.parse((await world.secret(world.nodeSecret(node))) ?? ''));
  const apiServes = async (node: LocalNode) => {
    const { hostname, port } = new URL(node.apiUrl);
    return (await servedCertificate({ host: hostname, port: Number(port), ca: world.nodes.authorities.cluster.cert })).sha256;
  };

  test('all nodes twice, without a request that fails or a restart of what serves', async () => {
    const before = world.nodes.nodes.map((node) => ({
      api: node.pid('kube-apiserver'),
      etcd: node.pid('etcd'),
      manager: node.pid('kube-controller-manager'),
      cert: world.read(node, 'pki/apiserver.crt'),
    }));
    const client = new SteadyClient(
      world.nodes.nodes.map(({ apiUrl }) => apiUrl),
      world.nodes.authorities.cluster.cert,
    );
    const stopAsking = endsWithFile(() => client.stop());
    const stopWriting = startWriter(world.nodes.endpoints, world.nodes.credentials, 'rotation/');

    for (let round = 0; round < 2; round++) for (const node of world.nodes.nodes) await rotate(node);

    const { requests, failed } = await stopAsking();
    const writes = await stopWriting();
    expect(failed).toEqual([]);
    expect(requests).toBeGreaterThan(100);
    expect(writes).toMatchObject({ failed: 0 });
    for (const [index, node] of world.nodes.nodes.entries()) {
      const now = world.read(node, 'pki/apiserver.crt');
      expect(now).not.toBe(before[index]?.cert);
      expect(await apiServes(node)).toBe(sha256(now));
      const { subjectAltName } = new X509Certificate(now);
      expect(subjectAltName).toContain('203.0.113.10');
      expect(node.pid('kube-apiserver')).toBe(before[index]?.api);
      expect(node.pid('etcd')).toBe(before[index]?.etcd);
      expect(node.pid('kube-controller-manager')).not.toBe(before[index]?.manager);
      const { certificates } = await set(node);
      expect(certificates.find(({ leaf }) => leaf === 'apiserver')?.sha256).toBe(sha256(now));
      expect(certificates.map(({ leaf }) => leaf)).toEqual(expect.arrayContaining(['etcd/peer', 'admin.conf', 'scheduler.conf']));
    }
    const everything = await world.everythingSaid();
    expect(everything).toContain('install-certificates');
    expect(everything).not.toContain('PRIVATE KEY');
    for (const key of world.keysOnNodes()) expect(everything).not.toContain(key);
  });

  test('a node that refuses the new ones keeps those that it has, and the rotation goes on when it is mended', async () => {
    const node = world.node(1);
    const before = world.read(node, 'pki/apiserver.crt');
    node.breakProgram('openssl', 'if [ "$1" = verify ]; then exit 1; fi; exec /usr/bin/openssl "$@"');

    const version = await begin(node);
    await waitUntil('it is told that the node refuses them', 60_000, async () => /SetNotAccepted|SetUnfit/.test(await said()), 500);

    expect((await labelsOf(node))[version]).toEqual(['AWSPENDING']);
    expect(world.read(node, 'pki/apiserver.crt')).toBe(before);
    expect(await apiServes(node)).toBe(sha256(before));
    node.repairPrograms();
    await goesOn(node, version);
    expect(await apiServes(node)).not.toBe(sha256(before));
  });

  test('waits while etcd cannot lose the member of the node', async () => {
    const [node, dead] = [world.node(1), world.node(3)];
    const before = world.read(node, 'pki/apiserver.crt');
    await dead.powerOff();

    const version = await begin(node);
    await waitUntil('it is told why it waits', 60_000, async () => /2 of 3 members of etcd are well/.test(await said()), 500);

    expect(world.read(node, 'pki/apiserver.crt')).toBe(before);
    await dead.reboot();
    await dead.ready();
    await goesOn(node, version);
  });

  test('a set that was cut off on its node and is outdated by then is taken back, and the node takes the next one', async () => {
    const [node, SecretId] = [world.node(2), world.nodeSecret(world.node(2))];
    await rotate(node);
    const before = world.read(node, 'pki/etcd/server.crt');
    const current = await set(node);
    const files = new Map(await filesOf(current.archive, 'the set'));
    for (const [path, text] of Object.entries(node.issuer.files({ leaves: ['etcd/server'], kubeconfigs: [] }))) files.set(path, text);
    const waiting = { ...current, mintedAt: '2026-01-01T00:00:00.000Z', archive: await archiveOf(files) };
    const put = { SecretId, SecretString: JSON.stringify(waiting), VersionStages: ['AWSPENDING'] };
    const { VersionId: secretVersion = '' } = await world.secrets.send(new PutSecretValueCommand(put));
    const cutOff = '/usr/bin/mv -t "$2" -- "$2/.lifeboat-aside/server.key"; kill -9 $PPID; exit 1';
    node.breakProgram('mv', `if [[ $* = *aside/server.crt* ]]; then ${cutOff}; fi; exec /usr/bin/mv "$@"`);
    const asked = { secretId: SecretId, secretVersion, setSha256: setSha256Of(waiting.archive), waitSeconds: '15' };
    expect((await runScript('install-certificates', { ...node.certificatePaths, ...asked }, node.env)).code).toBe('SIGKILL');
    node.repairPrograms();

    await begin(node).catch(() => undefined);
    await waitUntil('it is given up', 60_000, async () => !((await labelsOf(node))[secretVersion] ?? []).includes('AWSPENDING'), 500);
    expect(world.read(node, 'pki/etcd/server.crt')).toBe(before);

    await rotate(node);
    const noted = (await set(node)).certificates.find(({ leaf }) => leaf === 'etcd/server');
    expect(noted?.sha256).toBe(sha256(world.read(node, 'pki/etcd/server.crt')));
    expect(world.read(node, 'pki/etcd/server.crt')).not.toBe(before);
  });
});
