import { ExchangeRefused } from '../../lambdas/exchange/errors';
import type { Act } from '../../lambdas/contract/rotate-authority';
import { World } from './exchange-world';

const message = (text: string | RegExp) => ({ name: 'ExchangeRefused', message: expect.stringMatching(text) as string });
const toldIn = (act: Act) => (act.act === 'end' ? act.told : undefined);
const stateIn = (act: Act) => (act.act === 'end' ? undefined : act.state);

/** A world in which rotation r-1 of etcd's authority is under way. */
async function underWay(): Promise<World> {
  const world = new World(1);
  await world.start({ authority: 'etcd' });
  await world.until('TRUSTED');
  return world;
}

describe('what an execution begins with', () => {
  test('is a new exchange under its own name, after every node was asked', async () => {
    const world = new World(2);

    const act = await world.begin({ authority: 'cluster', waitForNodesSeconds: 7 }, 'exchange-of-today');

    expect(act).toMatchObject({ act: 'look', seconds: 0, request: { waitForNodesSeconds: 7 } });
    expect(stateIn(act)).toEqual({
      rotation: 'exchange-of-today',
      authority: 'cluster',
      driver: 'arn:exchange-of-today',
      request: { authority: 'cluster', mode: 'planned', plan: false, approval: 'ask', by: 'person', waitForNodesSeconds: 7 },
      asked: world.asked(),
      waitForNodesSeconds: 7,
      events: 115,
    });
    expect(world.rotation()).toBeUndefined();
  });

  test('is refused where no node is known, with where to look', async () => {
    await expect(new World(0).begin({ authority: 'cluster' }, 'r-1')).rejects.toMatchObject(
      message(/knows no control-plane node: tag the instances/),
    );
  });

  test.each<[string, object, RegExp]>([
    ['an authority that there is not', { authority: 'kubelet' }, /authority: .*"cluster"\|"etcd"\|"front-proxy".*"kubelet"/],
    ['nothing at all', {}, /authority/],
    ['a field that there is not', { authority: 'etcd', soak: 3 }, /"soak"/],
    ['a soak that is too long', { authority: 'etcd', soakSeconds: 1e8 }, /soakSeconds: .*1209600.*100000000/],
    ['an approval without a name', { approve: 'r-1' }, /by: /],
    ['an abort without a reason', { abort: 'r-1', by: 'ann' }, /because: /],
    ['two wishes at once', { resume: 'r-1', authority: 'etcd' }, /"resume"|"authority"/],
  ])('is refused for %s, by the field and what it may be', async (_sentence, input, text) => {
    const world = new World(1);

    await expect(world.begin(input, 'r-1')).rejects.toMatchObject(message(text));
    await expect(world.begin(input, 'r-1')).rejects.toBeInstanceOf(ExchangeRefused);
  });
});

describe('what concerns a rotation that is under way', () => {
  test.each<[string, object]>([
    ['an approval', { approve: 'r-2', by: 'ann' }],
    ['an abort', { abort: 'r-2', by: 'ann', because: 'errors' }],
    ['who takes it up', { resume: 'r-2' }],
  ])('is refused with the one that there is, where %s names another', async (_what, input) => {
    const world = await underWay();

    await expect(world.begin(input, 'other')).rejects.toMatchObject(message(/no rotation r-2 is under way: name r-1 of etcd/));
  });

  test('is refused where none is', async () => {
    await expect(new World(1).begin({ resume: 'r-1' }, 'other')).rejects.toMatchObject(message(/no rotation r-1 is under way: none is/));
  });

  test.each<[string, object, (world: World) => unknown, unknown]>([
    ['an approval', { approve: 'r-1', by: 'ann' }, (world) => world.rotation()?.approvedBy, 'ann'],
    ['an abort', { abort: 'r-1', by: 'ann', because: 'errors' }, (world) => world.rotation()?.abortRequested?.because, 'errors'],
  ])('is driven on at once by who brings %s, and the execution that drove it until now ends', async (_what, input, noted, value) => {
    const world = await underWay();
    const before = world.act;

    const act = await world.begin(input, 'other');

    expect(act).toMatchObject({ act: 'look', seconds: 0, state: { rotation: 'r-1', driver: 'arn:other' } });
    expect(noted(world)).toEqual(value);
    expect(world.rotation()?.driver).toBe('arn:other');
    world.act = before;
    expect(toldIn(await world.next())).toMatchObject({ outcome: 'NOTED', summary: 'arn:other has taken it up' });
  });

  test('drives no rotation that another execution drives', async () => {
    const world = await underWay();

    await expect(world.begin({ resume: 'r-1' }, 'other')).rejects.toMatchObject(message(/is driven by arn:r-1, which runs: let it/));
    expect(world.rotation()?.driver).toBe('arn:r-1');
  });

  test.each<[string, object]>([
    ['an approval', { approve: 'r-1', by: 'ann' }],
    ['an abort', { abort: 'r-1', by: 'ann', because: 'errors' }],
    ['nothing else', { resume: 'r-1' }],
  ])('with %s drives on what nobody drives any more, under its own id', async (_what, input) => {
    const world = await underWay();
    world.running.delete('arn:r-1');

    const act = await world.begin(input, 'other');

    expect(act).toMatchObject({ act: 'look', state: { rotation: 'r-1', authority: 'etcd', driver: 'arn:other' } });
    expect(stateIn(act)?.request).toBeUndefined();
    expect(world.rotation()?.driver).toBe('arn:other');
  });

  test('is handed over by the execution that drives it while that runs, with what it waits for, and to no other', async () => {
    const world = await underWay();
    const waiting = { forWhat: 'gates of TRUSTED', kind: 'work', since: 7, because: ['a port was not seen'] };

    expect(await world.begin({ resume: 'r-1', after: 'arn:another', waiting }, 'r-1_2')).toMatchObject({
      told: { outcome: 'NOTED', summary: 'arn:r-1 has taken it up' },
    });
    expect(world.rotation()?.driver).toBe('arn:r-1');
    expect(await world.begin({ resume: 'r-1', after: 'arn:r-1', waiting }, 'r-1_2')).toMatchObject({
      act: 'look',
      state: { driver: 'arn:r-1_2', waiting },
    });
  });

  test('ends quietly when somebody approved while it was handed over', async () => {
    const world = await underWay();
    await world.begin({ approve: 'r-1', by: 'ann' }, 'other');
    world.running.add('arn:other');

    expect(await world.begin({ resume: 'r-1', after: 'arn:r-1' }, 'r-1_2')).toMatchObject({
      act: 'end',
      told: { outcome: 'NOTED', summary: 'arn:other has taken it up' },
    });
  });

  test('may be one that is over and whose end nobody heard of: it is told, and the key that goes taken away', async () => {
    const world = new World(1);
    await world.start({ authority: 'etcd', soakSeconds: 0, canarySeconds: 0, approval: 'automatic' });
    await world.end();
    world.forgotten.length = 0;

    await world.start({ resume: 'r-1' }, 'other');

    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED', rotation: 'r-1' });
    expect(world.forgotten).toEqual(['etcd']);
    await world.start({ authority: 'etcd', soakSeconds: 0 }, 'r-2');
    await world.until('TRUSTED');
    await world.start({ abort: 'r-2', by: 'ann', because: 'errors' }, 'aborting');
    await world.end();
    await world.start({ resume: 'r-2' }, 'once-more');
    expect(await world.end()).toMatchObject({ outcome: 'TURNED_BACK', rotation: 'r-2' });
    await expect(world.begin({ abort: 'r-1', by: 'ann', because: 'late' }, 'later')).rejects.toMatchObject(message(/none is/));
  });

  test('goes on when the answer to itself was lost', async () => {
    const world = await underWay();
    world.running.delete('arn:r-1');
    await world.begin({ resume: 'r-1' }, 'other');

    expect(await world.begin({ resume: 'r-1' }, 'other')).toMatchObject({ act: 'look', state: { driver: 'arn:other' } });
  });
});
