import { GetObjectCommand } from '@aws-sdk/client-s3';
import { RestoreReport } from '../../../lambdas/contract/restore';
import { restoreKey } from '../../../lambdas/contract/s3-keys';
import { seedKubernetesData } from '../../../local/etcd/kubernetes-data';
import { DnsWorld } from './world';

jest.setTimeout(400_000);

describe('a restore of a cluster whose name the lifeboat keeps', () => {
  let world: DnsWorld;
  beforeAll(async () => {
    world = await DnsWorld.start();
    await world.sync();
    await seedKubernetesData(world.nodes, { megabytes: 1 });
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned' });
    await world.lifeboat.watchMembers();
  });
  afterAll(() => world.stop());

  test('lets the record follow under its own lock, looks at what the name leads to, and says so in its report', async () => {
    await world.tamper('192.0.2.66');
    const execution = await world.lifeboat.restore.start({ approval: 'skip' });

    const end = await execution.wait({ timeoutMs: 300_000 });

    expect([end.status, end.cause]).toEqual(['SUCCEEDED', undefined]);
    const { Body } = await world.lifeboat.s3.send(
      new GetObjectCommand({ Bucket: world.lifeboat.bucket, Key: restoreKey(world.lifeboat.cluster, execution.name, 'report.json') }),
    );
    const report = RestoreReport.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    expect(report.phases.map(({ state }) => state)).toContain('FollowName');
    expect(report.apiName).toMatch(/^answers: A 192\.0\.2\.66 → A 127\./);
    expect(report.whatToDo.join('\n')).not.toContain('name of the API');
    expect(await world.resolved()).toEqual(world.hosts);
  });
});
