import { approve } from '../../lambdas/authorities/approval';
import { advanceTo, requestAbort } from '../../lambdas/authorities/generations';
import { heardNodes } from '../../lambdas/certificates/hear-nodes';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { AuthorityRotation, RotationState } from '../../lambdas/contract/authority-rotation';
import type { ClusterLook, PortLook } from '../../lambdas/contract/exchange-looks';
import { observe, pairOf, portsToAsk, soakUntil } from '../../lambdas/exchange/observe';
import type { Looks } from '../../lambdas/exchange/cluster-seen';
import { parseBundle } from '../../lambdas/pki/bundle';
import { inspect } from '../../lambdas/pki/inspect';
import type { ToldNode } from '../../lambdas/certificates/told-node';
import { toldNode } from '../certificates/told-nodes';
import { World } from './exchange-world';

const BEFORE = { unready: [] };
const QUICK = { approval: 'automatic', soakSeconds: 0, canarySeconds: 0 } as const;

/** A world in this state, before anything of the state was distributed. */
async function worldIn(authority: AuthorityName, state: RotationState, request: object = {}): Promise<World> {
  const world = new World(2);
  await world.start({ authority, ...QUICK, ...request });
  await world.until(state);
  return world;
}

const toldOf = async (world: World): Promise<ToldNode[]> =>
  (await heardNodes(await Promise.all(world.nodes.map((node) => node.facts(world.time))))).told;

async function seen(
  world: World,
  authority: AuthorityName,
  { document = world.document(authority), ...looks }: Partial<Looks> & { document?: AuthoritySecret } = {},
) {
  const told = await toldOf(world);
  const ports = await world.edges.lookAtPorts(portsToAsk(told, authority));
  const cluster = await world.edges.lookAtCluster({ api: [], secretId: '' });
  return observe(
    document,
    document.rotation!,
    BEFORE,
    { told, silent: [] },
    { ports, cluster, etcd: world.etcd, ...looks },
    new Date(world.time * 1_000),
  );
}

describe('the ports that are asked', () => {
  const processes = [{ component: 'kubelet' as const, startedAt: 1 }];
  const asked = (authority: AuthorityName, facts: Partial<ToldNode['facts']> = {}) =>
    portsToAsk([toldNode(1, { facts: { processes, ...facts } })], authority).map(
      ({ place, component, host, port }) => `${component} of ${place} at ${host}:${port}`,
    );

  test.each<[AuthorityName, readonly string[]]>([
    ['front-proxy', ['apiserver of master-1 at 10.0.0.1:6443']],
    ['cluster', ['apiserver of master-1 at 10.0.0.1:6443', 'kubelet of master-1 at 10.0.0.1:10250']],
    [
      'etcd',
      ['apiserver of master-1 at 10.0.0.1:6443', 'etcd-client of master-1 at 10.0.0.1:2379', 'etcd-peer of master-1 at 10.0.0.1:2380'],
    ],
  ])('of %s are those that show it, and each API server for its readiness', (authority, ports) => {
    expect(asked(authority)).toEqual(ports);
  });

  test('are none of a kubelet that does not run, nor of a node without an API server', () => {
    expect(asked('cluster', { processes: [] })).toEqual(['apiserver of master-1 at 10.0.0.1:6443']);
    expect(asked('cluster', { apiserver: null })).toEqual([]);
  });
});

describe('what is expected of a node', () => {
  const nodes = async (world: World, silent: boolean) => {
    const told = silent ? [] : await toldOf(world);
    const { expected, nodes: seenNodes = [] } = observe(
      world.document('etcd'),
      world.rotation()!,
      world.rotation()!.before!,
      { told, silent: silent ? world.nodes : [] },
      { ports: [], cluster: undefined, etcd: undefined },
      new Date(world.time * 1_000),
    );
    return { expected: expected.nodes, seenNodes };
  };

  test('is what ran there when the exchange began, whatever has died since or does not tell', async () => {
    const world = await worldIn('etcd', 'TRUSTED');
    const before = await nodes(world, false);
    delete (world.nodes[0]!.started as Partial<Record<string, number>>)['kubelet'];
    world.nodes[0]!.files.delete('pki/etcd/peer.crt');

    const after = await nodes(world, false);

    expect(before.expected[0]).toMatchObject({ name: 'master-1', runs: expect.arrayContaining(['kubelet', 'etcd']) as string[] });
    expect(after.expected).toEqual(before.expected);
    expect(after.seenNodes[0]?.runs).toEqual(before.seenNodes[0]?.runs.filter((component) => component !== 'kubelet'));
    expect((await nodes(world, true)).expected).toEqual(before.expected);
  });

  test('that joined since is what it tells itself, and so of all nodes where that was never noted', async () => {
    const world = await worldIn('etcd', 'TRUSTED');
    const all = (await nodes(world, false)).expected;
    const { nodes: noted = [], ...before } = world.rotation()!.before!;
    const rotation = { ...world.rotation()!, before: { ...before, nodes: noted.slice(1) } };
    world.documents.etcd = { ...world.document('etcd'), rotation };

    expect((await nodes(world, false)).expected).toEqual(all);
    expect((await nodes(world, true)).expected[0]).toEqual({ name: 'master-1', runs: [], leaves: [] });
  });
});

describe('what is seen', () => {
  test('of a node are its leaves with who signed them and what follows, its trust, its signer and its kubelet', async () => {
    const world = await worldIn('cluster', 'SOAKING');
    const { old, next } = pairOf(world.document('cluster'), world.rotation()!);

    const { nodes, expected, rotation } = await seen(world, 'cluster');

    expect(rotation).toMatchObject({
      old: { id: old.id },
      next: { id: next.id, cross: inspect(next.cross!).sha256 },
      canary: 'master-1',
      wasDistrusted: false,
    });
    expect(nodes?.map(({ name, bundles, signer, kubeletIssuer }) => ({ name, bundles, signer, kubeletIssuer }))).toEqual(
      ['master-1', 'master-2'].map((name) => ({ name, bundles: [expected.bundle], signer: next.id, kubeletIssuer: next.id })),
    );
    const leaves = nodes?.[0]?.leaves ?? [];
    expect(leaves.map(({ leaf }) => leaf)).not.toContain('etcd/server');
    expect(leaves.find(({ leaf }) => leaf === 'apiserver')).toMatchObject({
      issuer: next.id,
      chain: [inspect(next.cross!).sha256],
      writtenAt: new Date(world.nodes[0]!.written['apiserver']! * 1_000),
    });
  });

  test('of another signer is that it is a stranger', async () => {
    const world = await worldIn('cluster', 'TRUSTED');
    const other = new World(1).nodes[0]!;
    world.nodes[0]!.files.set('pki/apiserver.crt', other.files.get('pki/etcd/server.crt')!);
    world.nodes[0]!.files.set('kubeconfigs/kubelet.conf.crt', other.files.get('pki/etcd/peer.crt')!);

    const { nodes, ports } = await seen(world, 'cluster');

    expect(nodes?.[0]?.leaves.find(({ leaf }) => leaf === 'apiserver')?.issuer).toBeUndefined();
    expect(nodes?.[0]?.kubeletIssuer).toBe('a stranger');
    expect(ports?.find(({ place, component }) => place === 'master-1' && component === 'apiserver')?.issuer).toBeUndefined();
  });

  test.each<[AuthorityName, 'planned' | 'compromise', readonly string[]]>([
    ['cluster', 'planned', ['controller-manager', 'scheduler', 'kubelet']],
    ['etcd', 'planned', ['apiserver', 'etcd']],
    ['front-proxy', 'planned', []],
    ['cluster', 'compromise', ['apiserver', 'controller-manager', 'scheduler', 'kubelet']],
    ['front-proxy', 'compromise', ['apiserver']],
  ])('of what runs are, for %s in mode %s, those who have to be started', async (authority, mode, components) => {
    const world = await worldIn(authority, 'TRUSTED', { mode });

    const { nodes } = await seen(world, authority);

    expect(nodes?.[0]?.processes.map(({ component }) => component)).toEqual(components);
    for (const { startedAt, filesAt } of nodes?.[0]?.processes ?? [])
      expect([startedAt, filesAt]).toEqual([expect.any(Date), expect.any(Date)]);
  });

  test('of a process is when the last of its files was written: for the controller-manager the later of two', async () => {
    const world = await worldIn('cluster', 'TRUSTED');
    const at = async (ca: number, conf: number) => {
      Object.assign(world.nodes[0]!.written, { ca, 'controller-manager.conf': conf });
      return (await seen(world, 'cluster')).nodes?.[0]?.processes.find(({ component }) => component === 'controller-manager')?.filesAt;
    };

    expect(await at(1_000, 2_000)).toEqual(new Date(2_000_000));
    expect(await at(3_000, 2_000)).toEqual(new Date(3_000_000));
  });

  test('of a port is what it serves and accepts; one that showed nothing is not there, nor one of another authority', async () => {
    const world = await worldIn('etcd', 'TRUSTED');
    world.nodes[1]!.mute = true;

    const { ports, readyz } = await seen(world, 'etcd');

    expect(ports?.map(({ place, component }) => `${component} of ${place}`)).toEqual(['etcd-client of master-1', 'etcd-peer of master-1']);
    expect(ports?.[0]).toMatchObject({ issuer: world.document('etcd').issuing, acceptable: [expect.stringMatching(/^CN=etcd-ca-g1-/)] });
    expect(readyz).toEqual([{ place: 'master-1', ok: true }]);
  });

  test('is that a node is expected which did not tell, and nothing of a cluster and an etcd that did not answer', async () => {
    const world = await worldIn('etcd', 'TRUSTED');
    const told = (await toldOf(world)).slice(0, 1);
    const document = world.document('etcd');

    const found = observe(
      document,
      document.rotation!,
      BEFORE,
      { told, silent: [{ host: 'master-2' }] },
      { ports: [], cluster: undefined, etcd: undefined },
      new Date(),
    );

    expect(found.expected.nodes.map(({ name }) => name)).toEqual(['master-1', 'master-2']);
    expect(found.nodes?.map(({ name }) => name)).toEqual(['master-1']);
    for (const field of ['published', 'etcd', 'unready', 'hidden']) expect(found).not.toHaveProperty(field);
  });

  test('is refused for a document that lost one of its two generations', async () => {
    const world = await worldIn('etcd', 'TRUSTED');
    const document = world.document('etcd');

    expect(() => pairOf({ ...document, generations: document.generations.slice(0, 1) }, document.rotation!)).toThrow(
      /generation [0-9a-f]{64} is not in the document/,
    );
  });
});

describe('chains and who will see them', () => {
  const failing = async (world: World, authority: AuthorityName, ports?: readonly PortLook[]) =>
    (await seen(world, authority, ports && { ports })).pathMatrix?.failing ?? [];

  test.each<[AuthorityName, RotationState]>([
    ['cluster', 'MINTED'],
    ['etcd', 'TRUSTED'],
    ['front-proxy', 'SOAKING'],
  ])('fit each other for %s in %s', async (authority, state) => {
    expect(await failing(await worldIn(authority, state), authority)).toEqual([]);
  });

  test('of a leaf as it will be issued are tried before any is', async () => {
    const world = await worldIn('etcd', 'TRUSTED');
    const document = world.document('etcd');
    const [old, next] = document.generations;
    const { cross: _, ...bare } = next!;

    const found = await seen(world, 'etcd', { document: { ...document, generations: [old!, bare] } });

    expect(found.pathMatrix?.failing).toEqual(
      expect.arrayContaining([expect.stringMatching(/^a leaf by the new root by who trusts the old root alone: /)]),
    );
  });

  test('that lost the cross certificate are refused by who trusts the old root alone, at a port as in a file', async () => {
    const world = await worldIn('etcd', 'SOAKING');
    const file = 'pki/etcd/server.crt';
    world.nodes[0]!.files.set(file, parseBundle(world.nodes[0]!.files.get(file)!)[0]!);

    const because = await failing(world, 'etcd');

    expect(because).toEqual([
      expect.stringMatching(/^the port of etcd-client on master-1 by who trusts the old root alone: /),
      expect.stringMatching(/^the file of etcd\/server on master-1 by who trusts the old root alone: /),
    ]);
  });
});

describe('places that hide the old root', () => {
  const OLD = (document: AuthoritySecret) => document.rotation!.from;
  const NEXT = (document: AuthoritySecret) => document.rotation!.to;
  async function hidden(
    change: (look: ClusterLook, document: AuthoritySecret) => ClusterLook,
    then: (document: AuthoritySecret) => AuthoritySecret = (each) => each,
    authority: AuthorityName = 'cluster',
  ) {
    const world = await worldIn(authority, 'SOAKING', { approval: 'ask' });
    const document = then(world.document(authority));
    const cluster = change(await world.edges.lookAtCluster({ api: [], secretId: '' }), document);
    return (await seen(world, authority, { document, cluster })).hidden;
  }
  const withBundle = (ids: (document: AuthoritySecret) => string[]) => (look: ClusterLook, document: AuthoritySecret) => ({
    ...look,
    bundles: [{ place: 'APIService v1.metrics', ids: ids(document) }],
  });
  const withWorker = (look: ClusterLook) => ({ ...look, nodes: [...look.nodes, { name: 'worker-1', ready: true }] });
  const step = { rotation: 'r-1', now: new Date() };
  const approved = (document: AuthoritySecret) => approve(document, 'ann', step);
  const turning = (document: AuthoritySecret) =>
    requestAbort(advanceTo(advanceTo(approved(document), 'DISTRUST-CANARY', step), 'DISTRUSTED', step), 'ann', 'errors', step);

  test('are webhooks and the like with it alone, whoever approved', async () => {
    const alone = withBundle((document) => [OLD(document)]);

    for (const then of [undefined, approved])
      expect(await hidden(alone, then)).toEqual([{ place: 'APIService v1.metrics', handled: false }]);
  });

  test.each<[string, (document: AuthoritySecret) => string[]]>([
    ['both', (document) => [OLD(document), NEXT(document)]],
    ['the new root alone', (document) => [NEXT(document)]],
    ['an authority of its own', () => ['f'.repeat(64)]],
  ])('are none with %s', async (_what, ids) => {
    expect(await hidden(withBundle(ids))).toEqual([]);
  });

  test('are on the way back those that were given the new root alone', async () => {
    expect(
      await hidden(
        withBundle((document) => [NEXT(document)]),
        turning,
      ),
    ).toEqual([{ place: 'APIService v1.metrics', handled: false }]);
    expect(
      await hidden(
        withBundle((document) => [OLD(document)]),
        turning,
      ),
    ).toEqual([]);
  });

  test('are kubelets of which nobody tells, until a person approved or turned it back, and for the authority of the cluster alone', async () => {
    const worker = { place: expect.stringMatching(/^the kubelet of worker-1,/) as string, approvable: true };

    expect(await hidden(withWorker)).toEqual([{ ...worker, handled: false }]);
    expect(await hidden(withWorker, approved)).toEqual([{ ...worker, handled: true }]);
    expect(await hidden(withWorker, turning)).toEqual([{ ...worker, handled: true }]);
    expect(await hidden(withWorker, undefined, 'etcd')).toEqual([]);
  });
});

describe('what is tried for a while', () => {
  const untilIn = async (world: World, noted: Partial<AuthorityRotation>) => {
    const document = world.document('cluster');
    const { soakUntil: until } = await seen(world, 'cluster', { document: { ...document, rotation: { ...document.rotation!, ...noted } } });
    return until!.getTime() / 1_000;
  };

  test('is tried from when the first node has what it distrusts by, which may be long after that was noted', async () => {
    const world = await worldIn('cluster', 'DISTRUST-CANARY', { canarySeconds: 600, canary: 'master-1' });
    await world.until(() =>
      world.rotated.some(({ host, at }) => host === 'master-1' && at > Date.parse(world.rotation()!.stateSince) / 1_000),
    );
    const given = world.rotated.filter(({ host }) => host === 'master-1').at(-1)!.at;

    expect(await untilIn(world, { stateSince: '2026-01-01T00:00:00.000Z' })).toBeGreaterThanOrEqual(given + 600);
  });

  test('is tried from when the last node is without the cross certificate', async () => {
    const world = await worldIn('cluster', 'DISTRUSTED', { canarySeconds: 600 });
    await world.until(() => world.rotation()?.crossDroppedAt !== undefined);
    const since = world.rotated.length;
    await world.until(() => world.rotated.length === since + 2);
    const last = world.rotated.at(-1)!.at;

    expect(await untilIn(world, { crossDroppedAt: '2026-01-01T00:00:00.000Z' })).toBeGreaterThanOrEqual(last + 600);
  });
});

test.each<[AuthorityName, RotationState, object, number]>([
  ['cluster', 'SOAKING', {}, 7 * 86_400],
  ['etcd', 'SOAKING', {}, 3_600],
  ['etcd', 'SOAKING', { soakSeconds: 60 }, 60],
  ['etcd', 'DISTRUST-CANARY', {}, 1_800],
  ['etcd', 'DISTRUST-CANARY', { canarySeconds: 5 }, 5],
  ['cluster', 'ISSUING', {}, 128],
  ['etcd', 'ISSUING', {}, 0],
])('%s stays in %s, with %j, at least %d s', (authority, state, how, seconds) => {
  const stateSince = '2026-11-26T12:00:00.000Z';
  const id = 'a'.repeat(64);
  const rotation = { id: 'r-1', mode: 'planned', since: stateSince, from: id, to: id, state, stateSince, ...how } as const;

  expect((soakUntil(authority, rotation).getTime() - new Date(stateSince).getTime()) / 1_000).toBe(seconds);
});
