import { World } from './exchange-world';

const LONG = { authority: 'etcd', soakSeconds: 0, canarySeconds: 0 } as const;
const ADDRESS = '10.0.0.9';
const NAME = `${ADDRESS}, which etcd refused,`;
const refusedBy = (world: World, of = 0): void => {
  const times = { times: 3, firstAt: world.time, lastAt: world.time };
  world.nodes[of]!.refused = { refused: [{ port: 'client', address: ADDRESS, error: 'tls: bad certificate', ...times }], more: 0 };
};
const distrusting = async (request: object = {}): Promise<World> => {
  const world = new World(2);
  await world.start({ ...LONG, ...request });
  await world.until('TRUSTED');
  if (!('approval' in request)) await world.start({ approve: 'r-1', by: 'eve' }, 'approve-0');
  await world.until('DISTRUST-CANARY');
  world.pass(1);
  refusedBy(world);
  return world;
};
const isAsked = (world: World) => () => world.messages.length > 0;

test('a client that the first place refuses is asked about, by its name, and seldom looked for again', async () => {
  const world = await distrusting();

  await world.until(isAsked(world));

  expect(world.rotation()).toMatchObject({ state: 'DISTRUST-CANARY', named: [NAME] });
  expect(world.messages[0]?.message).toMatch(/^The old generation of the etcd authority is distrusted.*clients are refused since then/);
  expect(world.messages[0]?.message).toContain(`${ADDRESS} was refused by etcd on master-1 (tls: bad certificate)`);
  const since = world.time;
  await world.until(() => world.time > since + 7_200);
  expect(world.messages).toHaveLength(1);
  expect(world.waits.at(-1)?.seconds).toBe(900);
});

test('another that is refused meanwhile is asked about, too, before anybody can approve it unseen, and all of them again each day', async () => {
  const world = await distrusting();
  await world.until(isAsked(world));
  world.nodes[0]!.refused!.refused.push({ ...world.nodes[0]!.refused!.refused[0]!, address: '10.0.0.8' });

  await world.until(() => world.messages.length === 2);

  expect(world.messages[1]?.message).toContain('10.0.0.8 was refused by etcd on master-1');
  const since = world.time;
  await world.until(() => world.messages.length === 3);
  expect(world.time - since).toBeGreaterThanOrEqual(86_400);
  expect(world.time - since).toBeLessThan(86_400 + 1_000);
});

test('who approves again has seen to it, and the report says so', async () => {
  const world = await distrusting();
  await world.until(isAsked(world));

  await world.start({ approve: 'r-1', by: 'ann' }, 'approve-1');

  expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
  expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ notes: [`ann saw to ${NAME}`] });
});

test('one that is refused by others, too, once they distrust is not asked about twice, and a new one is', async () => {
  const world = await distrusting();
  await world.until(isAsked(world));
  await world.start({ approve: 'r-1', by: 'ann' }, 'approve-1');
  await world.until('DISTRUSTED');
  world.messages.length = 0;
  refusedBy(world, 1);
  world.nodes[1]!.refused!.refused.push({ ...world.nodes[1]!.refused!.refused[0]!, address: '10.0.0.8' });

  await world.until(isAsked(world));

  expect(world.rotation()).toMatchObject({
    state: 'DISTRUSTED',
    named: expect.arrayContaining(['10.0.0.8, which etcd refused,']) as string[],
  });
  expect(world.rotation()?.named).not.toContain(NAME);
});

test('where nobody is to be asked it keeps nothing, and the report tells of it', async () => {
  const world = await distrusting({ approval: 'automatic' });

  expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
  expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ notes: [`${NAME} tried to connect`] });
});

test('one of which the log tells no more is waited for no more', async () => {
  const world = await distrusting();
  await world.until(isAsked(world));
  world.nodes[0]!.refused = { refused: [], more: 0 };

  expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
});

test('one that is refused while both are served is named to whoever approves that one is distrusted', async () => {
  const world = new World(2);
  await world.start(LONG);
  await world.until('ISSUING');
  refusedBy(world);

  await world.until(isAsked(world));

  expect(world.rotation()).toMatchObject({ state: 'SOAKING', named: expect.arrayContaining([NAME]) as string[] });
  await world.start({ approve: 'r-1', by: 'ann' }, 'approve-1');
  expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
});

test('a log that is not there, or a document that does not ask for it yet, keeps nobody who approves beforehand', async () => {
  const world = new World(2);
  world.nodes.forEach((node) => (node.refused = null));
  await world.start({ ...LONG, approval: 'automatic' });

  expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
});

test('a member that is refused now keeps it, and lets it go on once it is quiet', async () => {
  const world = await distrusting();
  const peer = { port: 'peer' as const, address: '10.0.0.2', error: 'tls: bad certificate', times: 9, firstAt: 1, lastAt: world.time };
  world.nodes[0]!.refused = { refused: [peer], more: 0 };

  await world.next();
  await world.until(() => world.act?.act !== 'end' && world.act?.state.waiting?.because[0]?.startsWith('10.0.0.2') === true);
  const since = world.time;

  expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
  expect(world.time - since).toBeGreaterThan(60);
});
