import type { RotationState } from '../../lambdas/contract/authority-rotation';
import { parseBundle } from '../../lambdas/pki/bundle';
import { World } from './exchange-world';
import type { WorldNode } from './world-node';

const SERVER = 'pki/etcd/server.crt';
const TRUST = 'pki/etcd/ca.crt';
const withoutCross = (node: WorldNode): void => node.drift(SERVER, parseBundle(node.files.get(SERVER) ?? '')[0] ?? '');

/** One that gave every node what the state gives it, and looks at its gates next. */
async function inState(state: RotationState): Promise<World> {
  const world = new World(2);
  await world.start({ authority: 'etcd', soakSeconds: 0, canarySeconds: 0 });
  await world.until(state);
  await world.until(() => world.act?.act === 'look');
  world.rotated.length = 0;
  return world;
}

describe('a node that has something else than its set', () => {
  test.each<[string, RotationState, (node: WorldNode, old: string) => void]>([
    ['a leaf by the old root, as kubeadm renewed it', 'ISSUING', (node, old) => node.drift(SERVER, old)],
    ['a leaf without the cross certificate', 'ISSUING', withoutCross],
    [
      'the old root alone, as on a disk from before',
      'TRUSTED',
      (node) => node.drift(TRUST, parseBundle(node.files.get(TRUST) ?? '').at(0) ?? ''),
    ],
  ])('is rotated again for %s, and it goes on', async (_sentence, state, change) => {
    const old = new World(2).nodes[1]!.files.get(SERVER) ?? '';
    const world = await inState(state);
    change(world.nodes[1]!, old);

    await world.until(state === 'TRUSTED' ? 'ISSUING' : 'SOAKING');

    expect(world.rotated[0]?.host).toBe('master-2');
    expect(world.rotated.filter(({ host, at }) => host === 'master-2' && at === world.rotated[0]?.at)).toHaveLength(1);
    expect(world.events.filter(({ event }) => event === 'node-healed').map(({ details }) => details)).toMatchObject([
      { host: 'master-2', times: 1, asked: 'begun' },
    ]);
  });

  test('is told after two new sets that mended nothing, a quarter of an hour between them', async () => {
    const world = await inState('ISSUING');
    withoutCross(world.nodes[1]!);
    world.nodes[1]!.stubborn = true;

    for (const times of [1, 2]) {
      await world.until(() => world.rotated.length === times);
      world.pass(930);
    }
    const told = await world.end();

    expect(told).toMatchObject({
      outcome: 'HALTED',
      summary: expect.stringMatching(/etcd\/server of master-2 is not followed by .* after 2 new sets: find out who writes it/) as string,
    });
    const [first = 0, second = 0, ...more] = world.rotated.map(({ at }) => at);
    expect(more).toEqual([]);
    expect(second - first).toBeGreaterThanOrEqual(960);
    expect(world.rotation()?.state).toBe('ISSUING');
  });
});
