import { rmSync } from 'node:fs';
import { openEtcd } from '../../../lambdas/etcd/client/etcd-reader';
import { openSurgeon } from '../../../lambdas/etcd/client/etcd-surgeon';
import type { EtcdSurgeon, ListedMember } from '../../../lambdas/etcd/surgeon';
import { waitUntil } from '../../../local/child-process';
import { clientOf } from '../../../local/etcd/client';
import { startEtcdCluster } from '../../../local/etcd/cluster';
import type { EtcdCluster } from '../../../local/etcd/cluster';
import { seedKubernetesData } from '../../../local/etcd/kubernetes-data';
import { inspectBytes } from '../../support/snapshot-bytes';

jest.setTimeout(120_000);

describe.each(['3.6', '3.5'] as const)('a running etcd %s', (release) => {
  let cluster: EtcdCluster;
  let surgeon: EtcdSurgeon;
  beforeAll(async () => {
    cluster = await startEtcdCluster({ release });
    surgeon = openSurgeon(cluster.endpoints, cluster.credentials);
  });
  afterAll(async () => {
    surgeon.close();
    await cluster.stop();
  });

  async function snapshotOf(endpoint: string): Promise<Buffer> {
    const etcd = openEtcd(cluster.endpoints, cluster.credentials);
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of etcd.snapshot(endpoint, AbortSignal.timeout(30_000))) chunks.push(chunk);
      return Buffer.concat(chunks);
    } finally {
      etcd.close();
    }
  }
  const memberNamed = async (name: string): Promise<ListedMember | undefined> =>
    (await surgeon.memberList(cluster.endpoints[0]!, true)).find((member) => member.name === name);

  test('is counted as the inventory of its snapshot is', async () => {
    await seedKubernetesData(cluster, { megabytes: 5 });
    const [, second] = cluster.endpoints as [string, string];

    const { inventory, revision } = await surgeon.countObjects(second);

    const report = await inspectBytes(await snapshotOf(second));
    expect({ inventory, revision }).toEqual({ inventory: report.inventory, revision: report.revision });
    expect(Object.keys(inventory).length).toBeGreaterThan(20);
  });

  test('is counted at one revision although objects move from the last page to the first while it is read', async () => {
    const client = clientOf(cluster);
    const [from, to] = ['/registry/zz/', '/registry/aa/'];
    for (let at = 0; at < 6_000; at += 100) {
      const puts = Array.from({ length: 100 }, (_, i) => client.put(`${from}${at + i}`).value(''));
      await client
        .if('none', 'Version', '==', 0)
        .then(...puts)
        .commit();
    }
    const progress = { moved: 0, over: false };
    const mover = (async () => {
      for (; !progress.over && progress.moved < 6_000; progress.moved++) {
        const [gone, come] = [client.delete().key(`${from}${progress.moved}`), client.put(`${to}${progress.moved}`).value('')];
        await client.if('none', 'Version', '==', 0).then(gone, come).commit();
      }
    })();

    const counts = [];
    do counts.push((await surgeon.countObjects(cluster.endpoints[0]!)).inventory);
    while (progress.moved < 50);
    progress.over = true;
    await mover.finally(() => client.close());

    expect(counts.map(({ aa = 0, zz = 0 }) => aa + zz)).toEqual(counts.map(() => 6_000));
  });

  test('loses what is below a prefix and nothing else', async () => {
    const client = clientOf(cluster);
    for (const key of ['/registry/lost/10.0.0.1', '/registry/lost/10.0.0.2', '/registry/lost0']) await client.put(key).value('x');

    expect(await surgeon.deletePrefix('/registry/lost/')).toBe(2);
    expect(await surgeon.deletePrefix('/registry/lost/')).toBe(0);

    expect(await client.get('/registry/lost0').string()).toBe('x');
    client.close();
  });

  test('has a dead member replaced step by step, and every step can be repeated', async () => {
    const [first, , third] = [cluster.members[0]!, cluster.members[1]!, cluster.members[2]!];
    const dead = (await memberNamed(third.name))!;
    const others = (await surgeon.memberList(first.clientUrl)).filter(({ id }) => id !== dead.id);
    await third.kill();
    rmSync(third.dataDir, { recursive: true });

    const spare = ['https://127.0.1.9:2380'];
    const early = await surgeon.memberAddAsLearner(spare);
    expect(early).toMatchObject({ outcome: 'refused', why: 'unhealthy' });

    await waitUntil('the dead member is removed', 20_000, async () => (await surgeon.memberRemove(dead.id)).outcome === 'removed');
    expect(await surgeon.memberRemove(dead.id)).toEqual({ outcome: 'already-gone' });
    expect(await surgeon.memberPromote(dead.id)).toMatchObject({ outcome: 'refused', why: 'no-such-member' });

    await waitUntil('a learner is added', 20_000, async () => (await surgeon.memberAddAsLearner(dead.peerUrls)).outcome === 'added');
    const again = await surgeon.memberAddAsLearner(dead.peerUrls);
    const learner = (await surgeon.memberList(first.clientUrl, true)).find(({ isLearner }) => isLearner)!;
    expect(again).toEqual({ outcome: 'already-added', member: learner });
    expect(learner).toMatchObject({ name: '', peerUrls: dead.peerUrls });
    expect(await surgeon.memberAddAsLearner(spare)).toMatchObject({ outcome: 'refused', why: 'another-learner' });
    expect(await surgeon.memberAddAsLearner([...dead.peerUrls, ...spare])).toMatchObject({ outcome: 'refused', why: 'peer-url-taken' });
    expect(await surgeon.memberPromote(learner.id)).toMatchObject({ outcome: 'refused', why: 'not-in-sync' });

    const everybody = [...others.map(({ name, peerUrls }) => `${name}=${peerUrls[0]}`), `${third.name}=${dead.peerUrls[0]}`].join(',');
    third.start([`--initial-cluster=${everybody}`, '--initial-cluster-state=existing']);
    await waitUntil('it is promoted', 30_000, async () => (await surgeon.memberPromote(learner.id)).outcome === 'promoted');

    expect(await surgeon.memberPromote(learner.id)).toEqual({ outcome: 'already-voting' });
    expect(await memberNamed(third.name)).toMatchObject({ id: learner.id, isLearner: false });
    await third.ready();
  });

  test('that has no majority says so, and still lists its members', async () => {
    const [first, ...others] = cluster.members;
    await Promise.all(others.map((member) => member.kill()));
    try {
      // Of nobody: a removal that the leader has in its log is made when the others come back.
      expect(await surgeon.memberRemove('dead')).toMatchObject({ outcome: 'refused', why: 'no-quorum' });
      await expect(surgeon.deletePrefix('/registry/masterleases/')).rejects.toThrow();
      expect(await surgeon.memberList(first!.clientUrl)).toHaveLength(3);
      await expect(surgeon.memberList(first!.clientUrl, true)).rejects.toThrow();
    } finally {
      others.forEach((member) => member.start());
      await Promise.all(cluster.members.map((member) => member.ready()));
    }
  });
});
