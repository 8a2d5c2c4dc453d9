import { pathOf } from '../../lambdas/authorities/rotation-path';
import { AUTHORITY_FILES, AuthorityName } from '../../lambdas/contract/certificate-names';
import type { RotationMode } from '../../lambdas/contract/authority-rotation';
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
});
