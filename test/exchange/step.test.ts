import { pathOf } from '../../lambdas/authorities/rotation-path';
import { AUTHORITY_FILES, AuthorityName } from '../../lambdas/contract/certificate-names';
import type { RotationMode } from '../../lambdas/contract/authority-rotation';
import { adoptedPair } from '../accounts/accounts-pki';
import { World } from './exchange-world';

const AUTOMATIC = { approval: 'automatic' } as const;

describe('an exchange from the first state to the last', () => {
  test.each(
    AuthorityName.options.flatMap((authority) =>
      (['planned', 'compromise'] as const).map((mode): [AuthorityName, RotationMode] => [authority, mode]),
    ),
  )('of the %s authority, %s', async (authority, mode) => {
    const world = new World(2);
    const before = world.document(authority);
    await world.start({ authority, mode, ...AUTOMATIC });
    const states: string[] = [];
    const told = await world.end(() => {
      const state = world.rotation()?.state;
      if (state !== undefined && states.at(-1) !== state) states.push(state);
    });

    expect(told).toMatchObject({ outcome: 'EXCHANGED', rotation: 'r-1' });
    expect(states).toEqual(pathOf(mode));
    const after = world.document(authority);
    const [old, next] = after.generations;
    expect(after).toMatchObject({ issuing: next?.id, generations: [{ id: before.issuing, state: 'closed' }, { state: 'issuing' }] });
    expect(after.rotation).toBeUndefined();
    expect(old).not.toHaveProperty('key');
    expect(next?.key).toBeDefined();
    for (const node of world.nodes) expect(node.files.get(`pki/${AUTHORITY_FILES[authority]}.crt`)).toBe(next?.certificate);
  });

  test('takes the cross certificate from every node before it is closed, and waits as long as one place alone distrusted', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', ...AUTOMATIC, soakSeconds: 0, canarySeconds: 600 });
    await world.until(() => world.rotation()?.crossDroppedAt !== undefined);
    const since = world.time;
    const { cross = '' } = world.document('etcd').generations[1] ?? {};
    const serving = () => world.nodes.filter((node) => node.files.get('pki/etcd/server.crt')?.includes(cross)).length;
    const started = world.nodes.map((node) => node.started.etcd);

    expect(serving()).toBe(2);
    await world.end();

    expect(serving()).toBe(0);
    expect(world.time - since).toBeGreaterThanOrEqual(600);
    expect(world.time - since).toBeLessThan(700);
    // Leaves alone are other ones by that.
    expect(world.nodes.map((node) => node.started.etcd)).toEqual(started);
  });
});

test.each(['etcd', 'service-accounts'] as const)(
  'a secret of %s that is read as it was before anything was minted ends nothing',
  async (authority) => {
    const world = new World(2);
    world.adoptPair(adoptedPair());
    const before = { document: world.documents.etcd, pair: world.pair };
    await world.start({ authority, ...AUTOMATIC, soakSeconds: 0 });
    await world.until(() => world.act?.act === 'step' && world.act.state.request === undefined);
    const { edges } = world;
    const fresh = { authority: edges.authority, accounts: edges.accounts };
    Object.assign(edges, { authority: async () => Promise.resolve(before.document), accounts: async () => Promise.resolve(before.pair) });

    await expect(world.next()).rejects.toMatchObject({
      name: 'StoreFailed',
      message: expect.stringContaining('does not tell of r-1') as string,
    });
    Object.assign(edges, fresh);
    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
  },
);
