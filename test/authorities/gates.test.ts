import type { FaultKind } from '../../lambdas/authorities/faults';
import { GATES, gatesIn } from '../../lambdas/authorities/gate-names';
import type { GateName } from '../../lambdas/authorities/gate-names';
import { mayLeave } from '../../lambdas/authorities/gates';
import type { Observation } from '../../lambdas/authorities/observation';
import { pathOf } from '../../lambdas/authorities/rotation-path';
import { RotationMode } from '../../lambdas/contract/authority-rotation';
import type { RotationState } from '../../lambdas/contract/authority-rotation';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import { NOW } from '../pki/pki-world';
import { N, O, before, changeLeaf, changeLeaves, changeNode, changePort, observed } from './observed';

const everywhere = AuthorityName.options.flatMap((authority) =>
  RotationMode.options.flatMap((mode) => pathOf(mode).map((state) => [state, authority, mode] as const)),
);

describe('a state may be left', () => {
  test.each(everywhere)('%s of %s, %s, when everything is proven', (state, authority, mode) => {
    const verdict = mayLeave(state, observed(state, authority, mode));

    expect(verdict).toEqual({ open: true, evidence: gatesIn(state, authority, mode).map((gate) => GATES[gate]) });
  });

  test.each(everywhere)('%s of %s, %s, never when nothing was observed', (state, authority, mode) => {
    const { at, rotation, expected } = observed(state, authority, mode);

    for (const gate of gatesIn(state, authority, mode)) {
      const verdict = mayLeave(state, { at, rotation, expected }, [gate]);
      expect([gate, verdict.open]).toEqual([gate, false]);
    }
  });

  test.each(everywhere)('%s of %s, %s, never when a single node or port is missing', (state, authority, mode) => {
    const all = observed(state, authority, mode);
    for (const missing of all.nodes!)
      expect(mayLeave(state, { ...all, nodes: all.nodes!.filter((one) => one !== missing) }).open).toBe(false);
    const portsMatter = gatesIn(state, authority, mode).some((gate) =>
      ['trust-loaded', 'leaves-served', 'canary-distrusts', 'old-gone'].includes(gate),
    );
    for (const missing of all.ports!)
      expect(mayLeave(state, { ...all, ports: all.ports!.filter((one) => one !== missing) }).open).toBe(!portsMatter);
  });

  test('a gate looks at every state that it stands in, and at none the names do not know', () => {
    const used = new Set(everywhere.flatMap(([state, authority, mode]) => gatesIn(state, authority, mode, mode === 'planned')));

    expect([...used].sort()).toEqual(Object.keys(GATES).sort());
  });
});

type Change = (observation: Observation) => Observation;

describe('a gate is shut', () => {
  test.each<[GateName, string, RotationState, AuthorityName, Change, RegExp]>([
    ['path-matrix', 'by a refused chain', 'MINTED', 'cluster', (o) => ({ ...o, pathMatrix: { failing: ['a by b'] } }), /^refused: a by b$/],
    ['nodes-ready', 'by a node that is not Ready', 'TRUSTED', 'cluster', (o) => ({ ...o, unready: ['w-2'] }), /node w-2 is not Ready/],
    [
      'apiservers-ready',
      'by one that lost etcd while all others serve',
      'SOAKING',
      'etcd',
      (o) => ({ ...o, readyz: o.readyz!.map((each) => ({ ...each, ok: each.place !== 'cp-2' })) }),
      /^the apiserver of cp-2 is not ready$/,
    ],
    [
      'apiservers-ready',
      'by one that nobody asked',
      'TRUSTED',
      'front-proxy',
      (o) => ({ ...o, readyz: o.readyz!.slice(1) }),
      /not known whether the apiserver of cp-1/,
    ],
    [
      'etcd-well',
      'by a voter less',
      'ISSUING',
      'etcd',
      (o) => ({ ...o, etcd: { ...o.etcd!, voters: 2 } }),
      /2 voters, and 3 nodes run a member/,
    ],
    ['etcd-well', 'by a learner', 'ISSUING', 'etcd', (o) => ({ ...o, etcd: { ...o.etcd!, learners: 1 } }), /1 learner/],
    ['etcd-well', 'by a lost link', 'ISSUING', 'etcd', (o) => ({ ...o, etcd: { ...o.etcd!, activePeersOk: false } }), /active peers/],
    [
      'trust-files',
      'by one other file',
      'TRUSTED',
      'etcd',
      (o) => changeNode(o, 'w-1', { bundles: ['b'.repeat(64), 'x'] }),
      /w-1 has other/,
    ],
    ['trust-files', 'by a node without such a file', 'TRUSTED', 'etcd', (o) => changeNode(o, 'w-1', { bundles: [] }), /no file/],
    [
      'trust-loaded',
      'by one apiserver',
      'TRUSTED',
      'cluster',
      (o) => changePort(o, 'cp-2', { acceptable: [O.name] }),
      /apiserver of cp-2 does not list CN=n/,
    ],
    ['trust-loaded', 'by a port that asks for no certificate', 'TRUSTED', 'cluster', (o) => silent(o, 'cp-2'), /apiserver of cp-2/],
    ['trust-loaded', 'by a kubelet, later', 'SOAKING', 'cluster', (o) => changePort(o, 'w-1', { acceptable: [O.name] }), /kubelet of w-1/],
    [
      'root-published',
      'by a namespace without the new root',
      'TRUSTED',
      'cluster',
      (o) => ({ ...o, published: [{ namespace: 'a', generations: [O.id] }] }),
      /of a does not have 1111/,
    ],
    [
      'root-published',
      'by a namespace that keeps the old one',
      'DISTRUSTED',
      'cluster',
      (o) => ({ ...o, published: [{ namespace: 'a', generations: [O.id, N.id] }] }),
      /of a still has 0000/,
    ],
    [
      'restarted',
      'by a controller-manager that runs on',
      'TRUSTED',
      'cluster',
      (o) => changeNode(o, 'cp-3', { processes: [{ component: 'controller-manager', startedAt: before(700), filesAt: before(700) }] }),
      /controller-manager of cp-3 runs since before.*root-ca-file/,
    ],
    [
      'restarted',
      'by an apiserver nobody knows of, where etcd lies behind it',
      'DISTRUST-CANARY',
      'etcd',
      (o) => changeNode(o, 'cp-1', { processes: [{ component: 'etcd', startedAt: NOW, filesAt: before(1) }] }),
      /apiserver of cp-1/,
    ],
    ['leaves-written', 'by a leaf of the old root', 'ISSUING', 'etcd', (o) => changeLeaf(o, 'cp-2', { issuer: O.id }), /cp-2 is by 0000/],
    ['leaves-written', 'by a leaf without cross', 'ISSUING', 'etcd', (o) => changeLeaf(o, 'cp-2', { chain: [] }), /lacks the cross/],
    [
      'leaves-written',
      'by a leaf not told',
      'ISSUING',
      'etcd',
      (o) => changeNode(o, 'cp-2', { leaves: [] }),
      /did not tell of etcd\/server/,
    ],
    [
      'leaves-served',
      'by a leaf of the old root',
      'ISSUING',
      'etcd',
      (o) => changePort(o, 'cp-2', { issuer: O.id }),
      /etcd-peer of cp-2 serves/,
    ],
    [
      'leaves-served',
      'by a bare leaf, which is latent in etcd until a member restarts',
      'ISSUING',
      'etcd',
      (o) => changePort(o, 'cp-2', { chain: [] }),
      /without the cross certificate/,
    ],
    [
      'clients-used',
      'for 128 s',
      'ISSUING',
      'cluster',
      (o) => changeLeaves(o, 'cp-2', { writtenAt: before(128) }),
      /since 128 s, and may take 128/,
    ],
    [
      'clients-used',
      'by a client of the front proxy that nobody knows the time of',
      'ISSUING',
      'front-proxy',
      (o) => changeLeaves(o, 'cp-3', { writtenAt: undefined }),
      /not known when front-proxy-client of cp-3/,
    ],
    [
      'all-running',
      'of a scheduler that has died',
      'TRUSTED',
      'etcd',
      (o) => changeNode(o, 'cp-2', { runs: ['apiserver', 'controller-manager', 'etcd', 'kubelet'] }),
      /^scheduler of cp-2 does not run: start it$/,
    ],
    ['signer-switched', 'by one of three', 'ISSUING', 'cluster', (o) => changeNode(o, 'cp-2', { signer: O.id }), /of cp-2 signs by 0000/],
    ['kubelets-renewed', 'by a worker', 'SOAKING', 'cluster', (o) => changeNode(o, 'w-1', { kubeletIssuer: O.id }), /kubelet of w-1/],
    [
      'places-handled',
      'by one place',
      'SOAKING',
      'cluster',
      (o) => ({ ...o, hidden: [{ place: 'ci', handled: false }] }),
      /^ci has the old/,
    ],
    ['soaked', 'a moment too early', 'SOAKING', 'etcd', (o) => ({ ...o, soakUntil: new Date(NOW.getTime() + 1) }), /wait until 2026/],
    [
      'canary-distrusts',
      'while the first lists it',
      'DISTRUST-CANARY',
      'etcd',
      (o) => changePort(o, 'cp-1', { acceptable: [N.name, O.name] }),
      /cp-1 still lists CN=o/,
    ],
    [
      'canary-distrusts',
      'when another one went along',
      'DISTRUST-CANARY',
      'etcd',
      (o) => changePort(o, 'cp-2', { acceptable: [N.name] }),
      /only cp-1/,
    ],
    [
      'canary-distrusts',
      'when another one is back from an old disk',
      'DISTRUST-CANARY',
      'cluster',
      (o) => changePort(o, 'cp-2', { acceptable: [O.name] }),
      /cp-2 does not list CN=n/,
    ],
    [
      'canary-distrusts',
      'when the kubelet beside the first has the old root alone',
      'DISTRUST-CANARY',
      'cluster',
      (o) => ({
        ...o,
        ports: o.ports!.map((port) => (port.place === 'cp-1' && port.component === 'kubelet' ? { ...port, acceptable: [O.name] } : port)),
      }),
      /^kubelet of cp-1 does not list CN=n/,
    ],
    [
      'canary-distrusts',
      'when the first left the cluster',
      'DISTRUST-CANARY',
      'etcd',
      (o) => ({ ...o, rotation: { ...o.rotation, canary: 'cp-7' } }),
      /cp-7.*no node/,
    ],
    [
      'old-gone',
      'by one port',
      'DISTRUSTED',
      'front-proxy',
      (o) => changePort(o, 'cp-3', { acceptable: [N.name, O.name] }),
      /apiserver of cp-3 still lists CN=o/,
    ],
    [
      'old-gone',
      'by a controller-manager that was seen though nobody has to see it',
      'DISTRUSTED',
      'cluster',
      (o) => ({
        ...o,
        ports: [
          ...o.ports!,
          { place: 'cp-1', component: 'controller-manager', issuer: undefined, chain: [], acceptable: [O.name, N.name] },
        ],
      }),
      /controller-manager of cp-1 still lists/,
    ],
  ])('%s %s', (gate, _, state, authority, change, because) => {
    const verdict = mayLeave(state, change(observed(state, authority)), [gate]);
    const all = mayLeave(state, change(observed(state, authority)));

    expect(verdict.open).toBe(false);
    expect(verdict.open ? [] : verdict.because.join('; ')).toMatch(because);
    expect(all.open).toBe(false);
  });

  test('for whoever did not approve', () => {
    const { approvedBy: _, ...rest } = observed('SOAKING', 'etcd');

    expect(mayLeave('SOAKING', rest)).toEqual({
      open: false,
      because: ['nobody approved that the old root is distrusted'],
      kind: 'approval',
    });
  });

  const kubelet = { place: 'the kubelet of w-9', handled: false, approvable: true };
  const unapproved = { approvedBy: undefined };
  const waits = { soakUntil: new Date(NOW.getTime() + 1) };
  test.each<[string, Partial<Observation>, FaultKind]>([
    ['a person, where whoever approves sees to it', { hidden: [kubelet], ...unapproved }, 'approval'],
    ['time, as long as it lasts, whatever a person has to do', { hidden: [kubelet], ...unapproved, ...waits }, 'time'],
    ['work, where a place is left that nobody can approve', { hidden: [kubelet, { place: 'a webhook', handled: false }] }, 'work'],
    ['work, beside time and people', { ...unapproved, ...waits, unready: ['w-1'] }, 'work'],
    ['work, where it is not known how long to wait', { ...unapproved, soakUntil: undefined }, 'work'],
  ])('waits for %s', (_sentence, by, kind) => {
    expect(mayLeave('SOAKING', { ...observed('SOAKING', 'cluster'), ...by })).toMatchObject({ open: false, kind });
  });
});

const late = ['ISSUING', 'SOAKING', 'DISTRUST-CANARY', 'DISTRUSTED'] as const;
test.each<[string, AuthorityName, Change]>([
  ['an old leaf in a file', 'front-proxy', (o) => changeLeaf(o, 'cp-2', { issuer: O.id })],
  ['an old leaf at a port', 'etcd', (o) => changePort(o, 'cp-2', { issuer: O.id, chain: [] })],
  ['a client certificate of this minute', 'cluster', (o) => changeLeaves(o, 'cp-2', { writtenAt: before(60) })],
  ['a controller-manager that signs by the old root', 'cluster', (o) => changeNode(o, 'cp-2', { signer: O.id })],
  [
    'a scheduler that runs since before its kubeconfig',
    'cluster',
    (o) =>
      changeNode(o, 'cp-2', {
        processes: o.nodes![1]!.processes.map((each) => (each.component === 'scheduler' ? { ...each, filesAt: NOW } : each)),
      }),
  ],
])('%s, as on a node that came back from an old disk, shuts every state from the issue on', (_, authority, change) => {
  for (const state of late) expect([state, mayLeave(state, change(observed(state, authority))).open]).toEqual([state, false]);
});

test('the kubelet of the first place may distrust the old root as soon as its file does, or when it is started, and no other may', () => {
  const canary = observed('DISTRUST-CANARY', 'cluster');
  const without = (...places: string[]) => ({
    ...canary,
    ports: canary.ports!.map((port) =>
      port.component === 'kubelet' && places.includes(port.place) ? { ...port, acceptable: [N.name] } : port,
    ),
  });

  expect(mayLeave('DISTRUST-CANARY', canary, ['canary-distrusts']).open).toBe(true);
  expect(mayLeave('DISTRUST-CANARY', without('cp-1'), ['canary-distrusts']).open).toBe(true);
  expect(mayLeave('DISTRUST-CANARY', without('cp-1', 'w-1'), ['canary-distrusts'])).toEqual({
    open: false,
    because: [expect.stringMatching(/^kubelet of w-1 does not list CN=o already/)],
    kind: 'work',
  });
});

test('a kubelet that takes roots at its start alone holds up nobody before it is started', () => {
  for (const state of ['TRUSTED', 'ISSUING'] as const)
    expect(mayLeave(state, changePort(observed(state, 'cluster'), 'w-1', { acceptable: [O.name] })).open).toBe(true);
});

test('bare leaves are right after a compromise', () => {
  expect(mayLeave('ISSUING', changePort(observed('ISSUING', 'etcd', 'compromise'), 'cp-2', { chain: [] })).open).toBe(true);
});

const silent = (observation: Observation, place: string): Observation => changePort(observation, place, { acceptable: undefined });

describe('at the end of DISTRUSTED, when the cross certificate was taken away,', () => {
  const dropped = (authority: AuthorityName): Observation => {
    const all = observed('DISTRUSTED', authority);
    const bare = <T>(each: T) => ({ ...each, chain: [] });
    const nodes = all.nodes!.map((node) => ({ ...node, leaves: node.leaves.map(bare) }));
    return { ...all, rotation: { ...all.rotation, crossDropped: true }, ports: all.ports!.map(bare), nodes };
  };

  test.each(AuthorityName.options)('it may be closed when nobody has it any more, %s', (authority) => {
    expect(mayLeave('DISTRUSTED', dropped(authority))).toEqual({
      open: true,
      evidence: gatesIn('DISTRUSTED', authority, 'planned', true).map((gate) => GATES[gate]),
    });
  });

  test.each(AuthorityName.options)('it may not before somebody had the time to find out that he needs it, %s', (authority) => {
    const early = { ...dropped(authority), soakUntil: new Date(NOW.getTime() + 1) };

    expect(mayLeave('DISTRUSTED', early)).toMatchObject({ open: false, kind: 'time' });
  });

  test.each<[string, AuthorityName, (o: Observation) => Observation, RegExp]>([
    ['a port serves it', 'cluster', (o) => changePort(o, 'cp-2', { chain: [N.cross] }), /apiserver of cp-2 still serves the cross/],
    ['a leaf has it', 'front-proxy', (o) => changeLeaf(o, 'cp-3', { chain: [N.cross] }), /front-proxy-client of cp-3 still has the cross/],
    ['a member of etcd still knows the old root', 'etcd', (o) => changePort(o, 'cp-1', { acceptable: [O.name] }), /cp-1 still lists CN=o/],
    ['nothing is known of the ports', 'etcd', (o) => ({ ...o, ports: undefined }), /nothing is known of the ports/],
  ])('it may not while %s', (_sentence, authority, change, because) => {
    const verdict = mayLeave('DISTRUSTED', change(dropped(authority)));

    expect(verdict).toMatchObject({ open: false, kind: 'work' });
    expect(verdict.open ? '' : verdict.because.join('; ')).toMatch(because);
  });
});
