import { handOver, isLong, nameAfter } from '../../lambdas/exchange/hand-over';
import { silentEvents } from '../../lambdas/contract/rotate-authority';
import { World } from './exchange-world';

const events = (world: World): number => (world.act?.act === 'end' ? 0 : (world.act?.state.events ?? 0));

describe('the history of an execution', () => {
  test('ends long before its 25,000th event: another execution goes on, with the same end of what is waited for', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', soakSeconds: 0 });
    await world.until(() => world.messages.length > 0);
    const asked = world.time;
    let most = 0;

    const told = await world.end(() => (most = Math.max(most, events(world))));

    expect([...world.successors.keys()]).toEqual(['r-1_2']);
    expect(most).toBeLessThan(11_000);
    expect(told).toMatchObject({ outcome: 'AWAITS_APPROVAL' });
    // Whoever waits for two weeks does not begin anew with each execution, and asks once a day as one alone would.
    expect(world.time - asked).toBeLessThan(14 * 86_400 + 1_800);
    expect(world.messages.filter(({ subject }) => subject.includes('waits for approval'))).toHaveLength(14);
  });

  test('counts what a node that is away takes, which is looked at again and again', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', soakSeconds: 0 });
    await world.until('TRUSTED');
    world.nodes[1]!.silent = true;
    await world.until(() => world.act?.act === 'look');
    const before = events(world);

    await world.next();

    expect(events(world) - before).toBeGreaterThan(silentEvents(1, { waitForNodesSeconds: 180 }));
  });

  test('is not handed over before anything is minted: that would be another exchange', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd' });
    if (world.act?.act !== 'look') throw new Error('it looks first');
    world.act = { ...world.act, state: { ...world.act.state, events: 20_000 } };

    await world.until('MINTED');

    expect(world.successors.size).toBe(0);
  });

  test('is handed over once, however often the answer to it is lost', async () => {
    const world = new World(1);
    await world.start({ authority: 'etcd' });
    await world.until('TRUSTED');
    if (world.act === undefined || world.act.act === 'end') throw new Error('it has ended');
    const state = { ...world.act.state, events: 20_000 };

    expect(isLong(state)).toBe(true);
    for (let time = 0; time < 2; time++) expect(await handOver(world.edges, state)).toMatchObject({ told: { outcome: 'NOTED' } });

    expect([...world.successors]).toEqual([['r-1_2', expect.objectContaining({ resume: 'r-1', after: 'arn:r-1' })]]);
  });
});

describe('who comes after an execution', () => {
  test.each([
    ['arn:aws:states:eu-central-1:123456789012:execution:lifeboat-prod-rotate-ca:etcd', 'etcd_2'],
    ['arn:x:etcd_2', 'etcd_3'],
    ['arn:x:etcd_99', 'etcd_100'],
    ['arn:x:_1', '_2'],
    [`arn:x:${'a'.repeat(80)}`, `${'a'.repeat(78)}_2`],
    [`arn:x:${'a'.repeat(78)}_9`, `${'a'.repeat(77)}_10`],
  ])('of %s is %s', (execution, name) => expect(nameAfter(execution)).toBe(name));
});
