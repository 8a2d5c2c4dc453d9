import fc from 'fast-check';
import { CertificateUnreadable } from '../../lambdas/pki/errors';
import { crossSign } from '../../lambdas/pki/issue';
import type { IssuedPair } from '../../lambdas/pki/issue';
import type { PathVerdict } from '../../lambdas/pki/path';
import { acceptedBy } from '../../lambdas/pki/path';
import { pemBlocks, printPem } from '../../lambdas/pki/pem';
import { CLIENT_CASES, SERVER_CASES, pemsOf } from './paths';
import { NOW, authority, inDays, leafOf } from './pki-world';

const told = (verdict: PathVerdict): string => (verdict.accepted ? 'accepted' : verdict.because);

describe.each([
  { role: 'server', cases: SERVER_CASES },
  { role: 'client', cases: CLIENT_CASES },
] as const)('of a $role', ({ role, cases }) => {
  test.each(cases)('$sentence', ({ chain, roots, because = /^accepted$/ }) => {
    for (const store of [roots, [...roots].reverse()])
      expect(told(acceptedBy(pemsOf(chain), pemsOf(store), { at: NOW, role }))).toMatch(because);
  });
});

const ask = (chain: Parameters<typeof pemsOf>[0], roots: Parameters<typeof pemsOf>[0], at = NOW) =>
  acceptedBy(pemsOf(chain), pemsOf(roots), { at, role: 'server' });

test('the path that is told goes from the leaf to the root that is trusted', () => {
  const next = expect.stringMatching(/^CN=kubernetes-g2-[0-9a-f]{8}$/) as string;

  expect(ask(['leaf(N)', 'X'], ['O'])).toEqual({ accepted: true, path: ['CN=kube-apiserver', next, 'CN=kubernetes'] });
  expect(ask(['leaf(N)', 'X'], ['O', 'N'])).toEqual({ accepted: true, path: ['CN=kube-apiserver', next] });
});

test('the end of a certificate is its last moment for nobody, and its begin its first', () => {
  expect(ask(['leaf(N)'], ['N'], new Date(inDays(90).getTime() - 1_000)).accepted).toBe(true);
  expect(ask(['leaf(N)'], ['N'], inDays(90))).toMatchObject({ accepted: false });
  expect(ask(['leaf(N) not begun'], ['N'], inDays(1)).accepted).toBe(true);
  expect(ask(['leaf(N) not begun'], ['N'], new Date(inDays(1).getTime() - 1))).toMatchObject({ accepted: false });
});

test('an authority with name constraints is refused, since they are not judged', () => {
  expect(told(ask(['leaf(N)'], ['N with name constraints']))).toMatch(/has name constraints/);
});

test('a leaf that is trusted by itself is refused: it hangs on no authority that could be rotated', () => {
  expect(told(ask(['leaf that vouches for itself'], ['leaf that vouches for itself']))).toMatch(/vouches for itself/);
});

test('a path of eight certificates is the longest that is followed, however well they sign each other', () => {
  const [first, ...others] = Array.from({ length: 9 }, (_, index) => authority('cluster', index + 1)) as [IssuedPair, ...IssuedPair[]];
  const crosses = others.map((pair, index) => crossSign(pair, [first, ...others][index]!, { now: NOW }).cert);
  const longOf = (authorities: number) =>
    acceptedBy([leafOf('apiserver', others[authorities - 2]).cert, ...crosses.slice(0, authorities - 1)], [first.cert], {
      at: NOW,
      role: 'server',
    });

  expect(longOf(7).accepted).toBe(true);
  expect(told(longOf(8))).toMatch(/^the path from CN=kube-apiserver is longer than 8 certificates/);
});

test('nothing is no chain, and nobody trusts by nothing', () => {
  expect(ask([], ['N'])).toEqual({ accepted: false, because: 'the chain is empty' });
  expect(ask(['leaf(N)'], [])).toEqual({ accepted: false, because: 'nothing is trusted that could vouch for CN=kube-apiserver' });
});

test('a damaged chain is refused, and a damaged root an error, since no verdict would hold', () => {
  const broken = printPem({ label: 'CERTIFICATE', der: Buffer.of(0x30, 3, 2, 1, 1) });

  expect(told(acceptedBy([...pemsOf(['leaf(N)']), broken], pemsOf(['N']), { at: NOW, role: 'server' }))).toMatch(
    /^certificate 2 of 2 in the chain is damaged/,
  );
  expect(() => acceptedBy(pemsOf(['leaf(N)']), [...pemsOf(['N']), broken], { at: NOW, role: 'server' })).toThrow(CertificateUnreadable);
});

test('a chain in which any byte is changed is never accepted, and never more than a refusal', () => {
  const [leaf, cross] = pemsOf(['leaf(N)', 'X']).map((pem) => pemBlocks(pem)[0]!.der) as [Buffer, Buffer];
  fc.assert(
    fc.property(fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 255 }), (first, at, flip) => {
      const chain = [leaf, cross].map((der) => Buffer.from(der));
      const hit = chain[first ? 0 : 1]!;
      hit.writeUInt8(hit.readUInt8(at % hit.length) ^ flip, at % hit.length);

      const verdict = acceptedBy(
        chain.map((der) => printPem({ label: 'CERTIFICATE', der })),
        pemsOf(['O']),
        { at: NOW, role: 'server' },
      );

      expect(verdict).toMatchObject({ accepted: false });
      expect(told(verdict)).not.toBe('');
    }),
    { numRuns: 400 },
  );
});

test('whatever is sent after the leaf, whoever trusts no root of it does not take it', () => {
  const junk = fc.shuffledSubarray(['X', 'N', 'O', 'leaf(O)', 'X ended', 'N of another key', 'leaf(N)', 'N renewed'] as const);
  fc.assert(
    fc.property(junk, (sent) => {
      expect(ask(['leaf(N)', ...sent], ['O of another key'])).toMatchObject({ accepted: false });
    }),
    { numRuns: 50 },
  );
});
