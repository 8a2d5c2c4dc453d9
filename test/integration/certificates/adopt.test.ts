import { rmSync } from 'node:fs';
import path from 'node:path';
import { handOverSecretName, serviceAccountsSecretName } from '../../../lambdas/contract/certificates';
import { createAuthority } from '../../../local/etcd/certificates';
import type { LocalNode } from '../../../local/nodes';
import { CertificateWorld } from './world';
import type { Adoption } from './world';

jest.setTimeout(240_000);

describe('adopting the certificates of a cluster', () => {
  let world: CertificateWorld;
  let adoption: Adoption;
  beforeAll(async () => {
    world = await CertificateWorld.start();
    adoption = await world.adopt();
  });
  afterAll(() => world.stop());

  /** Whatever a test does to files of nodes is undone after it. */
  const undo: (() => void)[] = [];
  afterEach(() => undo.splice(0).forEach((each) => each()));
  const change = (node: LocalNode, file: string, text: string | undefined) => {
    const before = world.read(node, file);
    undo.push(() => world.write(node, file, before));
    if (text === undefined) rmSync(path.join(node.tree.kubernetesDir, file));
    else world.write(node, file, text);
  };

  test('takes authorities and keys over, once, and gives every node a secret of its own', async () => {
    const first = world.node(1);

    const { status, report, execution } = adoption;

    expect({ status, cause: adoption.cause, outcome: report?.outcome, findings: report?.findings }).toEqual({
      status: 'SUCCEEDED',
      cause: undefined,
      outcome: 'ADOPTED',
      findings: [],
    });
    expect(report?.authorities.map(({ authority, key }) => `${authority} ${key}`)).toEqual([
      'cluster held',
      'etcd held',
      'front-proxy held',
    ]);
    for (const [authority, file] of [
      ['cluster', 'pki/ca'],
      ['etcd', 'pki/etcd/ca'],
      ['front-proxy', 'pki/front-proxy-ca'],
    ] as const) {
      expect(await world.authority(authority)).toMatchObject({
        generations: [{ certificate: world.read(first, `${file}.crt`), key: world.read(first, `${file}.key`) }],
      });
    }
    expect(JSON.parse((await world.secret(serviceAccountsSecretName('demo'))) ?? '')).toMatchObject({
      generations: [{ publicKey: world.read(first, 'pki/sa.pub'), privateKey: world.read(first, 'pki/sa.key') }],
    });
    for (const node of world.nodes.nodes) {
      expect(await world.described(world.nodeSecret(node))).toMatchObject({ rotated: true });
    }
    await world.nothingIsPending();

    const versions = await world.versions(serviceAccountsSecretName('demo'));

    const again = await world.adopt();

    expect(again.report?.outcome).toBe('UNCHANGED');
    expect(await world.versions(serviceAccountsSecretName('demo'))).toEqual(versions);
    await noKeyIsSaid(execution.arn, again.execution.arn);
  });

  /** Keys pass through one secret, which keeps none of them, and through nothing that anybody reads. */
  async function noKeyIsSaid(...executions: string[]): Promise<void> {
    const handOver = handOverSecretName('demo');
    for (const VersionStage of ['AWSCURRENT', 'AWSPREVIOUS'])
      expect(await world.secret(handOver, { VersionStage })).toBe('nothing is handed over');
    const said = await world.everythingSaid(executions);
    expect(said).toContain('hand-over');
    expect(said).not.toContain('PRIVATE KEY');
    for (const key of world.keysOnNodes()) expect(said).not.toContain(key);
  }

  test('refuses nodes that trust different authorities, by name, and takes nothing', async () => {
    const before = await world.authority('cluster');
    change(world.node(2), 'pki/ca.crt', createAuthority('kubernetes').cert);

    const { status, report, cause } = await world.adopt();

    expect(status).toBe('FAILED');
    expect(report?.outcome).toBe('REFUSED');
    expect(cause).toMatch(/different cluster authorities: .*master-1.*master-2.*master-3|different cluster authorities/);
    expect(await world.authority('cluster')).toEqual(before);
  });

  test('names a certificate that was copied from another node, one without its key, and one that ends soon', async () => {
    change(world.node(2), 'pki/etcd/peer.crt', world.read(world.node(1), 'pki/etcd/peer.crt'));
    change(world.node(3), 'pki/apiserver.key', undefined);

    const { report } = await world.adopt();

    const findings = report?.findings.map(({ where, what }) => `${where}: ${what}`) ?? [];
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/etcd\/peer is the same certificate on /),
        expect.stringMatching(/etcd\/peer: the key beside it is another one’s \(key-mismatch\)/),
        expect.stringMatching(/apiserver: its key is not there \(key-mismatch\)/),
      ]),
    );
  });

  test('refuses while a node is silent, and names it', async () => {
    const silent = world.node(3);
    silent.vanish();

    const { status, report } = await world.adopt({ waitForNodesSeconds: 1 });

    silent.comeBack();
    expect(status).toBe('FAILED');
    expect(report?.failure?.because).toMatch(new RegExp(`${silent.instanceId} .*did not tell of its certificates`));
  });

  test('refuses to mint for a cluster that exists', async () => {
    const { status, cause } = await world.adopt({ mint: true });

    expect(status).toBe('FAILED');
    expect(cause).toMatch(/a cluster that exists keeps its own authorities/);
  });

  test('refuses an input that does not fit, naming every field', async () => {
    const { status, cause } = await world.adopt({ mint: 'yes', nodes: 3 });

    expect(status).toBe('FAILED');
    expect(cause).toMatch(/mint: .*nodes/);
  });
});

describe('adopting where there is less to take', () => {
  test('knows an external authority without its key, and takes the others', async () => {
    const world = await CertificateWorld.start({ count: 1 });
    try {
      rmSync(path.join(world.node(1).tree.pkiDir, 'ca.key'));

      const { report } = await world.adopt();

      expect(report?.authorities.map(({ authority, key }) => `${authority} ${key}`)).toEqual([
        'cluster external',
        'etcd held',
        'front-proxy held',
      ]);
      expect(report?.whatToDo.join()).toMatch(/no node has the key of the cluster authority \(external CA\)/);
      expect(await world.authority('cluster')).toMatchObject({
        generations: [expect.not.objectContaining({ key: expect.anything() as unknown })],
      });

      world.write(world.node(1), 'pki/ca.key', world.nodes.authorities.cluster.key);

      expect((await world.adopt()).report?.authorities[0]).toMatchObject({ authority: 'cluster', key: 'held' });
    } finally {
      await world.stop();
    }
  });
});
