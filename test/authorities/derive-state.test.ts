import { approve } from '../../lambdas/authorities/approval';
import { dropCross } from '../../lambdas/authorities/drop-cross';
import { abortTo, advanceTo, close, requestAbort } from '../../lambdas/authorities/generations';
import { compareWithRecorded, deriveState } from '../../lambdas/authorities/derive-state';
import type { Observation, PortSeen } from '../../lambdas/authorities/observation';
import { pathOf } from '../../lambdas/authorities/rotation-path';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import { RotationMode } from '../../lambdas/contract/authority-rotation';
import type { RotationState } from '../../lambdas/contract/authority-rotation';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import { N as shownN, O as shownO, changePort, observed } from './observed';
import { adopted, begun, idOf, step } from './pki';

const O = { ...shownO, id: idOf(1) };
const N = { ...shownN, id: idOf(2) };
/** As the ports of a cluster look in a state, by the ids of real roots. */
function shown(state: RotationState, authority: AuthorityName, mode: RotationMode = 'planned'): Observation {
  const all = observed(state, authority, mode);
  const ports = all.ports!.map((port): PortSeen => ({ ...port, issuer: port.issuer === shownN.id ? N.id : O.id }));
  const { cross: _, ...bare } = N;
  return { ...all, ports, rotation: { ...all.rotation, old: O, next: mode === 'planned' ? N : bare } };
}
const recorded = (state: RotationState, mode: RotationMode = 'planned'): AuthoritySecret =>
  pathOf(mode)
    .slice(1, pathOf(mode).indexOf(state) + 1)
    .reduce((document, next) => advanceTo(approve(document, 'ann', step), next, step), begun(mode));
const compare = (observation: Observation, document: AuthoritySecret) => compareWithRecorded(observation, document);
const reasons = (observation: Observation, document: AuthoritySecret): string => {
  const comparison = compare(observation, document);
  return comparison.verdict === 'agree' ? '' : comparison.because.join('; ');
};
const everywhere = AuthorityName.options.flatMap((authority) =>
  RotationMode.options.flatMap((mode) => pathOf(mode).map((state) => [state, authority, mode] as const)),
);

test.each(everywhere)('ports that show %s of %s, %s, are recognised, and agree with the record', (state, authority, mode) => {
  const derived = deriveState(shown(state, authority, mode), recorded(state, mode));

  expect(derived.kind).toBe('state');
  expect(derived.kind === 'state' && derived.states).toContain(state);
  expect(compare(shown(state, authority, mode), recorded(state, mode))).toEqual({ verdict: 'agree' });
});

test.each<[RotationState, string, readonly string[]]>([
  ['MINTED', 'nothing', ['STEADY', 'MINTED']],
  ['TRUSTED', 'who is trusted', ['TRUSTED']],
  ['ISSUING', 'who signed', ['ISSUING', 'SOAKING']],
  ['DISTRUST-CANARY', 'the first place', ['DISTRUST-CANARY']],
  ['DISTRUSTED', 'who is not trusted', ['DISTRUSTED', 'CLOSED']],
])('%s of the cluster is told from others by %s', (state, _, states) => {
  expect(deriveState(shown(state, 'cluster'), recorded(state))).toMatchObject({ kind: 'state', states });
});

test('members of etcd may have either in memory until they start: the file is there for one that starts by itself', () => {
  const old = { ...shown('SOAKING', 'etcd') };
  const ports = old.ports!.map((port) => (port.place === 'cp-2' ? port : { ...port, acceptable: [O.name] }));

  expect(deriveState({ ...old, ports }, recorded('SOAKING'))).toMatchObject({ kind: 'state', states: ['ISSUING', 'SOAKING'] });
  expect(compare({ ...old, ports }, recorded('SOAKING'))).toEqual({ verdict: 'agree' });
});

test('a kubelet may have the old root alone in memory until it is started while both are served, and no longer', () => {
  const late = (state: RotationState) => changePort(shown(state, 'cluster'), 'w-1', { acceptable: [O.name] });

  for (const state of ['TRUSTED', 'ISSUING', 'SOAKING'] as const)
    expect(compare(late(state), recorded(state))).toEqual({ verdict: 'agree' });
  expect(reasons(late('DISTRUSTED'), recorded('DISTRUSTED'))).toMatch(/^kubelet of w-1 lists old, as in STEADY or MINTED or TRUSTED/);
});

test('the kubelet of the first place may go first, by the file of the apiserver beside it, and no other may', () => {
  const gone = observed('DISTRUST-CANARY', 'cluster');
  const without = (place: string) =>
    gone.ports!.map((port) => (port.component === 'kubelet' && port.place === place ? { ...port, acceptable: [N.name] } : port));

  expect(reasons({ ...gone, ports: without('cp-1') }, recorded('DISTRUST-CANARY'))).toBe('');
  expect(reasons({ ...gone, ports: without('w-1') }, recorded('DISTRUST-CANARY'))).toMatch(
    /^kubelet of w-1 lists new, as in DISTRUSTED or CLOSED/,
  );
});

describe('while work goes from node to node', () => {
  const half = changePort(shown('TRUSTED', 'cluster'), 'cp-1', { issuer: N.id, chain: [N.cross] });

  test('the ports are mixed, and agree with the state that is on its way', () => {
    expect(deriveState(half, recorded('ISSUING')).kind).toBe('mixed');
    expect(compare(half, recorded('ISSUING'))).toEqual({ verdict: 'agree' });
  });

  test('it halts when a state is already there that nobody recorded', () => {
    expect(reasons(half, recorded('TRUSTED'))).toMatch(
      /apiserver of cp-1 lists old and new, serves a leaf by new with cross, as in ISSUING/,
    );
  });

  test('on the way back it agrees, and only there', () => {
    const aborted = abortTo(requestAbort(recorded('ISSUING'), 'ann', 'errors', step), 'TRUSTED', step);
    const soaking = abortTo(requestAbort(recorded('DISTRUSTED'), 'ann', 'errors', step), 'SOAKING', step);

    expect(compare(half, aborted)).toEqual({ verdict: 'agree' });
    expect(compare(shown('DISTRUSTED', 'cluster'), soaking)).toEqual({ verdict: 'agree' });
    expect(compare(shown('DISTRUSTED', 'cluster'), recorded('SOAKING')).verdict).toBe('halt');
  });
});

describe('it halts', () => {
  test.each<[string, Observation, AuthoritySecret, RegExp]>([
    [
      'when a node came back with files from long before',
      changePort(shown('SOAKING', 'cluster'), 'cp-3', { issuer: O.id, chain: [], acceptable: [O.name] }),
      recorded('SOAKING'),
      /cp-3 lists old, serves a leaf by old, as in STEADY or MINTED, and SOAKING is recorded/,
    ],
    [
      'when kubeadm renewed a leaf without the cross certificate',
      changePort(shown('SOAKING', 'cluster'), 'cp-3', { chain: [] }),
      recorded('SOAKING'),
      /cp-3 lists old and new, serves a leaf by new, as in no state/,
    ],
    [
      'when a stranger signed',
      changePort(shown('TRUSTED', 'etcd'), 'cp-3', { issuer: undefined }),
      recorded('TRUSTED'),
      /etcd-client of cp-3 .*by a stranger, as in no state.*find out who/,
    ],
    [
      'when an older generation signed',
      changePort(shown('TRUSTED', 'etcd'), 'cp-3', { issuer: idOf(3) }),
      { ...recorded('TRUSTED'), generations: [...adopted(3).generations, ...recorded('TRUSTED').generations] },
      /an older generation/,
    ],
    [
      'when a port accepts neither',
      changePort(shown('TRUSTED', 'cluster'), 'cp-3', { acceptable: ['CN=x'] }),
      recorded('TRUSTED'),
      /lists neither/,
    ],
    [
      'when another place than the first distrusts',
      changePort(shown('SOAKING', 'cluster'), 'cp-3', { acceptable: [N.name] }),
      recorded('DISTRUST-CANARY'),
      /cp-3 lists new/,
    ],
    ['when the record is behind', shown('ISSUING', 'cluster'), begun(), /and MINTED is recorded/],
    ['when the record is far ahead', shown('TRUSTED', 'cluster'), recorded('DISTRUSTED'), /as in TRUSTED, and DISTRUSTED is recorded/],
    ['when no rotation is recorded and one is seen', shown('TRUSTED', 'cluster'), adopted(), /and STEADY is recorded/],
    ['when another authority is recorded altogether', shown('MINTED', 'cluster'), adopted(3), /is recorded/],
  ])('%s', (_, observation, document, because) => expect(reasons(observation, document)).toMatch(because));

  test('when a port was not seen', () => {
    const all = shown('TRUSTED', 'etcd');
    const ports = all.ports!.slice(1);

    expect(deriveState({ ...all, ports }, recorded('TRUSTED'))).toEqual({ kind: 'unseen', missing: ['etcd-client of cp-1'] });
    expect(reasons({ ...all, ports }, recorded('TRUSTED'))).toMatch(/etcd-client of cp-1 was not seen/);
  });

  test('when nothing was seen at all', () => {
    const { ports: _, ...rest } = shown('TRUSTED', 'etcd');

    expect(compare(rest, recorded('TRUSTED')).verdict).toBe('halt');
  });
});

test('before and after a rotation the record agrees with the ports too', () => {
  const bare = changePort(shown('DISTRUSTED', 'cluster'), 'cp-1', { chain: [] });

  expect(compare(shown('MINTED', 'cluster'), adopted())).toEqual({ verdict: 'agree' });
  expect(compare(bare, close(dropCross(recorded('DISTRUSTED'), step), step))).toEqual({ verdict: 'agree' });
});
