import { World } from './exchange-world';
import { WorldNode } from './world-node';

const DAY = 86_400;
const started = async (request: object, nodes = 2): Promise<World> => {
  const world = new World(nodes);
  await world.start({ authority: 'etcd', soakSeconds: 0, canarySeconds: 0, ...request });
  return world;
};
const waiting = (world: World) => (world.act?.act === 'end' ? undefined : world.act?.state.waiting);

describe('giving nodes what they are to have', () => {
  test('goes from one to the other, and begins with the one that distrusts first', async () => {
    const world = await started({ canary: 'master-2', approval: 'automatic' }, 3);
    await world.until('TRUSTED');
    world.rotated.length = 0;

    await world.until('ISSUING');

    expect(world.rotated.map(({ host }) => host)).toEqual(['master-2', 'master-1', 'master-3']);
    await world.until('DISTRUST-CANARY');
    world.rotated.length = 0;
    await world.until('DISTRUSTED');
    expect(world.rotated.map(({ host }) => host)).toEqual(['master-2']);
  });

  test('asks again after a minute for one whose rotation was refused, and not before', async () => {
    const world = await started({});
    await world.until('TRUSTED');
    world.stuck.add('master-1');
    world.rotated.length = 0;
    const since = world.time;

    await world.until(() => world.time > since + 180);

    expect(world.rotated.map(({ host, at }) => [host, at - since])).toEqual([
      ['master-1', 0],
      ['master-1', 60],
      ['master-1', 120],
      ['master-1', 180],
    ]);
    world.stuck.clear();
    await world.until('ISSUING');
  });

  test.each([
    ['three minutes, while nobody works on the nodes', undefined, 180],
    ['a quarter of an hour, for as long as the function that works on it may live', 'rotation-1', 960],
  ])('asks again for one whose rotation came to nothing after %s', async (_sentence, lockedBy, seconds) => {
    const world = await started({});
    await world.until('TRUSTED');
    world.failing.add('master-1');
    world.lockedBy = lockedBy;
    world.rotated.length = 0;

    await world.until(() => world.rotated.length === 2);

    const [first = 0, second = 0] = world.rotated.map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(seconds);
    expect(second - first).toBeLessThan(seconds + 30);
    world.failing.clear();
    world.lockedBy = undefined;
    await world.until('ISSUING');
  });

  test('names who is away meanwhile, though others are given their sets', async () => {
    const world = await started({}, 3);
    await world.until('TRUSTED');
    world.failing.add('master-1');
    world.nodes[2]!.silent = true;

    await world.until(() => waiting(world)?.forWhat === 'the set of master-1 in TRUSTED');

    expect(waiting(world)?.because).toEqual([
      'master-1 does not have what TRUSTED gives it yet',
      'Systems Manager does not hear of master-3: start its agent, or take it out of the cluster',
    ]);
  });

  test('has a set taken back that waits on a node, also where the current one is as it should be', async () => {
    const world = await started({});
    await world.until('TRUSTED');
    await world.until(() => world.act?.act === 'look');
    world.nodes[1]!.waits = true;
    world.rotated.length = 0;

    await world.until('ISSUING');

    expect(world.rotated.map(({ host }) => host)).toEqual(['master-2']);
    expect(world.nodes[1]!.waits).toBe(false);
  });

  test('tells why a set cannot be rotated where that is more than one under way, and goes on once it can', async () => {
    const world = await started({});
    await world.until('TRUSTED');
    world.refused = 'cannot rotate secret lifeboat/prod/pki/nodes/i-1: it was marked for deletion';
    world.rotated.length = 0;
    const since = world.time;

    await world.until(() => world.time > since + 90);

    expect(world.rotated.map(({ at }) => at - since)).toEqual([0, 60]);
    expect(waiting(world)?.because).toEqual([
      'master-1 does not have what TRUSTED gives it yet: cannot rotate secret lifeboat/prod/pki/nodes/i-1: it was marked for deletion',
    ]);
    world.refused = undefined;
    await world.until('ISSUING');
  });

  test('makes a secret for a node that joined since, and gives it what the others have', async () => {
    const world = await started({ approval: 'automatic' });
    await world.until('TRUSTED');
    const joined = new WorldNode(3, world.documents, world.time);
    joined.enrolled = false;
    joined.stamps = null;
    world.nodes.push(joined);

    await world.until(() => joined.stamps !== null);

    expect(joined.enrolled).toBe(true);
    expect(joined.stamps).toEqual(world.nodes[0]!.stamps);
  });

  test('ends after an hour in which a node got nothing, with whom it waited for and both ways on', async () => {
    const world = await started({});
    await world.until('TRUSTED');
    world.stuck.add('master-2');
    const since = world.time;

    const told = await world.end();

    expect(told).toMatchObject({
      outcome: 'HALTED',
      summary: expect.stringMatching(/etcd authority stands still: master-2 does not have what TRUSTED gives it/) as string,
      whatToDo: [expect.stringContaining('{"resume": "r-1"}'), expect.stringContaining('{"abort": "r-1"')],
    });
    expect(world.time - since).toBeGreaterThan(3_600);
    expect(world.time - since).toBeLessThan(3_700);
    expect(world.rotation()?.state).toBe('TRUSTED');
    expect(world.messages.at(-1)).toMatchObject({ subject: expect.stringMatching(/prod.*HALTED/) as string });
    expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ kind: 'authority-exchange', outcome: 'HALTED', rotation: 'r-1' });
  });

  test('renews the own client of etcd with it, and leaves it alone where it fits', async () => {
    const world = await started({ approval: 'automatic' });
    const [before] = [world.client];
    await world.until('ISSUING');
    await world.next();
    const issued = world.client;
    await world.next();

    expect(issued?.cert).not.toBe(before?.cert);
    expect(world.client).toBe(issued);
    expect(world.events.filter(({ event }) => event === 'etcd-client-renewed').map(({ details }) => details)).toMatchObject([
      { trusted: 2 },
      { trusted: 2 },
    ]);
    await world.end();
    expect(world.client?.ca).toBe(world.document('etcd').generations[1]?.certificate);
  });
});

describe('gates that are shut', () => {
  test('are looked at again every quarter of a minute at first and every minute later, and end it after an hour', async () => {
    const world = await started({});
    await world.until('TRUSTED');
    world.nodes[1]!.mute = true;
    await world.until(() => waiting(world) !== undefined && waiting(world)?.forWhat === 'gates of TRUSTED');
    const { since } = waiting(world)!;
    world.waits.length = 0;

    const told = await world.end();

    expect(told).toMatchObject({ outcome: 'HALTED', summary: expect.stringMatching(/apiserver of master-2/) as string });
    expect(world.time - since).toBeGreaterThan(3_600);
    expect(world.time - since).toBeLessThan(3_700);
    const looks = world.waits.filter(({ act }) => act === 'look').map(({ seconds }) => seconds);
    expect(looks).toEqual([...looks].sort((one, other) => one - other));
    expect([looks[10], looks.at(-1)]).toEqual([15, 60]);
    expect(looks.length).toBeLessThan(100);
  });

  test.each(['TRUSTED', 'ISSUING'] as const)('stay shut in %s while a node does not tell, though all others do', async (state) => {
    const world = await started({});
    await world.until(state);
    world.nodes[1]!.silent = true;
    await world.until(() => waiting(world)?.because.some((each) => each.includes('did not tell')) === true);
    world.pass(3_600);

    expect(await world.end()).toMatchObject({
      outcome: 'HALTED',
      summary: expect.stringMatching(/master-2 did not tell: make it reachable/) as string,
    });
    expect(world.rotation()?.state).toBe(state);
  });

  test.each(['MINTED', 'TRUSTED', 'ISSUING', 'SOAKING'] as const)(
    'in %s are not the end of it when nobody tells in one round',
    async (state) => {
      const world = await started({ authority: 'front-proxy' });
      await world.until(state);
      for (const node of world.nodes) node.silent = node.mute = true;
      await world.until(() => waiting(world)?.because.some((each) => each.includes('did not tell')) === true);
      for (const node of world.nodes) node.silent = node.mute = false;

      await world.until(() => world.rotation()?.state !== state || waiting(world)?.kind === 'approval');
    },
  );

  test('name a controller-manager that has died, which does not tell of itself', async () => {
    const world = await started({});
    await world.until('TRUSTED');
    delete (world.nodes[1]!.started as Partial<Record<string, number>>)['controller-manager'];

    await world.until(() => waiting(world)?.because.includes('controller-manager of master-2 does not run: start it') === true);
  });

  test('open again by themselves: who came back is gone on with', async () => {
    const world = await started({});
    await world.until('TRUSTED');
    world.nodes[1]!.mute = true;
    await world.until(() => waiting(world) !== undefined && world.waits.filter(({ act }) => act === 'look').length > 2);
    world.nodes[1]!.mute = false;

    await world.until('ISSUING');
  });
});

describe('time and people', () => {
  test('while both are served nobody is asked anything but once a day, a quarter of an hour at a time at most', async () => {
    const world = await started({ soakSeconds: 7 * DAY });
    await world.until('SOAKING');
    const since = world.time;
    await world.until(() => waiting(world)?.kind === 'time');
    world.waits.length = 0;

    const looks: number[] = [];
    await world.until(() => {
      if (world.act?.act === 'look') looks.push(world.time - since);
      return world.time - since >= 7 * DAY;
    });

    // All is looked at once a day: nodes, and what hides the old generation, may be others by then.
    expect(looks.length).toBeLessThanOrEqual(7);
    expect(looks.length).toBeGreaterThanOrEqual(6);
    expect(world.waits.every(({ act, seconds }) => act === 'step' && seconds <= 900)).toBe(true);
    expect(world.messages).toEqual([]);
  });

  test.each([0, 3_600])(
    'people are asked after %s s in which both were served, told how they answer, and asked again each day',
    async (soakSeconds) => {
      const world = await started({ soakSeconds });
      await world.until('SOAKING');
      const since = world.time;
      await world.until(() => world.messages.length > 0);

      expect(world.time - since).toBeLessThan(soakSeconds + 60);
      expect(world.messages[0]).toMatchObject({
        subject: 'kube-lifeboat prod: the etcd authority waits for approval',
        message: expect.stringContaining('{"approve": "r-1", "by": "<your name>"}') as string,
      });
      await world.until(() => world.time > since + soakSeconds + 2.5 * DAY);
      expect(world.messages).toHaveLength(3);
      expect(world.rotation()?.state).toBe('SOAKING');
    },
  );

  test('a node that joins while people are waited for gets what the others have, before anybody answers', async () => {
    const world = await started({});
    await world.until(() => world.messages.length > 0);
    const joined = new WorldNode(3, world.documents, world.time);
    joined.stamps = {};
    world.nodes.push(joined);
    const since = world.time;

    await world.until(() => joined.stamps?.etcd !== undefined);

    expect(world.time - since).toBeLessThan(1_000);
    expect(joined.stamps).toEqual(world.nodes[0]!.stamps);
  });

  test('somebody who approves is heard at once, also in the middle of a long wait, and it goes on to the end', async () => {
    const world = await started({});
    await world.until(() => world.messages.length > 0);
    await world.until(() => world.act?.act === 'step' && world.act.seconds === 900);
    await world.start({ approve: 'r-1', by: 'ann' }, 'other');
    const since = world.time;

    await world.until('DISTRUST-CANARY');

    expect(world.time - since).toBeLessThanOrEqual(30);
    expect(await world.end()).toMatchObject({
      outcome: 'EXCHANGED',
      summary: expect.stringMatching(/etcd authority is CN=etcd-ca-g2-.* and CN=etcd-ca-g1-.* is distrusted/) as string,
    });
    expect(world.messages.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/waits for approval/),
      expect.stringMatching(/EXCHANGED/),
    ]);
  });

  test('it is left to another execution when nobody approves for two weeks, as it is', async () => {
    const world = await started({});
    await world.until('SOAKING');
    const since = world.time;

    expect(await world.end()).toMatchObject({
      outcome: 'AWAITS_APPROVAL',
      whatToDo: [expect.stringContaining('{"approve": "r-1"'), expect.stringContaining('{"abort": "r-1"')],
    });

    expect(world.time - since).toBeGreaterThan(14 * DAY);
    expect(world.time - since).toBeLessThan(14 * DAY + 1_800);
    world.running.delete('arn:r-1');
    await world.start({ approve: 'r-1', by: 'ann' }, 'later');
    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED', rotation: 'r-1' });
  });

  test('a worker of which nobody tells is for a person to see to, and named to him; it is no work that ends in an hour', async () => {
    const world = await started({ authority: 'cluster' });
    world.workers = ['worker-1'];
    await world.until(() => world.messages.length > 0);

    expect(world.messages[0]?.message).toMatch(/the kubelet of worker-1, .* has the old root: see to it/);
    await world.start({ approve: 'r-1', by: 'ann' }, 'other');
    expect(world.rotation()?.approval).toMatchObject({ by: 'ann', named: [expect.stringContaining('kubelet of worker-1')] });
    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
    expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({
      approval: { by: 'ann', named: [expect.stringContaining('kubelet of worker-1')] },
    });
  });

  test('a configuration of kubeadm that is not clear is named to whoever approves, noted with it, and told at the end', async () => {
    const world = await started({ authority: 'cluster' });
    world.unclear = 'kubeadm-config has aliases: set both flags in it by hand';
    await world.until(() => world.messages.length > 0);

    expect(world.messages[0]?.message).toContain(world.unclear);
    expect(world.events.filter(({ event }) => event === 'exchange-note')).toHaveLength(1);
    await world.start({ approve: 'r-1', by: 'ann' }, 'other');
    expect(world.rotation()?.approval?.named).toEqual([world.unclear]);
    await world.end();
    expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ outcome: 'EXCHANGED', notes: [world.unclear] });
    expect(world.messages.at(-1)?.message).toContain(world.unclear);
  });

  test('a webhook with the old root alone keeps it shut whoever approves, until somebody gives it both', async () => {
    const world = await started({ authority: 'cluster', approval: 'automatic' });
    const { issuing } = world.document('cluster');
    world.bundles = [{ place: 'ValidatingWebhookConfiguration policy', ids: [issuing] }];
    await world.until(() => waiting(world)?.because.some((each) => each.includes('policy')) === true);
    world.pass(3_600);

    expect(await world.end()).toMatchObject({
      outcome: 'HALTED',
      summary: expect.stringMatching(
        /ValidatingWebhookConfiguration policy has the old root alone: have whoever made it give it both/,
      ) as string,
    });
    expect(world.rotation()?.state).toBe('SOAKING');
    world.bundles = [{ place: 'ValidatingWebhookConfiguration policy', ids: [issuing, world.rotation()?.to ?? ''] }];
    world.running.clear();
    await world.start({ resume: 'r-1' }, 'later');
    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
  });
});
