import { mayReturn } from '../../lambdas/authorities/gates';
import type { NodeSeen, Observation } from '../../lambdas/authorities/observation';
import type { Component } from '../../lambdas/authorities/restarts';
import { RETURN_GATES, goesBackAtOnce, returnGatesOf } from '../../lambdas/authorities/return-gates';
import type { ReturnGate } from '../../lambdas/authorities/return-gates';
import type { RotationState } from '../../lambdas/contract/authority-rotation';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import { NOW } from '../pki/pki-world';
import { N, O, before, changeLeaf, changeLeaves, changeNode, changePort, observed } from './observed';

const changeProcess = (observation: Observation, name: string, component: Component, by: Partial<NodeSeen['processes'][number]>) =>
  changeNode(observation, name, {
    processes: observation
      .nodes!.find((node) => node.name === name)!
      .processes.map((each) => (each.component === component ? { ...each, ...by } : each)),
  });

/** All that runs there began after the old root was taken out of its files, and before both were in them again. */
const startedBetween = (observation: Observation, name: string): Observation =>
  changeNode(observation, name, {
    trust: { oldDroppedAt: before(650), bothSince: before(500) },
    processes: observation.nodes!.find((node) => node.name === name)!.processes.map((each) => ({ ...each, filesAt: before(500) })),
  });

test.each<readonly ['MINTED' | 'TRUSTED' | 'ISSUING' | 'SOAKING' | 'DISTRUSTED', RotationState | undefined, boolean, boolean]>([
  // The state; in which the abort was asked for; whether somebody distrusted the old root; whether it goes back at once.
  ['MINTED', 'MINTED', false, true],
  ['MINTED', 'TRUSTED', false, false],
  ['TRUSTED', 'TRUSTED', false, true],
  ['TRUSTED', 'ISSUING', false, false],
  ['TRUSTED', undefined, false, false],
  ['ISSUING', 'ISSUING', false, true],
  ['ISSUING', 'SOAKING', false, true],
  ['ISSUING', 'DISTRUSTED', true, false],
  ['SOAKING', 'SOAKING', false, true],
  ['SOAKING', 'DISTRUST-CANARY', true, false],
  ['DISTRUSTED', 'DISTRUSTED', true, true],
])('%s, aborted in %s, distrusted %j: goes back at once %j', (state, asked, distrusted, atOnce) => {
  const at = NOW.toISOString();
  const abortRequested = { by: 'ann', at, because: 'errors', ...(asked && { in: asked }) };
  const rotation = { state, abortRequested, ...(distrusted && { distrustBegan: at }) };

  expect(goesBackAtOnce(rotation)).toBe(atOnce);
  expect(returnGatesOf(rotation).length === 0).toBe(atOnce);
  expect(goesBackAtOnce({ state, ...(distrusted && { distrustBegan: at }) })).toBe(false);
});

describe('an aborted rotation', () => {
  const nowOld = (authority: AuthorityName): Observation => observed('TRUSTED', authority);

  test.each(AuthorityName.options)('of %s goes back over every state when everything is proven', (authority) => {
    for (const state of ['DISTRUSTED', 'DISTRUST-CANARY', 'SOAKING'] as const)
      expect(mayReturn(state, observed(state, authority)).open).toBe(true);
    expect(mayReturn('ISSUING', observed('ISSUING', authority)).open).toBe(true);
    expect(mayReturn('TRUSTED', nowOld(authority)).open).toBe(true);
    expect(mayReturn('MINTED', observed('MINTED', authority)).open).toBe(true);
  });

  test.each(['MINTED', 'TRUSTED', 'ISSUING'] as const)('does not go back from %s when nothing was observed', (state) => {
    const { at, rotation, expected } = observed(state, 'cluster');
    const bare = { at, rotation: { ...rotation, wasDistrusted: true }, expected };
    for (const gate of Object.keys(RETURN_GATES) as ReturnGate[]) expect(mayReturn(state, bare, [gate])).toMatchObject({ open: false });
  });

  test('does not issue by the old root while a member started under the new one alone', () => {
    const verdict = mayReturn('ISSUING', startedBetween(observed('ISSUING', 'etcd'), 'cp-2'));

    expect(verdict.open ? [] : verdict.because).toContain('apiserver of cp-2 was started while the old root was distrusted: start it anew');
  });

  test('takes a process that was started after its own files had both, though others on its node had them later', () => {
    const trust = { oldDroppedAt: before(900), bothSince: before(300) };
    const soaking = changeNode(observed('SOAKING', 'etcd'), 'cp-2', { trust });

    expect(mayReturn('SOAKING', soaking).open).toBe(true);
    expect(mayReturn('SOAKING', changeProcess(soaking, 'cp-2', 'etcd', { filesAt: undefined })).open).toBe(false);
  });

  test('asks nobody to start an apiserver anew that lists the old root again: it takes it while it runs', () => {
    const verdict = mayReturn('SOAKING', startedBetween(observed('SOAKING', 'cluster'), 'cp-2'));

    expect(verdict.open ? [] : verdict.because).toEqual(
      ['controller-manager', 'scheduler', 'kubelet'].map(
        (component) => `${component} of cp-2 was started while the old root was distrusted: start it anew`,
      ),
    );
  });

  test('does not issue by the old root while a node has files of its own, which may be without it', () => {
    expect(mayReturn('ISSUING', changeNode(observed('ISSUING', 'cluster'), 'w-1', { bundles: ['x'] }))).toEqual({
      open: false,
      because: ['w-1 has other trusted roots than it was given: x…'],
      kind: 'work',
    });
  });

  test('stays where both are given back until they are in force, also on the first place: ports two states behind the record would halt it', () => {
    const first = changePort(observed('SOAKING', 'cluster'), 'cp-1', { acceptable: [N.name] });

    expect(mayReturn('SOAKING', first)).toMatchObject({ because: ['apiserver of cp-1 does not list CN=o again', expect.any(String)] });
  });

  describe('after the old root was distrusted everywhere', () => {
    const soaking = (by: Partial<Observation> = {}): Observation => {
      const all = observed('SOAKING', 'cluster');
      return { ...all, rotation: { ...all.rotation, wasDistrusted: true }, ...by };
    };

    test('goes on back when whoever was given the new root alone has both', () => {
      expect(mayReturn('SOAKING', soaking())).toMatchObject({ open: true });
    });

    test('looks once more before leaves by the old root come back, since a restore of etcd takes back what was published', () => {
      const all = observed('ISSUING', 'cluster');
      const restored = {
        ...soaking(),
        rotation: { ...all.rotation, wasDistrusted: true },
        published: [{ namespace: 'apps', generations: [N.id] }],
      };

      expect(mayReturn('ISSUING', restored)).toMatchObject({ because: [expect.stringMatching(/^kube-root-ca.crt of apps does not have/)] });
    });

    test.each<[string, Partial<Observation>, RegExp]>([
      ['while clients may not have taken both', { soakUntil: new Date(NOW.getTime() + 1) }, /^clients renew by themselves until 2026-/],
      ['when nobody knows how long they take', { soakUntil: undefined }, /^it is not known until when clients renew by themselves$/],
      ['while a place has the new root alone', { hidden: [{ place: 'ci', handled: false }] }, /^ci has the new root alone: give it both$/],
      [
        'while pods that begin are given the new root alone',
        { published: [{ namespace: 'apps', generations: [N.id] }] },
        /^kube-root-ca.crt of apps does not have .* again$/,
      ],
      ['when nobody knows what pods are given', { published: undefined }, /^nothing is known of kube-root-ca.crt/],
      ['when nobody knows of such places', { hidden: undefined }, /^it is not known who was given the new root alone$/],
    ])('does not issue by it %s', (_, by, because) => {
      const verdict = mayReturn('SOAKING', soaking(by));

      expect(verdict.open ? '' : verdict.because.join('; ')).toMatch(because);
    });

    test('and waits for nobody when it was not', () => {
      const all = observed('SOAKING', 'cluster');

      expect(mayReturn('SOAKING', { ...all, hidden: undefined, soakUntil: undefined }).open).toBe(true);
    });
  });

  test.each<[string, Observation]>([
    ['a scheduler holds a leaf by it in memory', changeProcess(nowOld('cluster'), 'cp-2', 'scheduler', { filesAt: NOW })],
    [
      'nobody knows since when a controller-manager runs',
      changeProcess(nowOld('cluster'), 'cp-2', 'controller-manager', { filesAt: undefined }),
    ],
    ['an apiserver may still show one to kubelets', changeLeaves(nowOld('cluster'), 'cp-2', { writtenAt: before(60) })],
    ['a port serves a leaf by the new root', changePort(nowOld('etcd'), 'cp-2', { issuer: N.id })],
    ['a leaf is by the new root', changeLeaf(nowOld('etcd'), 'cp-2', { issuer: N.id })],
    ['a kubelet has a certificate by the new root', changeNode(nowOld('cluster'), 'w-1', { kubeletIssuer: N.id })],
    ['a controller-manager signs by the new root', changeNode(nowOld('cluster'), 'cp-1', { signer: N.id })],
  ])('does not take the new root back while %s', (_, observation) => expect(mayReturn('TRUSTED', observation).open).toBe(false));

  test('does not forget the new root while a node may have it in its files, which its ports may not have taken', () => {
    const verdict = mayReturn('MINTED', changeNode(observed('MINTED', 'etcd'), 'cp-2', { bundles: ['x'] }));

    expect(verdict).toEqual({ open: false, kind: 'work', because: ['cp-2 has other trusted roots than before: x…'] });
    expect(mayReturn('MINTED', changeNode(observed('MINTED', 'etcd'), 'cp-2', { bundles: [] })).open).toBe(true);
  });

  test.each([
    ['lists it', [O.name, N.name]],
    ['tells nothing', undefined],
  ])('does not forget the new root while a port %s', (_, acceptable) => {
    const all = observed('MINTED', 'etcd');
    const port = { ...all.ports![0]!, acceptable };

    expect(mayReturn('MINTED', { ...all, ports: [port, ...all.ports!.slice(1)] }).open).toBe(false);
  });
});
