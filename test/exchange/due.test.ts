import fc from 'fast-check';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { AuthoritySecret, ServiceAccountsSecret } from '../../lambdas/contract/certificates';
import type { ExchangePolicy } from '../../lambdas/contract/exchange-policy';
import { RestoreId } from '../../lambdas/contract/restore';
import { ExchangeRequest } from '../../lambdas/contract/rotate-authority';
import { daily } from '../../lambdas/exchange/daily';
import type { DailyEdges } from '../../lambdas/exchange/daily';
import { dueExchange } from '../../lambdas/exchange/due';
import { inspect } from '../../lambdas/pki/inspect';
import { NOW, authority, inDays } from '../pki/pki-world';

const made = new Map<string, AuthoritySecret>();
/** An authority that ends in so many days. */
function ending(name: AuthorityName, days: number): AuthoritySecret {
  const key = `${name} ${days}`;
  const pair = made.get(key)?.generations[0] ?? authority(name, 1, inDays(days));
  const certificate = 'cert' in pair ? pair.cert : pair.certificate;
  const { sha256: id } = inspect(certificate);
  const document: AuthoritySecret = {
    version: 1,
    authority: name,
    generations: [{ id, certificate, key: pair.key ?? '', since: NOW.toISOString() }],
    issuing: id,
  };
  made.set(key, document);
  return structuredClone(document);
}
const policy = (change: Partial<ExchangePolicy> = {}): ExchangePolicy => ({
  exchange: 'scheduled',
  approval: 'ask',
  rotateBeforeDays: { cluster: 180, etcd: 180, 'front-proxy': 90 },
  ...change,
});
const due = (documents: readonly AuthoritySecret[], change: Partial<ExchangePolicy> = {}, accounts?: ServiceAccountsSecret) =>
  dueExchange({ documents, accounts, policy: policy(change), now: NOW });
const rotation = <State extends string>(id: string, state: State) => {
  const [from, to] = ['1'.repeat(64), '2'.repeat(64)];
  return { id, mode: 'planned' as const, since: NOW.toISOString(), from, to, state, stateSince: NOW.toISOString() };
};

describe('the age of authorities', () => {
  test('asks for nothing as long as none is within its days', () => {
    const documents = [ending('cluster', 181), ending('etcd', 400), ending('front-proxy', 100)];

    expect(due(documents)).toEqual({ action: 'none', because: 'no authority ends within its days' });
    expect(due([])).toMatchObject({ action: 'none' });
  });

  test('has the one exchanged that ends first, by an execution that is named by generation and day', () => {
    const documents = [ending('cluster', 170), ending('etcd', 150)];

    expect(due(documents)).toEqual({
      action: 'start',
      authority: 'etcd',
      execution: `age-etcd-${documents[1]!.issuing.slice(0, 12)}-20261126`,
      because: 'the etcd authority ends in 150 days, within its 180',
    });
  });

  test.each<[string, AuthoritySecret[], Partial<ExchangePolicy>, ServiceAccountsSecret | undefined, string, RegExp]>([
    [
      'another that is exchanged',
      [ending('cluster', 10), { ...ending('etcd', 400), rotation: rotation('r-9', 'SOAKING' as const) }],
      {},
      undefined,
      'wait',
      /^the cluster authority ends in 10 days, within its 180, and rotation r-9 of etcd is under way, in SOAKING$/,
    ],
    [
      'the keys of service accounts, which are exchanged',
      [ending('cluster', 10)],
      {},
      { version: 1, generations: [], issuing: '1'.repeat(64), rotation: rotation('r-8', 'SIGNING' as const) },
      'wait',
      /rotation r-8 of service accounts is under way, in SIGNING$/,
    ],
    [
      'people, who begin it',
      [ending('etcd', 10)],
      { exchange: 'by-hand' },
      undefined,
      'tell',
      /start the exchange with \{"authority": "etcd"\}$/,
    ],
  ])('waits for %s', (_sentence, documents, change, accounts, action, because) => {
    expect(due(documents, change, accounts)).toMatchObject({ action, because: expect.stringMatching(because) as string });
  });

  test('does not begin again what somebody turned back, and lets it keep no other from its turn', () => {
    const turnedBack = { rotation: 'age-etcd-1', by: 'ann', because: 'clients are refused', at: NOW.toISOString() };
    const back = { ...ending('cluster', 5), turnedBack };

    expect(due([back])).toMatchObject({
      action: 'tell',
      because: expect.stringMatching(/ann turned age-etcd-1 back \(clients are refused\): start the next one with/) as string,
    });
    expect(due([back, ending('etcd', 100)])).toMatchObject({ action: 'start', authority: 'etcd' });
  });

  test('tells of an external one, and lets it keep no other from its turn', () => {
    const external = ending('cluster', 5);
    delete external.generations[0]!.key;

    expect(due([external])).toMatchObject({ action: 'tell', because: expect.stringContaining('have its owner exchange it') as string });
    expect(due([external, ending('etcd', 100)])).toMatchObject({ action: 'start', authority: 'etcd' });
  });

  test('whatever ends when: it begins one at most, which is within its days, and none that is due ends before it', () => {
    const days = fc.constantFrom(1, 20, 80, 100, 170, 200, 900);
    const documents = fc.record({ cluster: days, etcd: days, 'front-proxy': days });
    fc.assert(
      fc.property(documents, (ends) => {
        const { rotateBeforeDays } = policy();
        const within = AuthorityName.options.filter((name) => ends[name] <= rotateBeforeDays[name]);

        const decided = due(AuthorityName.options.map((name) => ending(name, ends[name])));

        expect(decided.action).toBe(within.length === 0 ? 'none' : 'start');
        if (decided.action !== 'start') return;
        expect(within).toContain(decided.authority);
        expect(Math.min(...within.map((name) => ends[name]))).toBe(ends[decided.authority]);
        expect(RestoreId.parse(decided.execution)).toBe(decided.execution);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the daily look at the authorities', () => {
  function world(change: Partial<DailyEdges> = {}, documents = [ending('etcd', 10)]) {
    const begun: [string, unknown][] = [];
    const done: string[] = [];
    const told: [string, string][] = [];
    const edges: DailyEdges = {
      cluster: 'prod',
      tell: async (subject, message) => void told.push([subject, message]),
      authority: async (name) => documents.find((each) => each.authority === name),
      note: async () => void done.push('noted'),
      accounts: async () => undefined,
      lockedBy: async () => undefined,
      begin: async (execution, request) => {
        const there = begun.some(([name]) => name === execution);
        if (!there) begun.push([execution, request]);
        return !there;
      },
      telemetry: { log: (event) => void done.push(event), warn: () => undefined, count: () => undefined },
      now: () => NOW,
      ...change,
    };
    const look = (chosen: Partial<ExchangePolicy> = {}, exchange = true) =>
      daily(edges, policy(chosen), { input: { waitForNodesSeconds: 1, renew: true, exchange } });
    return { look, begun, done, told };
  }

  test('notes the generations, and begins what is due as the state machine is given it', async () => {
    const { look, begun, done } = world();

    expect(await look()).toMatchObject({ action: 'start' });

    const [[, request] = []] = begun;
    expect(ExchangeRequest.parse(request)).toMatchObject({ authority: 'etcd', mode: 'planned', approval: 'ask', by: 'age', plan: false });
    expect(done).toEqual(['noted', 'authorities-aged', 'exchange-begun-by-age']);
  });

  test('tells people once that one began, which starts much again on their nodes, and how they turn it back', async () => {
    const { look, told } = world();

    for (let time = 0; time < 2; time++) await look();

    expect(told).toEqual([
      [
        'kube-lifeboat prod: exchange of the etcd authority began',
        expect.stringMatching(/ends in 10 days.*Turn back with \{"abort": "age-etcd-[0-9a-f]{12}-20261126"/s),
      ],
    ]);
  });

  test('asks nobody where the config says so', async () => {
    const { look, begun } = world();

    await look({ approval: 'automatic' });

    expect(begun).toMatchObject([[expect.stringMatching(/^age-etcd-/), { approval: 'automatic' }]]);
  });

  test('begins nothing twice on one day', async () => {
    const { look, begun } = world();

    await look();

    expect(await look()).toMatchObject({ action: 'there' });
    expect(begun).toHaveLength(1);
  });

  test.each<[string, Parameters<typeof world>, Parameters<ReturnType<typeof world>['look']>, object]>([
    [
      'somebody works on the nodes',
      [{ lockedBy: async () => 'restore-1' }],
      [],
      { action: 'wait', because: expect.stringContaining('restore-1 holds the lock') as string },
    ],
    ['its input says so', [], [{}, false], { action: 'wait', because: expect.stringContaining('to begin nothing') as string }],
    ['people begin it', [], [{ exchange: 'by-hand' }], { action: 'tell' }],
    ['nothing is due', [{}, [ending('etcd', 900)]], [], { action: 'none' }],
    ['nothing is held', [{}, []], [], { action: 'none' }],
  ])('begins nothing while %s, and notes all the same', async (_sentence, given, asked, ends) => {
    const { look, begun, done } = world(...given);

    expect(await look(...asked)).toMatchObject(ends);
    expect([begun, done]).toEqual([[], ['noted', 'authorities-aged']]);
  });
});
