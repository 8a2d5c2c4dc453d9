import { StepExchange, step } from '../../lambdas/exchange/step';
import type { Act } from '../../lambdas/contract/rotate-authority';
import { inspect } from '../../lambdas/pki/inspect';
import { isSignedBy } from '../../lambdas/pki/signed-by';
import { World } from './exchange-world';

/** Goes on until the first decision is made. */
async function decided(world: World, request: object = {}): Promise<Act | undefined> {
  await world.start({ authority: 'cluster', ...request });
  await world.next();
  return world.act;
}
const told = (act: Act | undefined) => (act?.act === 'end' ? act.told : undefined);

describe('a new exchange', () => {
  test.each<[string, (world: World) => unknown, RegExp]>([
    ['a node that does not answer', (world) => void (world.nodes[1]!.silent = true), /did not tell of their certificates: master-2/],
    ['a signer that is not split', (world) => void (world.nodes[0]!.split = false), /master-1 signs by the file that is trusted too/],
    ['a node of the control plane that nobody found', (world) => void (world.strangers = ['master-9']), /nodes are missing: master-9/],
    ['no snapshot', (world) => void (world.snapshotAge = undefined), /no verified snapshot/],
    ['a snapshot of the day before yesterday', (world) => void (world.snapshotAge = 2 * 86_400), /s-1 is 172800 s old, and 86400/],
    ['an etcd that can lose nobody', (world) => void (world.etcd = { ...world.etcd, healthy: 2 }), /2 of 3 voters of etcd are well/],
    ['a learner', (world) => void (world.etcd = { ...world.etcd, learners: 1 }), /1 learner/],
    ['an API that does not answer', (world) => void (world.clusterAway = true), /Kubernetes API did not answer: no API server answered/],
    [
      'an authority that was never adopted',
      (world) => delete world.documents.cluster,
      /holds no cluster authority.*adopt the cluster first/,
    ],
    [
      'an external authority',
      (world) => delete world.document('cluster').generations[0]!.key,
      /key of the cluster authority [0-9a-f]{8}.* is not here: it is an external CA/,
    ],
  ])('is refused for %s, with the reason and nothing changed', async (_sentence, change, reason) => {
    const world = new World(2);
    change(world);
    const before = JSON.stringify(world.documents);

    const end = told(await decided(world));

    expect(end).toMatchObject({ outcome: 'REFUSED', rotation: 'r-1', summary: expect.stringMatching(reason) as string });
    expect(JSON.stringify(world.documents)).toBe(before);
    expect(world.rotated).toEqual([]);
  });

  test('makes no secrets for the nodes of a cluster that was never adopted', async () => {
    const world = new World(2);
    delete world.documents.cluster;
    for (const node of world.nodes) node.enrolled = false;

    expect(told(await decided(world))).toMatchObject({ outcome: 'REFUSED' });

    expect(world.nodes.map(({ enrolled }) => enrolled)).toEqual([false, false]);
  });

  test('is refused with all reasons at once, and what to do for each', async () => {
    const world = new World(2);
    world.snapshotAge = undefined;
    world.nodes[1]!.silent = true;

    expect(told(await decided(world))?.whatToDo).toEqual(['make them reachable, then plan again', 'take one']);
  });

  test('that began by age and is refused tells people, since nobody looks how it ends', async () => {
    const [asked, aged] = [new World(2), new World(2)];
    for (const world of [asked, aged]) world.snapshotAge = undefined;

    await decided(asked);
    const end = told(await decided(aged, { by: 'age' }));

    expect(end).toMatchObject({ outcome: 'REFUSED', whatToDo: ['take one'] });
    expect(asked.messages).toEqual([]);
    expect(aged.messages).toMatchObject([{ subject: 'kube-lifeboat prod: exchange of the cluster authority: REFUSED' }]);
  });

  test('is refused while another one is under way, by its name', async () => {
    const world = new World(2);
    await world.start({ authority: 'etcd' }, 'r-0');
    await world.until('MINTED');

    expect(told(await decided(world))).toMatchObject({
      outcome: 'REFUSED',
      summary: expect.stringMatching(/rotation r-0 of etcd is under way, in MINTED/) as string,
    });
  });

  test('that is only planned tells every state, and changes nothing', async () => {
    const world = new World(2);
    world.nodes[0]!.stamps = {};
    const before = JSON.stringify(world.documents);

    const end = told(await decided(world, { plan: true, canary: 'master-2' }));

    expect(end).toMatchObject({
      outcome: 'PLANNED',
      summary: expect.stringMatching(/^6 states.*master-2 distrusts first.*TRUSTED: 6 restart/) as string,
    });
    expect(end?.plan).toMatchObject({ decision: 'rotate', canary: 'master-2', states: expect.arrayContaining([]) as unknown[] });
    expect(JSON.stringify(world.documents)).toBe(before);
    expect([world.rotated, world.reports, world.messages]).toEqual([[], [], []]);
  });

  test('that is only planned says who holds the lock of the cluster', async () => {
    const world = new World(2);
    world.lockedBy = 'restore-7';

    expect(told(await decided(world, { plan: true }))).toMatchObject({
      outcome: 'REFUSED',
      summary: expect.stringMatching(/restore-7 holds the lock of the cluster: wait/) as string,
    });
  });

  test('mints under the lock of the cluster, waits for it, and gives it back', async () => {
    const world = new World(2);
    world.lockedBy = 'restore-7';
    const act = await decided(world);

    expect(act).toMatchObject({ act: 'look', state: { waiting: { because: [expect.stringMatching(/^restore-7 holds the lock/)] } } });
    expect(world.rotation()).toBeUndefined();

    world.lockedBy = undefined;
    await world.until('MINTED');
    expect(world.lockedBy).toBeUndefined();
  });

  test('ends when the lock is never given back, and says that nothing was minted', async () => {
    const world = new World(2);
    world.lockedBy = 'restore-7';
    await world.start({ authority: 'etcd' });

    expect(await world.end()).toMatchObject({
      outcome: 'HALTED',
      summary: expect.stringMatching(/restore-7 holds the lock/) as string,
      whatToDo: [expect.stringMatching(/nothing was minted.*start it anew/)],
    });
  });

  test('is refused when another authority began between the plan and the lock', async () => {
    const world = new World(2);
    const other = new World(2);
    await other.start({ authority: 'etcd' }, 'r-0');
    await other.until('MINTED');
    const { lock } = world.edges;
    const late: typeof lock = {
      acquire: (holder) => {
        world.documents.etcd = other.document('etcd');
        return lock.acquire(holder);
      },
    };
    Object.assign(world.edges, { lock: late });
    await world.start({ authority: 'cluster' });

    expect(await world.end()).toMatchObject({
      outcome: 'REFUSED',
      summary: expect.stringMatching(/rotation r-0 of etcd is under way/) as string,
    });
    expect(world.document('cluster').generations).toHaveLength(1);
    expect(world.lockedBy).toBeUndefined();
  });

  test('gives every node its first set before anything is minted, and waits for it', async () => {
    const world = new World(2);
    for (const node of world.nodes) node.stamps = null;
    world.nodes[1]!.enrolled = false;

    const act = await decided(world);

    expect(act).toMatchObject({
      act: 'look',
      seconds: 15,
      state: { waiting: { because: [expect.stringMatching(/^master-1, master-2 had no set/)] } },
    });
    expect(world.rotated.map(({ host }) => host)).toEqual(['master-1', 'master-2']);
    expect(world.rotation()).toBeUndefined();

    await world.until('MINTED');
    expect(world.rotated).toHaveLength(2);
  });

  test('mints a root, and its name and key by the old one, with the canary and the times that were asked for', async () => {
    const world = new World(2);
    const [old] = world.document('cluster').generations;

    await decided(world, { canary: 'master-2', soakSeconds: 60, canarySeconds: 30 });

    const { generations, rotation, issuing } = world.document('cluster');
    const next = generations[1]!;
    expect(rotation).toMatchObject({
      id: 'r-1',
      state: 'MINTED',
      canary: 'master-2',
      soakSeconds: 60,
      canarySeconds: 30,
      driver: 'arn:r-1',
    });
    expect(issuing).toBe(old?.id);
    expect(isSignedBy(next.cross!, old!.certificate)).toBe(true);
    expect(inspect(next.cross!).publicKeySha256).toBe(inspect(next.certificate).publicKeySha256);
    expect(inspect(next.certificate).notAfter.toISOString()).toMatch(/^2031-11-26/);
    expect(rotation?.approvedBy).toBeUndefined();
  });

  test('mints nothing by the old key after a compromise', async () => {
    const world = new World(2);

    await decided(world, { mode: 'compromise', approval: 'automatic' });

    expect(world.document('cluster').generations[1]).not.toHaveProperty('cross');
    expect(world.rotation()).toMatchObject({ mode: 'compromise', approvedBy: 'the request itself' });
  });

  test('mints once, however often the answer to it is lost', async () => {
    const world = new World(2);
    await world.start({ authority: 'cluster' });
    const { act } = world;
    await world.next();
    const minted = world.document('cluster').generations[1]?.id;

    for (let time = 0; time < 2; time++) {
      world.act = act;
      await world.next();
    }

    expect(world.document('cluster').generations.map(({ id }) => id)).toEqual([world.document('cluster').issuing, minted]);
  });

  test('does not go on in another one that began in the same moment', async () => {
    const world = new World(2);
    const other = new World(2);
    await other.start({ authority: 'cluster' }, 'r-0');
    await other.until('MINTED');
    world.meanwhile = () => void (world.documents.cluster = other.document('cluster'));
    await world.start({ authority: 'cluster' });

    expect(await world.end()).toMatchObject({
      outcome: 'REFUSED',
      summary: expect.stringMatching(/rotation r-0 of cluster is under way/) as string,
    });
    expect(world.rotation()?.id).toBe('r-0');
  });

  test('asks the nodes first when it is begun without what they told', async () => {
    const world = new World(1);
    await world.start({ authority: 'cluster' });
    if (world.act?.act !== 'look') throw new Error('it looks first');

    expect(await step(world.edges, StepExchange.parse({ do: 'step', state: world.act.state }).state)).toMatchObject({
      act: 'look',
      seconds: 0,
    });
  });
});
