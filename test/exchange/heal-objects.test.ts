import type { ClusterLook } from '../../lambdas/contract/exchange-looks';
import { World, adopted, idsIn } from './exchange-world';

const idOf = (name: 'cluster' | 'front-proxy' | 'etcd'): string => adopted(name).issuing;
const STRANGER = 'f'.repeat(64);

/** A cluster after a restore: what its API tells is what it told when the snapshot was taken. */
function restored(look: (seen: ClusterLook, round: number) => Partial<ClusterLook> = () => ({})): World {
  const world = new World(2);
  const { lookAtCluster } = world.edges;
  let round = 0;
  Object.assign(world.edges, {
    lookAtCluster: async (asked: Parameters<typeof lookAtCluster>[0]) => {
      const seen = await lookAtCluster(asked);
      return { ...seen, published: [{ namespace: 'default', ids: [idOf('cluster')] }], ...look(seen, round++) };
    },
  });
  return world;
}

describe('healing what a restore brought back', () => {
  test('tells the cluster what is trusted now, of both authorities that its objects name, and changes no secret and no node', async () => {
    const world = restored();
    const before = JSON.stringify(world.documents);

    await world.start({ heal: 'run-1' }, 'heal-run-1');

    expect(await world.end()).toMatchObject({ outcome: 'HEALED', rotation: 'heal-run-1', whatToDo: [] });
    expect(idsIn(world.toldCluster.clusterInfo ?? '')).toEqual([idOf('cluster')]);
    expect(idsIn(world.toldCluster.clientCa ?? '')).toEqual([idOf('cluster')]);
    expect(idsIn(world.toldCluster.requestHeaderCa ?? '')).toEqual([idOf('front-proxy')]);
    expect([JSON.stringify(world.documents), world.rotated]).toEqual([before, []]);
    expect(JSON.parse(world.reports[0]?.text ?? '')).toMatchObject({ kind: 'pki-heal', restore: 'run-1', outcome: 'HEALED' });
  });

  test('trusts both while an authority is exchanged, whatever the snapshot says of that', async () => {
    const world = restored();
    await world.start({ authority: 'cluster' });
    await world.until('TRUSTED');
    const { generations } = world.document('cluster');

    await world.start({ heal: 'run-1' }, 'heal-run-1');

    expect(await world.end()).toMatchObject({ outcome: 'HEALED' });
    expect(idsIn(world.toldCluster.clusterInfo ?? '')).toEqual(generations.map(({ id }) => id));
    expect(world.rotation()).toMatchObject({ id: 'r-1', state: 'TRUSTED', driver: 'arn:r-1' });
  });

  test('waits for the controller-managers to publish', async () => {
    const world = restored((_seen, round) => (round < 3 ? { published: [{ namespace: 'default', ids: [STRANGER] }] } : {}));

    await world.start({ heal: 'run-1' });

    expect(await world.end()).toMatchObject({ outcome: 'HEALED' });
    expect(world.waits.map(({ act, seconds }) => [act, seconds])).toEqual([1, 2, 3].map(() => ['look', 60]));
  });

  test.each<[string, Partial<ClusterLook>, RegExp]>([
    ['is never published', { published: [{ namespace: 'apps', ids: [] }] }, /kube-root-ca.crt of apps is not what/],
    ['has a stranger beside it', { published: [{ namespace: 'apps', ids: [idOf('cluster'), STRANGER] }] }, /kube-root-ca.crt of apps/],
  ])('calls somebody after half an hour when what is trusted %s', async (_sentence, seen, summary) => {
    const world = restored(() => seen);

    await world.start({ heal: 'run-1' });
    for (const minutes of [0, 26, 0]) {
      await world.next();
      world.pass(minutes * 60);
    }
    expect(world.act?.act).toBe('look');

    expect(await world.end()).toMatchObject({
      outcome: 'HALTED',
      summary: expect.stringMatching(summary) as string,
      whatToDo: [expect.stringContaining('{"heal": "run-1"}') as string],
    });
    expect(world.messages).toHaveLength(1);
  });

  test('waits for an API that does not answer yet', async () => {
    const world = restored();
    world.clusterAway = true;
    await world.start({ heal: 'run-1' });
    await world.next();
    expect(world.act).toMatchObject({ act: 'look', state: { waiting: { because: ['no API server answered'] } } });

    world.clusterAway = false;

    expect(await world.end()).toMatchObject({ outcome: 'HEALED' });
  });

  test('names webhooks that have an authority of then, and not those of somebody else', async () => {
    const world = restored();
    const gone = { ...world.document('cluster').generations[0]!, id: STRANGER, state: 'closed' as const };
    world.document('cluster').generations.unshift(gone);
    world.bundles = [
      { place: 'ValidatingWebhookConfiguration old', ids: [STRANGER] },
      { place: 'APIService both', ids: [STRANGER, idOf('cluster')] },
      { place: 'APIService somebody', ids: ['e'.repeat(64)] },
    ];

    await world.start({ heal: 'run-1' });

    expect(await world.end()).toMatchObject({
      outcome: 'HEALED',
      whatToDo: [expect.stringMatching(/^ValidatingWebhookConfiguration old has the caBundle ffff/)],
    });
  });
});
