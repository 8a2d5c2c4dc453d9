import { approve } from '../../lambdas/authorities/approval';
import { dropCross } from '../../lambdas/authorities/drop-cross';
import { abortTo, advanceTo, close, requestAbort } from '../../lambdas/authorities/generations';
import { signingAuthorities, signingFor } from '../../lambdas/certificates/signing-authorities';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import type { RotationState } from '../../lambdas/contract/authority-rotation';
import { pathOf } from '../../lambdas/authorities/rotation-path';
import { adopted, begun, idOf, minted, root, step } from '../authorities/pki';

const withCanary = (document: AuthoritySecret): AuthoritySecret => ({ ...document, rotation: { ...document.rotation!, canary: 'cp-1' } });
const at = (state: RotationState, mode: 'planned' | 'compromise' = 'planned'): AuthoritySecret =>
  pathOf(mode)
    .slice(1, pathOf(mode).indexOf(state) + 1)
    .reduce((document, next) => advanceTo(approve(document, 'ann', step), next, step), withCanary(begun(mode)));
const stampOf = (document: AuthoritySecret, host = 'cp-2') => signingFor(document, host)?.stamp;

describe('an authority as it signs for a node', () => {
  test('that was never exchanged signs bare leaves, and is on its nodes since before', () => {
    expect(signingFor(adopted(), 'cp-1')).toMatchObject({
      ...{ id: idOf(1), certificate: root(1).cert, key: root(1).key, chain: [], trusted: [root(1).cert] },
      ...{ distributed: false, restarts: [] },
    });
  });

  test.each<[RotationState, number, readonly string[], readonly number[]]>([
    ['MINTED', 1, [], [1]],
    ['TRUSTED', 1, [], [1, 2]],
    ['ISSUING', 2, [minted().cross], [2, 1]],
    ['SOAKING', 2, [minted().cross], [2, 1]],
    ['DISTRUSTED', 2, [minted().cross], [2]],
  ])('in %s signs by generation %i, with what follows and what is trusted', (state, signer, chain, trusted) => {
    expect(signingFor(at(state), 'cp-2')).toMatchObject({
      id: idOf(signer),
      chain,
      trusted: trusted.map((each) => root(each).cert),
      distributed: true,
    });
  });

  test('is distrusted by the first place before the others', () => {
    expect(signingFor(at('DISTRUST-CANARY'), 'cp-1')).toMatchObject({ trusted: [root(2).cert], restarts: ['etcd', 'apiserver'] });
    expect(signingFor(at('DISTRUST-CANARY'), 'cp-2')).toMatchObject({ trusted: [root(2).cert, root(1).cert], restarts: [] });
    expect(signingFor(at('DISTRUSTED'), 'cp-1')?.restarts).toEqual([]);
    expect(signingFor(at('DISTRUSTED'), 'cp-2')?.restarts).toEqual(['etcd', 'apiserver']);
  });

  test('is none for a document that names none of its generations', () => {
    expect(signingFor({ ...adopted(), issuing: 'f'.repeat(64) }, 'cp-1')).toBeUndefined();
  });

  test('is left out where its secret is empty', async () => {
    expect(Object.keys(await signingAuthorities({ authority: async (name) => (name === 'etcd' ? adopted() : undefined) }, 'cp-1'))).toEqual(
      ['etcd'],
    );
  });
});

describe('the stamp', () => {
  test('is the same for what signs and trusts the same', () => {
    expect(stampOf(at('MINTED'))).toBe(stampOf(adopted()));
    expect(stampOf(at('SOAKING'))).toBe(stampOf(at('ISSUING')));
    expect(stampOf(at('DISTRUSTED'), 'cp-1')).toBe(stampOf(at('DISTRUST-CANARY'), 'cp-1'));
    expect(stampOf(at('DISTRUST-CANARY'), 'cp-2')).toBe(stampOf(at('SOAKING'), 'cp-2'));
    expect(stampOf(approve(at('TRUSTED'), 'ann', step))).toBe(stampOf(at('TRUSTED')));
    expect(stampOf(adopted(), 'cp-1')).toBe(stampOf(adopted(), 'cp-2'));
  });

  test('is another one whenever signer, chain or trust are', () => {
    const all = [adopted(), at('TRUSTED'), at('ISSUING'), at('DISTRUSTED'), dropCross(at('DISTRUSTED'), step), at('ISSUING', 'compromise')];

    expect(new Set(all.map((document) => stampOf(document))).size).toBe(all.length);
    expect(stampOf(at('DISTRUST-CANARY'), 'cp-1')).not.toBe(stampOf(at('DISTRUST-CANARY'), 'cp-2'));
  });

  test('stays as it is when the exchange is closed, and nobody is started when the cross certificate goes', () => {
    const dropped = dropCross(at('DISTRUSTED'), step);

    expect(stampOf(close(dropped, step))).toBe(stampOf(dropped));
    expect(signingFor(dropped, 'cp-2')).toMatchObject({ chain: [], restarts: [] });
  });

  test('after the way back is as before the exchange', () => {
    const turned = (['TRUSTED', 'MINTED', 'STEADY'] as const).reduce(
      (document, state) => abortTo(document, state, step),
      requestAbort(at('ISSUING'), 'ann', 'errors', step),
    );

    expect(stampOf(turned)).toBe(stampOf(adopted()));
  });
});
