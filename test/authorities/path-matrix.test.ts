import fc from 'fast-check';
import { MatrixIncomplete } from '../../lambdas/authorities/errors';
import type { ShownChain, TriedPairs, TrustStore } from '../../lambdas/authorities/path-matrix';
import { pathMatrix, printFailing } from '../../lambdas/authorities/path-matrix';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import { acceptedBy } from '../../lambdas/pki/path';
import { printPem } from '../../lambdas/pki/pem';
import type { CertificateName } from '../pki/paths';
import { pemsOf } from '../pki/paths';
import { NOW } from '../pki/pki-world';

const server = (place: string, ...chain: readonly CertificateName[]): ShownChain => ({ place, chain: pemsOf(chain) });
const store = (place: string, ...roots: readonly CertificateName[]): TrustStore => ({ place, roots: pemsOf(roots) });
const etcd = (servers: readonly ShownChain[], stores: readonly TrustStore[]) => pathMatrix({ etcd: { servers, stores } }, NOW);

const STORES = [store('old', 'O'), store('new', 'N'), store('both', 'O', 'N')];

describe('in a rotation', () => {
  test.each<[string, ShownChain, readonly string[]]>([
    ['the new leaf with X is accepted by everybody', server('a', 'leaf(N)', 'X'), []],
    ['the new leaf alone is refused by who trusts the old root', server('a', 'leaf(N)'), ['old']],
    ['the old leaf is refused by who trusts the new root', server('a', 'leaf(O)'), ['new']],
    ['a server that showed nothing is refused by everybody', server('a'), ['old', 'new', 'both']],
  ])('%s', (_sentence, shown, refusing) => {
    const { cells, failing } = etcd([shown], STORES);

    expect(cells).toHaveLength(3);
    expect(failing.map((each) => each.store)).toEqual(refusing);
  });

  test('a client is tried as one', () => {
    const client: ShownChain = { ...server('front-proxy-client of master-1', 'client(N)', 'X'), role: 'client' };

    expect(pathMatrix({ 'front-proxy': { servers: [client], stores: STORES } }, NOW).failing).toEqual([]);
    expect(etcd([server('client(N)', 'client(N)', 'X')], STORES).failing).toHaveLength(3);
  });

  test('it is judged at the time that is asked for', () => {
    expect(
      pathMatrix({ etcd: { servers: [server('a', 'leaf(N)')], stores: [store('new', 'N')] } }, new Date('2031-01-01T00:00:00Z')),
    ).toMatchObject({
      failing: [{ because: expect.stringMatching(/^CN=kube-apiserver ended/) as string }],
    });
  });

  test('it tells for each authority what a refusal costs', () => {
    const tried: TriedPairs = { servers: [server('a', 'leaf(N)')], stores: [store('old', 'O')] };
    const well: TriedPairs = { servers: [server('a', 'leaf(N)', 'X')], stores: STORES };

    const { authorities } = pathMatrix({ etcd: tried, 'front-proxy': tried, cluster: well }, NOW);

    expect(authorities.map(({ authority, accepted, of, means }) => `${authority} ${accepted}/${of} ${means}`)).toEqual([
      'cluster 3/3 every connection can be made anew',
      expect.stringMatching(/^etcd 0\/1 a member or an API server loses etcd there .* when one of the two restarts$/),
      expect.stringMatching(/^front-proxy 0\/1 an extension API server refuses/),
    ]);
  });
});

test('a store with a damaged root accepts nobody, whatever else is in it', () => {
  const damaged = { place: 'master-2', roots: [...pemsOf(['N']), printPem({ label: 'CERTIFICATE', der: Buffer.of(0x30, 3, 2, 1, 1) })] };

  const { failing } = etcd([server('a', 'leaf(N)')], [store('master-1', 'N'), damaged]);

  expect(failing.map(printFailing)).toEqual([expect.stringMatching(/^a by master-2: its store cannot be read: root 2 of 2 is damaged/)]);
});

test.each<[string, Partial<Record<AuthorityName, TriedPairs>>, RegExp]>([
  ['no authority', {}, /^no authority is asked for.*: name one of cluster, etcd, front-proxy$/],
  ['no server', { etcd: { servers: [], stores: STORES } }, /^etcd has no server to try.*: give every server/],
  ['no store', { cluster: { servers: [server('a', 'leaf(N)')], stores: [] } }, /^cluster has no store to try/],
  [
    'no server of one authority beside another that has some',
    { cluster: { servers: [server('a', 'leaf(N)')], stores: STORES }, etcd: { servers: [], stores: STORES } },
    /^etcd has no server/,
  ],
  [
    'a place twice',
    { etcd: { servers: [server('a', 'leaf(N)'), server('a', 'leaf(O)')], stores: STORES } },
    /^etcd has two servers called "a"/,
  ],
])('a matrix of %s is an error, and not one in which nothing fails', (_sentence, pairs, text) => {
  expect(() => pathMatrix(pairs, NOW)).toThrow(MatrixIncomplete);
  expect(() => pathMatrix(pairs, NOW)).toThrow(text);
});

test('for any servers and stores every pair has one cell, with the verdict of its path, and fails when that does', () => {
  const chains = fc.constantFrom<CertificateName[][]>(['leaf(N)', 'X'], ['leaf(N)'], ['leaf(O)'], ['leaf(N) ended', 'X'], []);
  const roots = fc.constantFrom<CertificateName[][]>(['O'], ['N'], ['O', 'N'], ['N of another key'], []);
  const lists = fc.record({
    servers: fc.array(chains, { minLength: 1, maxLength: 4 }),
    stores: fc.array(roots, { minLength: 1, maxLength: 4 }),
  });
  fc.assert(
    fc.property(lists, ({ servers, stores }) => {
      const shown = servers.map((chain, index) => server(`server ${index}`, ...chain));
      const trusting = stores.map((names, index) => store(`store ${index}`, ...names));

      const { cells, failing, authorities } = etcd(shown, trusting);

      const wanted = shown.flatMap(({ place, chain }) =>
        trusting.map((each) => ({
          authority: 'etcd',
          server: place,
          store: each.place,
          verdict: acceptedBy(chain, each.roots, { at: NOW, role: 'server' }),
        })),
      );
      expect(cells).toEqual(wanted);
      expect(failing.map(printFailing)).toEqual(
        wanted.flatMap(({ server: by, store: of, verdict }) => (verdict.accepted ? [] : [`${by} by ${of}: ${verdict.because}`])),
      );
      expect(authorities).toMatchObject([{ accepted: cells.length - failing.length, of: cells.length }]);
    }),
    { numRuns: 50 },
  );
});
