import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CertificateInventory } from '../../../lambdas/contract/certificate-scan';
import { AuthorityName } from '../../../lambdas/contract/certificate-names';
import { AuthoritySecret, ServiceAccountsSecret, serviceAccountsSecretName } from '../../../lambdas/contract/certificates';
import { inventoryKey, pkiGenerationsKey } from '../../../lambdas/contract/s3-keys';
import { waitUntil } from '../../../local/child-process';
import { rotateNode } from '../../../local/rotation';
import { CertificateWorld } from './world';

jest.setTimeout(300_000);

describe('looking at the certificates once a day', () => {
  let world: CertificateWorld;
  beforeAll(async () => {
    world = await CertificateWorld.start();
    expect((await world.adopt()).report?.outcome).toBe('ADOPTED');
    await world.nothingIsPending();
  });
  afterAll(() => world.stop());

  async function scan(input: object = {}): Promise<CertificateInventory> {
    const execution = await world.lifeboat.scan?.start({ waitForNodesSeconds: 1, exchange: false, ...input });
    expect(await execution?.wait({ timeoutMs: 120_000 })).toMatchObject({ status: 'SUCCEEDED' });
    const { Body } = await world.lifeboat.s3.send(new GetObjectCommand({ Bucket: world.lifeboat.bucket, Key: inventoryKey('demo') }));
    return CertificateInventory.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  }

  test('lists every certificate in its file and at its port, and rotates nothing that lasts', async () => {
    const { nodes, findings, daysLeft, renewing } = await scan();

    expect(findings).toEqual([]);
    expect(renewing).toBeUndefined();
    expect(daysLeft).toBeGreaterThan(28);
    expect(nodes).toHaveLength(3);
    for (const { certificates, served } of nodes) {
      expect(certificates.length).toBeGreaterThan(9);
      expect(served.map(({ leaf }) => leaf).sort()).toEqual(['apiserver', 'etcd/peer', 'etcd/server']);
      for (const { leaf, sha256 } of served) expect(certificates.find((each) => each.leaf === leaf)?.sha256).toBe(sha256);
    }
    const metrics = (await world.functionLogs()).filter((line) => line.includes('CertificateDaysLeft'));
    expect(metrics.length).toBeGreaterThan(0);
  });

  test('names a silent node, and goes on with the others', async () => {
    const silent = world.node(3);
    silent.vanish();

    const { nodes, findings } = await scan({ renew: false });

    silent.comeBack();
    expect(nodes.filter(({ silent: because }) => because === undefined)).toHaveLength(2);
    expect(findings.map(({ what }) => what).join()).toMatch(/does not tell of its certificates/);
  });

  test('has the node rotated that has a certificate which does not do its work', async () => {
    const node = world.node(2);
    const before = world.read(node, 'pki/apiserver-kubelet-client.crt');
    // A key of somebody else: as when one file of a pair was copied.
    world.write(node, 'pki/apiserver-kubelet-client.key', world.read(world.node(1), 'pki/apiserver-kubelet-client.key'));

    const { renewing, findings } = await scan();

    expect(findings.map(({ what }) => what)).toEqual([expect.stringMatching(/apiserver-kubelet-client: .*\(key-mismatch\)/)]);
    expect(renewing).toBe(nodeHost(findings));
    await waitUntil('it is rotated', 120_000, async () => world.read(node, 'pki/apiserver-kubelet-client.crt') !== before, 500);
    await world.nothingIsPending();
    expect((await scan({ renew: false })).findings).toEqual([]);
  });

  test('every snapshot names the generations that the secrets hold, which a look notes again when the note is damaged', async () => {
    const { s3, bucket, cluster } = world.lifeboat;
    const documents = await Promise.all(AuthorityName.options.map(async (name) => AuthoritySecret.parse(await world.authority(name))));
    const text = (await world.secret(serviceAccountsSecretName(cluster))) ?? '';
    const accounts = ServiceAccountsSecret.parse(JSON.parse(text));
    const held = [
      ...documents.map(({ authority, issuing }) => ({ of: authority, issuing })),
      { of: 'service-accounts', issuing: accounts.issuing },
    ];
    const eras = Object.fromEntries(held.map(({ of, issuing }) => [of, { issuing, trusted: [issuing] }]));
    const named = async () => {
      const taken = await world.lifeboat.takeSnapshot();
      const { id } = taken.outcome === 'returned' ? (taken.result as { id: string }) : { id: '' };
      return (await world.lifeboat.snapshots()).find((each) => each.id === id)?.pkiGenerations;
    };

    expect(await named()).toEqual(eras);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: pkiGenerationsKey(cluster), Body: '{' }));
    expect(await named()).toEqual({});
    await scan({ renew: false });
    expect(await named()).toEqual(eras);
  });

  test('what a restore brought back is healed by who has a set, and nothing is exchanged', async () => {
    const before = await world.authority('cluster');
    await rotateNode(world.cloud, world.cluster, world.node(1));

    const execution = await world.lifeboat.rotateCa?.start({ heal: 'a-restore', waitForNodesSeconds: 10 });

    expect(await execution?.wait({ timeoutMs: 200_000 })).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'HEALED' } });
    expect(await world.authority('cluster')).toEqual(before);
  });

  const nodeHost = (findings: CertificateInventory['findings']): string => findings[0]?.where ?? '';
});
