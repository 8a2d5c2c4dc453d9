import { adoptedPair, idOf } from '../accounts/accounts-pki';
import { World } from './exchange-world';

// The key pair of service accounts, through the same steps as an authority.
const ASKED = { authority: 'service-accounts', waitForNodesSeconds: 60 };
const HOUR = 3_600;

function worldWithPair(): World {
  const world = new World();
  world.adoptPair(adoptedPair());
  return world;
}
const kid = (number: number): string => Buffer.from(idOf(number), 'hex').toString('base64url');
/** No two API servers disagree about a token that one of them signs now. */
const agree = (world: World) => world.nodes.every(({ keys: [signs = ''] }) => world.nodes.every(({ keys }) => keys.includes(signs)));
const stateOf = (world: World) => world.pair?.rotation?.state;

test('from the old pair to the new one, node by node, and at no moment does an API server refuse what another signs', async () => {
  const world = worldWithPair();
  const seen: (string | undefined)[] = [];
  await world.start({ ...ASKED, approval: 'automatic' });

  const told = await world.end(() => {
    expect(agree(world)).toBe(true);
    if (seen.at(-1) !== stateOf(world)) seen.push(stateOf(world));
  });

  expect(told.outcome).toBe('EXCHANGED');
  expect(seen).toEqual(['MINTED', 'VERIFYING', 'SIGNING', 'DROPPING', undefined]);
  const [old, next] = world.pair?.generations ?? [];
  expect(old).toMatchObject({ id: idOf(1), state: 'closed' });
  expect(old?.privateKey).toBeUndefined();
  expect(world.nodes.map(({ keys }) => keys)).toEqual(world.nodes.map(() => [next?.id]));
  expect(world.forgotten).toEqual(['service-accounts']);
});

test('tokens by the old key are waited for a day, unless something else is asked, and never after a compromise', async () => {
  const passed = async (input: object) => {
    const world = worldWithPair();
    const began = world.time;
    await world.start({ ...ASKED, approval: 'automatic', ...input });
    await world.end();
    return world.time - began;
  };

  expect(await passed({})).toBeGreaterThan(24 * HOUR);
  expect(await passed({ soakSeconds: HOUR })).toBeLessThan(2 * HOUR);
  expect(await passed({ mode: 'compromise' })).toBeLessThan(HOUR);
});

test('a token that never ends is named to whoever approves, and nobody’s automatic approval is one for it', async () => {
  const world = worldWithPair();
  world.legacy = [{ namespace: 'ci', name: 'robot', kid: kid(1), lastUsed: '2026-11-20' }];
  await world.start({ ...ASKED, soakSeconds: 60, approval: 'automatic' });

  await world.until(() => world.messages.length > 0);
  expect(world.messages[0]?.message).toMatch(/the legacy token ci\/robot is by the old key.*last used 2026-11-20/);
  expect(stateOf(world)).toBe('SIGNING');
  // Whoever is waited for may be away for days: nodes are looked at once a day.
  const since = world.time;
  const looks = world.waits.filter(({ act }) => act === 'look').length;
  await world.until(() => world.time - since > 20 * HOUR);
  expect(world.waits.filter(({ act }) => act === 'look').length).toBe(looks);
  await world.start({ approve: 'r-1', by: 'ann' }, 'approving');

  expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED', summary: expect.stringContaining('as ann approved') as string });
  const refused = 'the token that never ends of the Secret ci/robot is refused now: delete the Secret';
  expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ notes: [refused] });
  expect(world.messages.at(-1)?.message).toContain(refused);
});

test('a plan names states, restarts and tokens that never end, and changes nothing', async () => {
  const world = worldWithPair();
  world.legacy = [{ namespace: 'ci', name: 'robot' }];
  await world.start({ ...ASKED, plan: true });

  const told = await world.end();

  expect(told).toMatchObject({ outcome: 'PLANNED', plan: { legacy: [{ namespace: 'ci', name: 'robot' }] } });
  expect(told.summary).toContain('SIGNING: 4 restart(s)');
  expect(world.pair).toEqual(adoptedPair());
  expect(world.rotated).toEqual([]);
});

test.each(['VERIFYING', 'SIGNING', 'DROPPING'] as const)(
  'turned back in %s it is as before, and nobody was refused a token that he may hold',
  async (at) => {
    const world = worldWithPair();
    await world.start({ ...ASKED, approval: 'automatic', soakSeconds: HOUR });
    await world.until(() => stateOf(world) === at);
    await world.next();
    const began = world.time;
    await world.start({ abort: 'r-1', by: 'ann', because: 'clients complain' }, 'aborting');

    const told = await world.end(() => expect(agree(world)).toBe(true));

    expect(told.outcome).toBe('TURNED_BACK');
    expect(world.pair?.generations.map(({ id }) => id)).toEqual([idOf(1)]);
    expect(world.nodes.map(({ keys }) => keys)).toEqual(world.nodes.map(() => [idOf(1)]));
    // Whoever holds a token by the new key has the time to get another.
    expect(world.time - began > HOUR).toBe(at !== 'VERIFYING');
  },
);

test('it does not begin while an authority is exchanged, nor the other way round', async () => {
  const world = worldWithPair();
  await world.start({ ...ASKED });
  await world.until(() => stateOf(world) === 'VERIFYING');
  const other = world.act;
  await world.start({ authority: 'front-proxy', waitForNodesSeconds: 60 }, 'r-2');

  const told = await world.end();

  expect(told).toMatchObject({ outcome: 'REFUSED' });
  expect(told.summary).toContain('rotation r-1 of service-accounts is under way, in VERIFYING');
  expect(other?.act).not.toBe('end');
});

test('it is refused where an API server verifies by a key that the lifeboat does not hold', async () => {
  const world = worldWithPair();
  const [first] = world.nodes;
  if (first !== undefined) first.keys = [idOf(1), idOf(3)];
  await world.start({ ...ASKED });

  expect(await world.end()).toMatchObject({ outcome: 'REFUSED', summary: expect.stringContaining('verifies by') as string });
});

test('a controller-manager that has died meanwhile is missed, though it does not tell of itself', async () => {
  const world = worldWithPair();
  await world.start({ ...ASKED, soakSeconds: 0, approval: 'automatic' });
  await world.until(() => stateOf(world) === 'VERIFYING');
  delete (world.nodes[1]!.started as Partial<Record<string, number>>)['controller-manager'];

  await world.until(() => world.act?.act !== 'end' && world.act?.state.waiting?.forWhat === 'gates of VERIFYING');

  const missed = 'controller-manager of master-2 does not run: start it';
  expect(world.act).toMatchObject({ state: { waiting: { because: expect.arrayContaining([missed]) as string[] } } });
});

test('a cluster that was never adopted is told so, and no node is given a secret', async () => {
  const world = new World();
  for (const node of world.nodes) [node.stamps, node.enrolled] = [null, false];
  await world.start({ ...ASKED });

  expect(await world.end()).toMatchObject({
    outcome: 'REFUSED',
    summary: expect.stringContaining('the lifeboat holds no key pair of service accounts: adopt the cluster first') as string,
  });
  expect(world.nodes.some(({ enrolled }) => enrolled)).toBe(false);
});

test('turned back, it is not begun anew by the execution that minted it, when the answer of that was lost', async () => {
  const world = worldWithPair();
  await world.start({ ...ASKED, soakSeconds: 0, approval: 'automatic' });
  let before = world.act;
  await world.until(() => {
    if (stateOf(world) === undefined) before = world.act;
    return stateOf(world) !== undefined;
  });
  world.act = before;
  await world.next();
  const lost = world.act;
  await world.start({ abort: 'r-1', by: 'ann', because: 'clients complain' }, 'aborting');
  await world.end();
  world.act = lost;

  expect(await world.end()).toMatchObject({ outcome: 'TURNED_BACK' });
  expect(world.pair?.generations).toHaveLength(1);
});

test('turned back before anybody was given anything it is over at once, though a node is away', async () => {
  const world = worldWithPair();
  await world.start({ ...ASKED });
  await world.until(() => stateOf(world) === 'MINTED');
  world.nodes[1]!.silent = true;
  const since = world.time;
  await world.start({ abort: 'r-1', by: 'ann', because: 'not now' }, 'aborting');

  expect(await world.end()).toMatchObject({ outcome: 'TURNED_BACK' });
  expect(world.time - since).toBeLessThan(60);
});
