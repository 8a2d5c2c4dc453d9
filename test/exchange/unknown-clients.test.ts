import { unknownClients } from '../../lambdas/exchange/unknown-clients';
import { idOf, toldNode } from '../certificates/told-nodes';
import { NOW } from '../pki/pki-world';
import { World } from './exchange-world';

const now = NOW.getTime() / 1_000;
const hash = (digit: number): string => String(digit).repeat(64);
const used = (digit: number, by: Partial<{ user: string; address: string; lastAt: number }> = {}) => ({
  sha256: hash(digit),
  ...{ user: 'jane', address: '10.0.0.9', lastAt: now },
  ...by,
});
const node = (...seen: ReturnType<typeof used>[]) => toldNode(1, { facts: { apiClients: { seen, more: 0 } } });
const places = (...nodes: ReturnType<typeof node>[]): string[] => unknownClients(nodes, NOW).map(({ place }) => place);

test('a certificate that no node has is told by who it is for, when it was used and from where', () => {
  expect(unknownClients([node(used(1))], NOW)).toEqual([
    {
      place: 'the certificate 11111111 of jane',
      because: `the certificate 11111111 of jane was last used at ${NOW.toISOString()} from 10.0.0.9, and by which root it is is not known`,
    },
  ]);
});

test('one that several API servers saw is told once, as of last', () => {
  const both = unknownClients([node(used(1)), node(used(1, { address: '10.0.0.8', lastAt: now + 5 }))], NOW);

  expect(both).toHaveLength(1);
  expect(both[0]?.because).toContain('from 10.0.0.8');
});

test('two of one user are two', () => {
  expect(places(node(used(1), used(2, { lastAt: now + 1 })))).toEqual([
    'the certificate 22222222 of jane',
    'the certificate 11111111 of jane',
  ]);
});

test('one that was not used since then is not', () => {
  expect(places(node(used(1, { lastAt: now - 1 })))).toEqual([]);
});

test('one that a node has is ours', () => {
  const own = { ...used(1), sha256: idOf('apiserver of 2') };

  expect(places(node(own))).toHaveLength(1);
  expect(places(node(own), toldNode(2))).toEqual([]);
});

test.each([null, undefined])('nothing is told where the API server keeps no audit log: %s', (apiClients) => {
  expect(unknownClients([toldNode(1, { facts: { apiClients } })], NOW)).toEqual([]);
});

test('that a log has more than it is asked for is told, too', () => {
  const cut = toldNode(1, { facts: { apiClients: { seen: [used(1)], more: 30 } } });

  expect(places(cut)).toEqual([
    'the certificate 11111111 of jane',
    expect.stringMatching(/^more certificates than the audit log of .+ is asked for$/),
  ]);
});

test('they are no more than can be named', () => {
  const many = Array.from({ length: 9 }, (_, at) =>
    node(...Array.from({ length: 9 }, (__, on) => ({ ...used(1), sha256: `${at}${on}`.repeat(32) }))),
  );

  expect(places(...many)).toHaveLength(20);
});

describe('in an exchange of the cluster’s authority', () => {
  const soaking = async (request: object = {}): Promise<World> => {
    const world = new World(2);
    world.nodes[0]!.clients = () => [used(1, { lastAt: world.time })];
    await world.start({ authority: 'cluster', soakSeconds: 0, canarySeconds: 0, ...request });
    return world;
  };

  test('whoever approves is told of them, and it goes on by that', async () => {
    const world = await soaking();

    await world.until(() => world.messages.length > 0);

    expect(world.rotation()).toMatchObject({ state: 'SOAKING', named: ['the certificate 11111111 of jane'] });
    expect(world.messages[0]?.message).toContain('by which root it is is not known');
    await world.start({ approve: 'r-1', by: 'ann' }, 'approve-1');
    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
  });

  test('that was approved beforehand, or after a compromise, they keep nothing', async () => {
    for (const request of [{ approval: 'automatic' }, { mode: 'compromise' }]) {
      const world = await soaking(request);

      expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
    }
  });
});
