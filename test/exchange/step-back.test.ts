import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import { AUTHORITY_FILES } from '../../lambdas/contract/certificate-names';
import type { RotationState } from '../../lambdas/contract/authority-rotation';
import { World } from './exchange-world';

const QUICK = { approval: 'automatic', soakSeconds: 0, canarySeconds: 0 } as const;
const ABORT = { abort: 'r-1', by: 'ann', because: 'errors' };

/** The states from where it was turned round, as they were gone through. */
async function back(world: World): Promise<readonly (RotationState | undefined)[]> {
  const states = [world.rotation()?.state];
  await world.end(() => {
    const state = world.rotation()?.state;
    if (states.at(-1) !== state) states.push(state);
  });
  return states;
}

describe('turning back', () => {
  test.each<[AuthorityName, RotationState, readonly RotationState[]]>([
    ['etcd', 'MINTED', ['MINTED']],
    ['front-proxy', 'TRUSTED', ['TRUSTED', 'MINTED']],
    ['cluster', 'ISSUING', ['ISSUING', 'TRUSTED', 'MINTED']],
    ['etcd', 'SOAKING', ['SOAKING', 'ISSUING', 'TRUSTED', 'MINTED']],
    ['front-proxy', 'DISTRUST-CANARY', ['DISTRUST-CANARY', 'SOAKING', 'ISSUING', 'TRUSTED', 'MINTED']],
    ['cluster', 'DISTRUSTED', ['DISTRUSTED', 'SOAKING', 'ISSUING', 'TRUSTED', 'MINTED']],
    ['etcd', 'DISTRUSTED', ['DISTRUSTED', 'SOAKING', 'ISSUING', 'TRUSTED', 'MINTED']],
  ])('of %s from %s leaves everything as it was before', async (authority, state, path) => {
    const world = new World(2);
    if (authority === 'cluster') world.workers = ['worker-1'];
    const before = world.document(authority);
    await world.start({ authority, ...QUICK });
    await world.until(state);
    await world.start(ABORT, 'other');

    expect(await back(world)).toEqual([...path, undefined]);

    expect(world.act).toMatchObject({ act: 'end', told: { outcome: 'TURNED_BACK', rotation: 'r-1' } });
    expect(world.document(authority)).toEqual({
      ...before,
      generations: [{ ...before.generations[0], state: 'issuing' }],
      turnedBack: { rotation: 'r-1', by: 'ann', because: 'errors', at: expect.any(String) as string },
    });
    for (const node of world.nodes)
      expect(node.files.get(`pki/${AUTHORITY_FILES[authority]}.crt`)).toBe(before.generations[0]?.certificate);
    expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ outcome: 'TURNED_BACK' });
    if (authority === 'cluster')
      expect(world.toldCluster).toMatchObject({
        clusterInfo: before.generations[0]?.certificate,
        clientCa: before.generations[0]?.certificate,
      });
  });

  test.each<[AuthorityName, RotationState, RotationState]>([
    ['cluster', 'TRUSTED', 'MINTED'],
    ['etcd', 'ISSUING', 'TRUSTED'],
    ['front-proxy', 'SOAKING', 'TRUSTED'],
  ])('of %s from %s gives nobody what is to be taken back, though one node cannot be given it', async (authority, from, to) => {
    const world = new World(3);
    await world.start({ authority, ...QUICK, soakSeconds: 7_200 });
    await world.until(from);
    world.failing.add('master-2');
    world.rotated.length = 0;
    await world.start(ABORT, 'other');

    await world.until(to);

    expect(world.rotated).toEqual([]);
    world.failing.clear();
    expect(await world.end()).toMatchObject({ outcome: 'TURNED_BACK' });
  });

  test('is not undone by the execution that minted it, when the answer of that was lost', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', ...QUICK });
    let before = world.act;
    await world.until(() => {
      if (world.rotation() === undefined) before = world.act;
      return world.rotation() !== undefined;
    });
    world.act = before;
    await world.next();
    const lost = world.act;
    await world.start(ABORT, 'other');
    await world.end();
    world.act = lost;

    expect(await world.end()).toMatchObject({ outcome: 'TURNED_BACK' });
    expect([world.rotation(), world.document('etcd').generations.length]).toEqual([undefined, 1]);
  });

  test('gives the cross certificate back to every node, where it was taken away already', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', ...QUICK, canarySeconds: 600 });
    await world.until(() => world.rotation()?.crossDroppedAt !== undefined);
    const { cross = '' } = world.document('etcd').generations[1] ?? {};
    const serving = () => world.nodes.filter((node) => node.files.get('pki/etcd/server.crt')?.includes(cross)).length;
    await world.until(() => serving() === 0);
    await world.start(ABORT, 'other');

    await world.until(() => serving() === 2);

    expect(world.rotation()?.state).toBe('SOAKING');
    expect(await back(world)).toEqual(['SOAKING', 'ISSUING', 'TRUSTED', 'MINTED', undefined]);
  });

  test('is not possible from where the old root is distrusted since its key is known elsewhere', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', mode: 'compromise', ...QUICK });
    await world.until('DISTRUSTED');

    await expect(world.begin(ABORT, 'other')).rejects.toMatchObject({
      name: 'GenerationRefused',
      message: expect.stringMatching(/no way back, finish it/) as string,
    });
  });

  test('is heard by one that is just about to go on: it does not fail, and goes back', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', ...QUICK });
    await world.until('TRUSTED');
    await world.until(() => world.act?.act === 'look');
    const aborted = { by: 'ann', at: new Date(world.time * 1_000).toISOString(), because: 'errors' };
    world.meanwhile = () => {
      const { rotation, ...rest } = world.document('etcd');
      world.documents.etcd = { ...rest, rotation: { ...rotation!, abortRequested: aborted } };
    };

    expect(await back(world)).toEqual(['TRUSTED', 'MINTED', undefined]);
  });

  test('is waited for as long as both were to be served, once somebody may know the new root alone, at a quarter of an hour a look', async () => {
    const world = new World(2);
    await world.start({ authority: 'front-proxy', ...QUICK, soakSeconds: 7_200 });
    await world.until('DISTRUSTED');
    await world.start(ABORT, 'other');
    await world.until('SOAKING');
    const since = world.time;
    world.waits.length = 0;

    await world.until('ISSUING');

    expect(world.time - since).toBeGreaterThanOrEqual(7_200);
    expect(world.time - since).toBeLessThan(7_300);
    expect(world.waits.filter(({ seconds }) => seconds === 900).length).toBeGreaterThan(6);
    expect(world.waits.length).toBeLessThan(20);
  });

  test('that is over is not begun anew when the answer to its last step is lost', async () => {
    const world = new World(2);
    await world.start({ authority: 'front-proxy', ...QUICK });
    await world.until('TRUSTED');
    await world.start(ABORT, 'other');
    let last = world.act;
    await world.end(() => {
      if (world.act?.act !== 'end') last = world.act;
    });
    const after = world.document('front-proxy');
    world.act = last;

    expect(await world.end()).toMatchObject({ outcome: 'TURNED_BACK' });
    expect(world.document('front-proxy')).toEqual(after);
  });
});

describe('an exchange that is over', () => {
  test('says so when the answer to its last step is lost, and changes nothing', async () => {
    const world = new World(2);
    await world.start({ authority: 'front-proxy', ...QUICK });
    let last = world.act;
    await world.end(() => {
      if (world.act?.act !== 'end') last = world.act;
    });
    const after = world.document('front-proxy');
    world.act = last;

    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED' });
    expect(world.document('front-proxy')).toEqual(after);
  });

  test('is followed by the next one, which takes up what that one left', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd', ...QUICK });
    await world.end();
    await world.start({ authority: 'etcd', ...QUICK }, 'r-2');

    expect(await world.end()).toMatchObject({ outcome: 'EXCHANGED', rotation: 'r-2' });
    expect(world.document('etcd').generations.map(({ state }) => state)).toEqual(['closed', 'closed', 'issuing']);
  });

  test('tells its end though nobody can be told', async () => {
    const deaf = new World(1);
    await deaf.start({ authority: 'front-proxy', ...QUICK });
    Object.assign(deaf.edges, { tell: () => Promise.reject(new Error('the topic is gone')) });

    expect(await deaf.end()).toMatchObject({ outcome: 'EXCHANGED' });
    expect(deaf.events).toContainEqual({ event: 'nobody-told', details: { because: 'the topic is gone' } });
  });

  test('logs no key', async () => {
    const world = new World(1);
    await world.start({ authority: 'cluster', ...QUICK });
    await world.end();

    expect(JSON.stringify([world.events, world.messages, world.reports])).not.toContain('PRIVATE KEY');
    expect(world.events.length).toBeGreaterThan(5);
  });
});
