import fc from 'fast-check';
import { approve } from '../../lambdas/authorities/approval';
import { dropCross } from '../../lambdas/authorities/drop-cross';
import { abortTo, advanceTo, close, issuingIn, mintNext, nextNumber, requestAbort, trustedIn } from '../../lambdas/authorities/generations';
import { prune } from '../../lambdas/authorities/prune';
import { GenerationRefused } from '../../lambdas/authorities/errors';
import { pathOf, stateAfter, stateBefore } from '../../lambdas/authorities/rotation-path';
import type { RotationMode, RotationState } from '../../lambdas/contract/authority-rotation';
import { AuthoritySecret, SECRET_BYTES, ServiceAccountsSecret } from '../../lambdas/contract/certificates';
import { crossSign, newAuthority } from '../../lambdas/pki/issue';
import { inspect } from '../../lambdas/pki/inspect';
import { newRsaKey } from '../../lambdas/pki/keys';
import { NOW, inDays, sharedKey } from '../pki/pki-world';
import { adopted, begun, idOf, minted, root, step } from './pki';

const at = (state: RotationState, mode: RotationMode = 'planned'): AuthoritySecret =>
  pathOf(mode)
    .slice(1, pathOf(mode).indexOf(state) + 1)
    .reduce((document, next) => advanceTo(approve(document, 'ann', step), next, step), begun(mode));
const aborting = (state: RotationState): AuthoritySecret => requestAbort(at(state), 'ann', 'errors', step);
const closed = (): AuthoritySecret => close(dropCross(at('DISTRUSTED'), step), step);

describe('the document', () => {
  test('is read as it was written before the first rotation', () => {
    expect(AuthoritySecret.parse(adopted())).toEqual(adopted());
  });

  test('is read with all that a rotation notes', () => {
    for (const document of [at('DISTRUST-CANARY'), aborting('ISSUING'), closed()])
      expect(AuthoritySecret.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  test('of service accounts is read with and without a rotation', () => {
    const pair = { id: idOf(1), publicKey: 'p', since: NOW.toISOString() };
    const old = { version: 1, generations: [pair], issuing: pair.id };
    const abortRequested = { ...aborting('TRUSTED').rotation!.abortRequested!, in: 'VERIFYING' };
    const rotation = {
      id: 'r',
      mode: 'planned',
      since: pair.since,
      from: idOf(1),
      to: idOf(2),
      state: 'VERIFYING',
      stateSince: pair.since,
    };

    expect(ServiceAccountsSecret.parse(old)).toEqual(old);
    expect(ServiceAccountsSecret.parse({ ...old, rotation: { ...rotation, abortRequested } }).rotation?.state).toBe('VERIFYING');
    expect(ServiceAccountsSecret.safeParse({ ...old, rotation: { ...rotation, state: 'SOAKING' } }).success).toBe(false);
  });

  test('has room for three generations with RSA keys of 4096 bits, and refuses the one that has none', () => {
    const key = newRsaKey(4096);
    const keyOfOther = newRsaKey(4096);
    const pair = (generation: number, of = key) => newAuthority('cluster', { generation, notAfter: inDays(1825), now: NOW, key: of });
    const first = pair(1);
    const crossed = (next: { cert: string; key: string }) => ({
      certificate: next.cert,
      key: next.key,
      cross: crossSign(next, first, { now: NOW }).cert,
    });
    const kept = (next: { cert: string; key: string }, state: 'closed') => ({
      ...crossed(next),
      id: inspect(next.cert).sha256,
      since: NOW.toISOString(),
      state,
    });
    const document: AuthoritySecret = {
      version: 1,
      authority: 'cluster',
      generations: [
        kept(pair(2), 'closed'),
        { id: inspect(first.cert).sha256, certificate: first.cert, key: first.key, since: NOW.toISOString() },
      ],
      issuing: inspect(first.cert).sha256,
    };

    const full = mintNext(document, crossed(pair(3, keyOfOther)), { id: 'r', mode: 'planned', now: NOW });
    expect(full.generations).toHaveLength(3);
    expect(Buffer.byteLength(JSON.stringify(full))).toBeLessThan(SECRET_BYTES / 2);
    const crowded = { ...document, generations: [...Array.from({ length: 8 }, () => kept(pair(2), 'closed')), ...document.generations] };
    expect(() => mintNext(crowded, crossed(pair(3, keyOfOther)), { id: 'r', mode: 'planned', now: NOW })).toThrow(
      /would have \d+ bytes.*prune/,
    );
  });
});

describe('minting', () => {
  test('notes a generation that nobody trusts yet', () => {
    const document = begun();

    expect(document.generations.map(({ id, state }) => [id, state])).toEqual([
      [idOf(1), 'issuing'],
      [idOf(2), 'next'],
    ]);
    expect(trustedIn(document).ids).toEqual([idOf(1)]);
    expect(issuingIn(document)).toMatchObject({ id: idOf(1), chain: [] });
  });

  test('mints once, however often it is asked and with whatever pair, also when it is over', () => {
    const begin = { id: step.rotation, mode: 'planned' as const, now: inDays(1) };

    expect(mintNext(begun(), minted(3, 1), begin)).toEqual(begun());
    expect(mintNext(closed(), minted(3, 2), begin)).toEqual(closed());
  });

  test.each([
    ['another rotation', 'r-2', 'planned' as const],
    ['another mode', 'r-1', 'compromise' as const],
  ])('never begins %s while one is under way', (_, id, mode) => {
    expect(() => mintNext(begun(), minted(3, 1), { id, mode, now: NOW })).toThrow(/rotation r-1 \(planned\).*is MINTED since.*let it end/);
  });

  const renamed = newAuthority('etcd', { generation: 9, notAfter: inDays(9), now: NOW, key: root(1).key });
  const same = newAuthority('etcd', { generation: 1, notAfter: inDays(9), now: NOW, key: root(1).key });
  test.each([
    ['the name of one that was there', { certificate: same.cert, key: same.key }, 'compromise', /has the name of generation/],
    ['the key of one that was there', { certificate: renamed.cert, key: renamed.key }, 'compromise', /has the key of generation/],
    ['the key of another', { ...minted(), key: sharedKey('another') }, 'planned', /with the key of another/],
    ['no root', { ...minted(), certificate: minted().cross }, 'planned', /no authority that signed itself/],
    ['a cross certificate of another root', { ...minted(), cross: minted(3, 1).cross }, 'planned', /with another name or key/],
    ['a cross certificate by a stranger', { ...minted(), cross: minted(2, 3).cross }, 'planned', /did not sign/],
    ['no cross certificate', { certificate: root(2).cert, key: root(2).key }, 'planned', /would refuse its leaves/],
    ['a cross certificate by a key that others have', minted(), 'compromise', /somebody else has/],
  ] as const)('refuses %s', (_, pair, mode, why) => {
    expect(() => mintNext(adopted(), pair, { id: 'r', mode, now: NOW })).toThrow(why);
  });

  test('refuses a document that names no signer of its own', () => {
    expect(() => mintNext({ ...adopted(), issuing: idOf(3) }, minted(), { id: 'r', mode: 'planned', now: NOW })).toThrow(/mend its field/);
  });
});

describe('what is trusted, by whom is signed, and what is served beside a leaf', () => {
  const [O, N] = [idOf(1), idOf(2)];
  test.each([
    ['MINTED', [O], O, 0],
    ['TRUSTED', [O, N], O, 0],
    ['ISSUING', [N, O], N, 1],
    ['SOAKING', [N, O], N, 1],
    ['DISTRUST-CANARY', [N, O], N, 1],
    ['DISTRUSTED', [N], N, 1],
  ] as const)('in %s', (state, trusted, issuing, crosses) => {
    expect(trustedIn(at(state)).ids).toEqual(trusted);
    expect(issuingIn(at(state))).toMatchObject({ id: issuing });
    expect(issuingIn(at(state))?.chain).toHaveLength(crosses);
  });

  test('the cross certificate goes before the rotation is closed, and an abort gives it back', () => {
    const dropped = dropCross(at('DISTRUSTED'), step);
    const back = abortTo(requestAbort(dropped, 'ann', 'errors', step), 'SOAKING', step);

    expect(issuingIn(dropped)).toMatchObject({ id: N, chain: [] });
    expect(trustedIn(dropped).ids).toEqual([N]);
    expect(dropCross(dropped, step)).toBe(dropped);
    expect(issuingIn(back)?.chain).toHaveLength(1);
    expect(back.rotation).not.toHaveProperty('crossDroppedAt');
  });

  test('after a compromise there is none to take away', () => {
    const distrusted = at('DISTRUSTED', 'compromise');

    expect(dropCross(distrusted, step)).toBe(distrusted);
    expect(close(distrusted, step).rotation).toBeUndefined();
  });

  test('the canary alone distrusts first, and only in its state', () => {
    expect(trustedIn(at('DISTRUST-CANARY'), { canary: true }).ids).toEqual([N]);
    expect(trustedIn(at('SOAKING'), { canary: true }).ids).toEqual([N, O]);
  });

  test('nothing by the old key is served after a compromise, and it is distrusted right after issuing', () => {
    expect(issuingIn(at('ISSUING', 'compromise'))?.chain).toEqual([]);
    expect(pathOf('compromise')).not.toContain('SOAKING');
    expect(trustedIn(at('DISTRUSTED', 'compromise')).ids).toEqual([N]);
  });

  test('a closed generation is trusted no more and keeps its certificate, not its key', () => {
    const document = closed();

    expect(trustedIn(document).ids).toEqual([N]);
    expect(issuingIn(document)?.chain).toEqual([]);
    expect(document.rotation).toBeUndefined();
    expect(document.generations[0]).toMatchObject({ state: 'closed', certificate: root(1).cert, closedAt: NOW.toISOString() });
    expect(JSON.stringify(document)).not.toContain(JSON.stringify(root(1).key).slice(1, -1));
    expect(JSON.stringify(document)).toContain(JSON.stringify(root(2).key).slice(1, -1));
  });

  test('several generations of an old document are all trusted, as they were', () => {
    const [first] = adopted().generations;
    const [second] = adopted(2).generations;
    const document: AuthoritySecret = { ...adopted(2), generations: [first!, second!] };

    expect(trustedIn(document).certificates).toEqual([root(2).cert, root(1).cert]);
  });
});

describe('steps that do not fit are refused', () => {
  const other = { ...step, rotation: 'r-7' };
  test.each([
    ['leaving a state out', () => advanceTo(at('TRUSTED'), 'SOAKING', step), /after which comes ISSUING and not SOAKING/],
    ['going back by advancing', () => advanceTo(at('ISSUING'), 'TRUSTED', step), /after which comes SOAKING/],
    ['going beyond the end', () => advanceTo(at('DISTRUSTED'), 'MINTED', step), /after which comes closing it/],
    ['a step of another rotation', () => advanceTo(begun(), 'TRUSTED', other), /r-1 is under way.*and not r-7/],
    ['a step where none is under way', () => approve(adopted(), 'ann', step), /no rotation is under way/],
    ['advancing an aborted one', () => advanceTo(aborting('TRUSTED'), 'ISSUING', step), /asked to abort/],
    ['approving an aborted one', () => approve(aborting('SOAKING'), 'ann', step), /nothing to approve/],
    ['going back unasked', () => abortTo(at('ISSUING'), 'TRUSTED', step), /nobody asked/],
    ['going back too far', () => abortTo(aborting('ISSUING'), 'STEADY', step), /back to TRUSTED and not to STEADY/],
    ['closing what is still trusted', () => close(at('DISTRUST-CANARY'), step), /only a distrusted/],
    ['closing what goes back', () => close(aborting('DISTRUSTED'), step), /asked to abort/],
    ['closing while the cross certificate is served', () => close(at('DISTRUSTED'), step), /stop to serve it first/],
    ['taking the cross certificate away too early', () => dropCross(at('DISTRUST-CANARY'), step), /DISTRUST-CANARY: whoever trusts/],
    ['taking it away on the way back', () => dropCross(aborting('DISTRUSTED'), step), /goes back: whoever trusts the old/],
    ['destroying what signs', () => close({ ...at('DISTRUSTED'), issuing: idOf(1) }, step), /whose key must stay/],
    ['trusting a compromised one again', () => requestAbort(at('DISTRUSTED', 'compromise'), 'a', 'b', step), /no way back/],
  ])('%s', (_, act, why) => expect(act).toThrow(why));

  test('distrusting what nobody approved', () => {
    const soaking = (['TRUSTED', 'ISSUING', 'SOAKING'] as const).reduce((document, next) => advanceTo(document, next, step), begun());

    expect(() => advanceTo(soaking, 'DISTRUST-CANARY', step)).toThrow(/nobody approved/);
  });
});

describe('for any sequence of steps', () => {
  const states: readonly RotationState[] = pathOf('planned');
  type Act = (document: AuthoritySecret) => AuthoritySecret;
  /** What to do next, chosen by what is there: states that fit come by chance too rarely. */
  const act = fc.oneof(
    fc.constantFrom(...states).map((state) => () => (document: AuthoritySecret) => advanceTo(document, state, step)),
    fc.constant(({ rotation }: AuthoritySecret): Act => {
      const next = rotation && stateAfter(rotation.mode, rotation.state);
      return (document) => advanceTo(document, next ?? 'TRUSTED', step);
    }),
    fc.constant(({ rotation }: AuthoritySecret): Act => {
      const back = rotation && stateBefore(rotation.mode, rotation.state);
      return (document) => abortTo(document, back ?? 'STEADY', step);
    }),
    fc.constantFrom(...states, 'STEADY' as const).map((state) => () => (document: AuthoritySecret) => abortTo(document, state, step)),
    fc
      .constantFrom<Act>(
        (document) => close(document, step),
        (document) => dropCross(document, step),
        (document) => approve(document, 'ann', step),
        (document) => prune(document.authority, document, [{ takenAt: inDays(2), eras: {} }]),
        (document) => mintNext(document, minted(), { id: step.rotation, mode: 'planned', now: NOW }),
      )
      .map((each) => () => each),
    { weight: 1, arbitrary: fc.constant((): Act => (document) => requestAbort(document, 'bob', 'errors', step)) },
  );
  const sequence = fc.tuple(fc.constantFrom<RotationMode>('planned', 'compromise'), fc.array(act, { minLength: 10, maxLength: 40 }));
  /** Every document on the way; what is refused changes nothing. */
  const run = ([mode, acts]: [RotationMode, ((document: AuthoritySecret) => Act)[]]): AuthoritySecret[] => {
    const passed = [begun(mode)];
    for (const each of acts) {
      try {
        const next = each(passed.at(-1)!);
        const after = next(passed.at(-1)!);
        expect(next(after)).toEqual(after);
        passed.push(after);
      } catch (error) {
        if (!(error instanceof GenerationRefused)) throw error;
      }
    }
    return passed;
  };

  test('what signs is trusted, has its key, and the document is one that can be stored', () => {
    fc.assert(
      fc.property(sequence, (drawn) => {
        for (const document of run(drawn)) {
          const issuing = issuingIn(document)!;
          expect(trustedIn(document).ids[0]).toBe(document.issuing);
          expect(trustedIn(document, { canary: true }).ids).toContain(issuing.id);
          expect(issuing.key).toBeDefined();
          expect(AuthoritySecret.parse(document)).toEqual(document);
        }
      }),
    );
  });

  test('what signed before is trusted until the state that proves that nothing of it is left, and so is what comes in the state before', () => {
    fc.assert(
      fc.property(sequence, (drawn) => {
        const passed = run(drawn);
        for (const [index, document] of passed.slice(1).entries()) {
          const before = passed[index]!;
          if (document.issuing !== before.issuing)
            expect([trustedIn(before).ids, trustedIn(document).ids].map((ids) => [...ids].sort())).toEqual([
              [idOf(1), idOf(2)].sort(),
              [idOf(1), idOf(2)].sort(),
            ]);
        }
      }),
    );
  });

  test('the way to the end and the way back are both gone, or this would try nothing', () => {
    const ends = fc.sample(sequence, { numRuns: 300, seed: 20_261_127 }).map((drawn) => run(drawn).at(-1)!);

    expect(ends.filter(({ rotation, generations }) => rotation === undefined && generations.at(-1)?.id === idOf(2)).length).toBeGreaterThan(
      3,
    );
    expect(ends.filter(({ rotation, issuing }) => rotation === undefined && issuing === idOf(1)).length).toBeGreaterThan(3);
  });

  test('a bundle is the same bytes whenever it is written', () => {
    fc.assert(
      fc.property(sequence, (drawn) => {
        for (const document of run(drawn)) {
          expect(trustedIn(AuthoritySecret.parse(JSON.parse(JSON.stringify(document)))).bundle).toBe(trustedIn(document).bundle);
          expect(trustedIn(document).bundle).toBe(trustedIn(document).certificates.join(''));
        }
      }),
    );
  });

  test('an aborted rotation leaves what was there', () => {
    const back = (['TRUSTED', 'MINTED', 'STEADY'] as const).reduce(
      (document, state) => abortTo(document, state, step),
      aborting('ISSUING'),
    );

    const turnedBack = { rotation: 'r-1', by: 'ann', because: 'errors', at: NOW.toISOString() };
    expect(back).toEqual({ ...adopted(), generations: [{ ...adopted().generations[0], state: 'issuing' }], turnedBack });
    expect(trustedIn(back)).toEqual(trustedIn(adopted()));
  });
});

test('that it was once distrusted is noted of a generation until the way back has ended', () => {
  const notes: (string | undefined)[] = [];
  (['SOAKING', 'ISSUING', 'TRUSTED', 'MINTED', 'STEADY'] as const).reduce((document, state) => {
    const back = abortTo(document, state, step);
    notes.push(back.generations[0]!.distrustedAt);
    return back;
  }, aborting('DISTRUSTED'));

  expect(notes).toEqual([...Array<string>(4).fill(NOW.toISOString()), undefined]);
});

test('a second rotation begins where the first was closed', () => {
  const second = mintNext(closed(), minted(3), { id: 'r-2', mode: 'planned', now: inDays(400) });

  expect(second.generations.map(({ state }) => state)).toEqual(['closed', 'issuing', 'next']);
  expect(trustedIn(advanceTo(second, 'TRUSTED', { rotation: 'r-2', now: inDays(401) })).ids).toEqual([idOf(2), idOf(3)]);
});

test('a number that was in a name does not come again, though its generation was pruned', () => {
  const [first] = begun().generations;

  expect(nextNumber({ generations: [first!] })).toBe(2);
  expect(nextNumber({ generations: [{ ...first!, certificate: minted(7).certificate }] })).toBe(8);
});
