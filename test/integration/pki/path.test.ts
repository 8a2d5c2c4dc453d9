import fc from 'fast-check';
import { acceptedBy } from '../../../lambdas/pki/path';
import type { PathRole } from '../../../lambdas/pki/path-rules';
import { DEFECTS, defective } from '../../pki/defects';
import { CERTIFICATES, CLIENT_CASES, SERVER_CASES, pemsOf } from '../../pki/paths';
import type { CertificateName } from '../../pki/paths';
import { NOW, authority } from '../../pki/pki-world';
import type { GoVerifier } from '../../support/go-verifier';
import { buildGoVerifier } from '../../support/go-verifier';
import { opensslJudges } from '../../support/openssl-verifier';

jest.setTimeout(120_000);

/** OpenSSL's command takes a hundredth of a second for each order of each store. */
const DRAWN = 120;
/** The same cases at every run: a case that another seed finds is added to the table of cases. */
const SEED = 20_261_127;

let go: GoVerifier;
beforeAll(() => {
  go = buildGoVerifier();
});
afterAll(() => go.remove());

/**
 * Refused though both readers may let them pass: some are not judged, and of some one reader takes the path and the other goes round it, so that
 * no single path is taken by both.
 */
const STRICTER: readonly CertificateName[] = [
  'N with name constraints',
  'leaf that vouches for itself',
  'N without basic constraints',
  'N for any use',
];

interface Asked {
  readonly what: string;
  readonly chain: readonly string[];
  readonly roots: readonly string[];
  readonly role: PathRole;
}

const named = (role: PathRole, chain: readonly CertificateName[], roots: readonly CertificateName[]): Asked => ({
  what: `${chain.join(' + ')} as ${role}, by {${roots.join(', ')}}`,
  chain: pemsOf(chain),
  roots: pemsOf(roots),
  role,
});

/** Every order of the store: OpenSSL takes the first of two that it cannot tell apart. */
const ordersOf = (roots: readonly string[]): readonly string[] =>
  roots.length === 0 ? [''] : roots.flatMap((first, index) => ordersOf(roots.toSpliced(index, 1)).map((rest) => first + rest));

/** What each reader says, as one line that a failing test can show. */
function compare(all: readonly Asked[]): { readonly others: string[]; readonly ours: string[] } {
  const byGo = go.judge(all.map(({ chain, roots, role }) => ({ chain: chain.join(''), roots: roots.join(''), as: role, at: NOW })));
  const others = all.map((asked, index) => {
    const { chain, role: as } = asked;
    const byOpenssl = ordersOf(asked.roots).map((roots) =>
      opensslJudges({ chain: chain.join(''), roots, as, at: NOW }, 'as handshakes do'),
    );
    return `${asked.what}: ${byGo[index] === 'ok' && byOpenssl.every((verdict) => verdict === 'ok') ? 'accepted' : 'refused'}`;
  });
  const ours = all.map(({ what, chain, roots, role }) => {
    const { accepted } = acceptedBy(chain, roots, { at: NOW, role });
    return `${what}: ${accepted ? 'accepted' : 'refused'}`;
  });
  return { others, ours };
}

test('every case of a path is judged as Go and OpenSSL judge it together', () => {
  const { others, ours } = compare([
    ...SERVER_CASES.map(({ chain, roots }) => named('server', chain, roots)),
    ...CLIENT_CASES.map(({ chain, roots }) => named('client', chain, roots)),
  ]);

  expect(ours).toEqual(others);
});

test('so is every defect that a leaf can have, but for serials that both readers let pass, and a version in which Go looks for no names', () => {
  const { others, ours } = compare(
    DEFECTS.map((defect) => ({ what: defect.sentence, chain: [defective(defect)], roots: [authority('cluster').cert], role: 'server' })),
  );

  const differing = ours.filter((line, index) => line !== others[index]);
  expect(differing).toEqual(['version 2: refused', 'serial zero: refused', 'a serial of 21 octets: refused']);
});

test('so are any chains and stores that are drawn, and nothing is accepted that one of the readers refuses', () => {
  const names = Object.keys(CERTIFICATES) as CertificateName[];
  const leaves = names.filter((name) => /^(leaf|client|member)/.test(name));
  const usual: readonly CertificateName[] = ['O', 'N', 'X'];
  const one = fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...names) });
  const drawn = fc.tuple(
    fc.constantFrom<PathRole[]>('server', 'client'),
    fc.oneof(fc.constantFrom<CertificateName[]>('leaf(N)', 'leaf(O)', 'member(N)', 'client(N)'), fc.constantFrom(...leaves)),
    fc.array(one, { maxLength: 3 }),
    fc.uniqueArray(one, { minLength: 1, maxLength: 3 }),
  );

  const asked = fc.sample(drawn, { numRuns: DRAWN, seed: SEED }).map(([role, leaf, sent, roots]) => named(role, [leaf, ...sent], roots));
  const { others, ours } = compare(asked);

  const differing = ours.filter((line, index) => line !== others[index]);
  const tooKind = differing.filter((line) => line.endsWith(': accepted'));
  const tooStrict = differing.filter((line) => !STRICTER.some((name) => line.includes(name)));
  expect({ seed: SEED, tooKind, tooStrict }).toEqual({ seed: SEED, tooKind: [], tooStrict: [] });
  expect(others.filter((line) => line.endsWith(': accepted')).length).toBeGreaterThan(10);
});
