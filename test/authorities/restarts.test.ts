import { serversToRestart } from '../../lambdas/authorities/restarts';
import type { Server } from '../../lambdas/authorities/restarts';
import type { RotationMode, RotationState } from '../../lambdas/contract/authority-rotation';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';

const AT = '2026-11-26T12:00:00.000Z';
const id = 'a'.repeat(64);
const rotation = (mode: RotationMode, state: RotationState, more: object = {}) => ({
  id: 'r-1',
  mode,
  since: AT,
  from: id,
  to: id,
  state,
  stateSince: AT,
  ...more,
});
const back = { abortRequested: { by: 'ann', at: AT, because: 'errors' } };
const BOTH = ['etcd', 'apiserver'] as const;

test('nobody is started again without an exchange', () => {
  expect(serversToRestart({ authority: 'etcd' }, true)).toEqual([]);
});

test.each<[AuthorityName, RotationMode, RotationState, readonly Server[], readonly Server[]]>([
  ['etcd', 'planned', 'MINTED', [], []],
  ['etcd', 'planned', 'TRUSTED', [], []],
  ['etcd', 'planned', 'ISSUING', [], []],
  ['etcd', 'planned', 'SOAKING', [], []],
  ['etcd', 'planned', 'DISTRUST-CANARY', BOTH, []],
  ['etcd', 'planned', 'DISTRUSTED', [], BOTH],
  ['etcd', 'compromise', 'TRUSTED', BOTH, BOTH],
  ['etcd', 'compromise', 'ISSUING', [], []],
  ['etcd', 'compromise', 'DISTRUSTED', BOTH, BOTH],
  ['cluster', 'planned', 'TRUSTED', [], []],
  ['cluster', 'planned', 'DISTRUSTED', [], []],
  ['cluster', 'compromise', 'TRUSTED', [], []],
  ['cluster', 'compromise', 'DISTRUSTED', ['apiserver'], ['apiserver']],
  ['front-proxy', 'planned', 'DISTRUSTED', [], []],
  ['front-proxy', 'compromise', 'DISTRUSTED', ['apiserver'], ['apiserver']],
])('for %s, %s, in %s the first place starts %j again and each of the others %j', (authority, mode, state, first, others) => {
  expect(serversToRestart({ authority, rotation: rotation(mode, state) }, true)).toEqual(first);
  expect(serversToRestart({ authority, rotation: rotation(mode, state) }, false)).toEqual(others);
});

test.each<[string, AuthorityName, RotationMode, RotationState, object, readonly Server[]]>([
  ['both are trusted again', 'etcd', 'planned', 'SOAKING', { distrustBegan: AT }, BOTH],
  ['the new one is forgotten by who may have been started with it', 'etcd', 'planned', 'MINTED', { distrustBegan: AT }, BOTH],
  ['nobody ever distrusted, or was started with the new one', 'etcd', 'planned', 'MINTED', {}, []],
  ['everybody was started with both after a compromise', 'etcd', 'compromise', 'MINTED', {}, BOTH],
  ['only who signs is another', 'etcd', 'planned', 'TRUSTED', { distrustBegan: AT }, []],
  ['it reads its files while it runs', 'cluster', 'planned', 'SOAKING', { distrustBegan: AT }, []],
])('on the way back, where %s: %s, %s, in %s', (_why, authority, mode, state, more, servers) => {
  for (const isCanary of [true, false])
    expect(serversToRestart({ authority, rotation: rotation(mode, state, { ...back, ...more }) }, isCanary)).toEqual(servers);
});
