import { ASKED_FOR_ITSELF } from '../../lambdas/authorities/approval';
import { abortPair, advancePair, approvePair, closePair, drivePairBy, mintPair, returnPair } from '../../lambdas/accounts/key-generations';
import { prune } from '../../lambdas/authorities/prune';
import { publicKeyId } from '../../lambdas/accounts/key-id';
import type { AccountsState } from '../../lambdas/contract/authority-rotation';
import { ServiceAccountsSecret } from '../../lambdas/contract/certificates';
import { NOW, adoptedPair, idOf, later, mintedPair, pair } from './accounts-pki';

const step = { rotation: 'r-1', now: later(60) };
const forth = (to: AccountsState, from = mintedPair()): ServiceAccountsSecret =>
  (['VERIFYING', 'SIGNING', 'DROPPING'] as const)
    .slice(0, ['VERIFYING', 'SIGNING', 'DROPPING'].indexOf(to) + 1)
    .reduce((document, state) => advancePair(document, state, step), approvePair(from, 'ann', step));

describe('forth', () => {
  test('the next pair is noted and signs nothing; repeated, also with another one, nothing changes', () => {
    const minted = mintedPair();

    expect(minted.generations.map(({ id, state }) => [id, state])).toEqual([
      [idOf(1), 'issuing'],
      [idOf(2), 'next'],
    ]);
    expect(minted).toMatchObject({ issuing: idOf(1), rotation: { state: 'MINTED', from: idOf(1), to: idOf(2) } });
    expect(mintPair(minted, pair(3), { id: 'r-1', mode: 'planned', now: later(5) })).toBe(minted);
    expect(ServiceAccountsSecret.parse(JSON.parse(JSON.stringify(minted)))).toEqual(minted);
  });

  test('who signs changes when it comes to sign, and the old private key is destroyed at the end alone', () => {
    const dropping = forth('DROPPING');

    expect(forth('VERIFYING').issuing).toBe(idOf(1));
    expect(forth('SIGNING')).toMatchObject({ issuing: idOf(2), rotation: { signingBegan: step.now.toISOString() } });
    expect(dropping.generations[0]).toMatchObject({ state: 'outgoing', privateKey: pair(1).privateKey });
    const closed = closePair(dropping, step);
    expect(closed.rotation).toBeUndefined();
    expect(closed.generations[0]).toEqual({
      id: idOf(1),
      publicKey: pair(1).publicKey,
      since: NOW.toISOString(),
      state: 'closed',
      closedAt: step.now.toISOString(),
    });
    expect(closePair(closed, step)).toBe(closed);
    expect(mintPair(closed, pair(3), { id: 'r-1', mode: 'planned', now: NOW })).toBe(closed);
  });

  test('closed ones are forgotten when no snapshot of their time is left, and never while nothing is known of snapshots', () => {
    const closed = closePair(forth('DROPPING'), step);

    expect(prune('service-accounts', closed, undefined)).toBe(closed);
    expect(prune('service-accounts', closed, [{ takenAt: later(10), eras: {} }])).toBe(closed);
    expect(prune('service-accounts', closed, [{ takenAt: later(61), eras: {} }]).generations.map(({ id }) => id)).toEqual([idOf(2)]);
  });

  test('a person who approves comes before a request that asked nobody, and stays', () => {
    const asked = approvePair(mintedPair(), ASKED_FOR_ITSELF, step);

    expect(approvePair(approvePair(asked, 'ann', step), 'bob', step).rotation?.approvedBy).toBe('ann');
    expect(approvePair(asked, ASKED_FOR_ITSELF, step)).toBe(asked);
  });

  test('a compromise needs nobody’s approval', () => {
    const document = (['VERIFYING', 'SIGNING', 'DROPPING'] as const).reduce(
      (each, state) => advancePair(each, state, step),
      mintedPair('compromise'),
    );

    expect(document.rotation?.state).toBe('DROPPING');
  });

  test('who drives it is noted', () => {
    const driven = drivePairBy(mintedPair(), 'arn:2', step);

    expect(driven.rotation?.driver).toBe('arn:2');
    expect(drivePairBy(driven, 'arn:2', step)).toBe(driven);
  });
});

describe('back', () => {
  test('from the last state step by step to as it was before', () => {
    let document = abortPair(forth('DROPPING'), 'ann', 'clients complain', step);
    const seen = [document.issuing];
    for (const place of ['SIGNING', 'VERIFYING', 'MINTED', 'STEADY'] as const) {
      document = returnPair(document, place, step);
      seen.push(document.issuing);
    }

    expect(seen).toEqual([idOf(2), idOf(2), idOf(1), idOf(1), idOf(1)]);
    expect(document).toEqual({
      ...adoptedPair(),
      generations: [{ ...adoptedPair().generations[0], state: 'issuing' }],
      turnedBack: { rotation: 'r-1', by: 'ann', because: 'clients complain', at: step.now.toISOString() },
    });
    expect(returnPair(document, 'STEADY', step)).toBe(document);
  });

  test('whoever approved has not approved any more', () => {
    expect(abortPair(forth('SIGNING'), 'bob', 'no', step).rotation).toMatchObject({ abortRequested: { by: 'bob' } });
    expect(abortPair(forth('SIGNING'), 'bob', 'no', step).rotation?.approvedBy).toBeUndefined();
  });
});

const withoutKey = (): ServiceAccountsSecret => {
  const document = forth('DROPPING');
  return {
    ...document,
    generations: document.generations.map(({ privateKey, ...each }) =>
      each.id === idOf(1) ? each : { ...each, ...(privateKey && { privateKey }) },
    ),
  };
};
const aborted = (): ServiceAccountsSecret => abortPair(forth('SIGNING'), 'ann', 'why', step);

test.each<readonly [string, () => unknown, string]>([
  ['another one is under way', () => mintPair(mintedPair(), pair(3), { id: 'r-2', mode: 'planned', now: NOW }), 'let it end, or abort it'],
  [
    'the keys are of two pairs',
    () => mintPair(adoptedPair(), { ...pair(2), publicKey: pair(3).publicKey }, { id: 'r', mode: 'planned', now: NOW }),
    'mint another',
  ],
  ['the pair was there before', () => mintPair(adoptedPair(), pair(1), { id: 'r', mode: 'planned', now: NOW }), 'was there before'],
  [
    'nobody known signs',
    () => mintPair({ ...adoptedPair(), issuing: idOf(9) }, pair(2), { id: 'r', mode: 'planned', now: NOW }),
    'mend its field issuing',
  ],
  ['a state is left out', () => advancePair(mintedPair(), 'SIGNING', step), 'go one by one'],
  [
    'nobody approved',
    () => advancePair(advancePair(advancePair(mintedPair(), 'VERIFYING', step), 'SIGNING', step), 'DROPPING', step),
    'approve it first',
  ],
  ['it is being aborted', () => advancePair(aborted(), 'DROPPING', step), 'it goes back and not to DROPPING'],
  ['it is being aborted, and approved', () => approvePair(aborted(), 'bob', step), 'there is nothing to approve'],
  ['another one is meant', () => advancePair(mintedPair(), 'VERIFYING', { ...step, rotation: 'r-9' }), 'and not r-9'],
  ['nobody asked to go back', () => returnPair(mintedPair(), 'STEADY', step), 'nobody asked to abort it'],
  ['the way back leads elsewhere', () => returnPair(aborted(), 'MINTED', step), 'goes back to VERIFYING and not to MINTED'],
  ['it is closed too early', () => closePair(forth('SIGNING'), step), 'may be needed to go back'],
  ['it is closed while it goes back', () => closePair(abortPair(forth('DROPPING'), 'ann', 'why', step), step), 'let it go back'],
  ['the old private key is gone', () => abortPair(withoutKey(), 'ann', 'why', step), 'the old private key is gone'],
  [
    'somebody else has the old key',
    () => abortPair(forth('DROPPING', mintedPair('compromise')), 'ann', 'why', step),
    'there is no way back',
  ],
])('it is refused when %s', (_when, act, because) => {
  expect(act).toThrow(expect.objectContaining({ name: 'KeyPairRefused', message: expect.stringContaining(because) as string }) as Error);
});

test('a key’s id is the same of both halves', () => {
  expect(publicKeyId(pair(1).privateKey)).toBe(idOf(1));
});
