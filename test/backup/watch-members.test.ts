import { ledgerText } from '../../lambdas/backup/ledger';
import { watchMembers } from '../../lambdas/backup/watch-members';
import type { WatchEdges } from '../../lambdas/backup/watch-members';
import type { Ledger } from '../../lambdas/contract/ledger';
import type { ClusterView } from '../../lambdas/etcd/cluster-view';
import { reachable, unreachable } from './factories';
import { ID, ledger, lineage, minutesBefore } from './ledgers';
import { NOW } from './snapshots';

const ENDPOINTS = ['https://one:2379', 'https://two:2379', 'https://three:2379'];
const one = (overrides = {}) => reachable('https://one:2379', { id: 'b2', ...overrides });
const two = (overrides = {}) => reachable('https://two:2379', { id: 'a1', ...overrides });
const three = (overrides = {}) => reachable('https://three:2379', { id: 'c3', ...overrides });
const down = (endpoint: string) => unreachable(`https://${endpoint}:2379`);
const view = (...members: ClusterView['members']): ClusterView => ({ members, votingMembers: 3 });
const healthy = view(one(), two(), three());

const known = ledger({
  lineages: { c0ffee: lineage({ revision: 900, rate: { at: minutesBefore(1), revision: 900 } }) },
  newestVerified: { id: ID, takenAt: minutesBefore(30), revision: 800, lineage: 'c0ffee' },
});

interface Faults {
  readonly stored?: Ledger | string;
  readonly reach?: () => Promise<never>;
  readonly read?: () => Promise<never>;
  readonly write?: () => Promise<string | undefined>;
  readonly quota?: number;
}

async function watch(seen: ClusterView, faults: Faults = {}, told = new Set<string>(), signal = new AbortController().signal) {
  const { stored = known, quota } = faults;
  const text = typeof stored === 'string' ? stored : ledgerText(stored);
  const metrics: Record<string, number> = {};
  const events: [string, unknown][] = [];
  const written: Ledger[] = [];
  const note = (event: string, fields?: unknown) => void events.push([event, fields]);
  const telemetry = {
    log: note,
    warn: note,
    count: (metric: string, value: number) => {
      metrics[metric] = value;
    },
  };
  let open = 0;
  const close = () => {
    open--;
  };
  const member = { gather: async () => seen, quota: async () => quota, close };
  const edges: WatchEdges = {
    reach: faults.reach ?? (async () => (open++, member)),
    ledger: {
      cluster: 'prod',
      document: {
        read: faults.read ?? (async () => ({ text, etag: 'e1' })),
        write:
          faults.write ??
          (async (next) => {
            written.push(JSON.parse(next) as Ledger);
            return 'e2';
          }),
      },
      catalog: { list: async () => [], readManifest: async () => undefined },
      telemetry,
      wait: async () => undefined,
      random: () => 0,
    },
    telemetry,
    now: () => NOW,
    told,
  };
  const result = await watchMembers(edges, ENDPOINTS, signal);
  return { result, metrics, events, written, open: () => open };
}

describe('what the metrics say of the members', () => {
  test.each<[string, ClusterView, Record<string, number>]>([
    ['all are well', healthy, { MembersHealthy: 3, MemberUnreachable: 0, EtcdQuorum: 1 }],
    ['one is down', view(one(), two(), down('three')), { MembersHealthy: 2, MemberUnreachable: 1, EtcdQuorum: 1 }],
    ['two are down', view(one(), down('two'), down('three')), { MembersHealthy: 1, MemberUnreachable: 2, EtcdQuorum: 0 }],
    ['one answers and knows no leader', view(one(), two(), three({ leaderId: '0' })), { MembersHealthy: 2, EtcdQuorum: 1 }],
    [
      'nobody knows a leader',
      view(one({ leaderId: '0' }), two({ leaderId: '0' }), three({ leaderId: '0' })),
      { MembersHealthy: 0, EtcdQuorum: 0 },
    ],
    ['a learner does not vote', view(one(), three({ isLearner: true }), down('two')), { MembersHealthy: 1, EtcdQuorum: 0 }],
    ['two endpoints lead to one member', view(one(), one(), down('three')), { MembersHealthy: 1, EtcdQuorum: 0 }],
    ['half of four is no majority', { ...view(one(), two()), votingMembers: 4 }, { MembersHealthy: 2, EtcdQuorum: 0 }],
    [
      'nobody answers',
      { members: ENDPOINTS.map((endpoint) => unreachable(endpoint)), votingMembers: 0 },
      { MembersHealthy: 0, MemberUnreachable: 3, EtcdQuorum: 0 },
    ],
  ])('%s', async (_sentence, seen, expected) => {
    expect((await watch(seen)).metrics).toMatchObject(expected);
  });

  test('the largest database, and the fullest by its own quota', async () => {
    const { metrics } = await watch(
      view(one({ dbSize: 300, dbQuota: 1_000 }), two({ dbSize: 200, dbQuota: 400 }), three({ dbSize: 100 })),
      {},
    );

    expect(metrics).toMatchObject({ DbSize: 300, DbQuotaUsed: 50 });
  });

  test('a quota that no status tells is asked for elsewhere', async () => {
    expect((await watch(healthy, { quota: 200_000 })).metrics).toMatchObject({ DbSize: 100_000, DbQuotaUsed: 50 });
  });

  test('a quota that nobody tells is no metric, and is told once for each member, not every minute', async () => {
    const told = new Set<string>();
    const first = await watch(healthy, {}, told);
    const second = await watch(healthy, {}, told);

    expect(first.metrics).not.toHaveProperty('DbQuotaUsed');
    expect(first.events.filter(([event]) => event === 'quota-unknown')).toHaveLength(3);
    expect(second.events.filter(([event]) => event === 'quota-unknown')).toEqual([]);
  });
});

describe('the ledger', () => {
  test('rises to the highest member, and the rate since the last poll is told', async () => {
    const { result, metrics, written } = await watch(view(one({ revision: 990 }), two({ revision: 1_000 }), three({ revision: 980 })));

    expect(written).toEqual([expect.objectContaining({ ceiling: 1_000 })]);
    expect(metrics).toMatchObject({ LedgerCurrent: 1, RevisionsPerMinute: 100, VerifiedSnapshotAge: 1_800 });
    expect(result).toMatchObject({ outcome: 'watched', lineage: 'c0ffee', revision: 1_000, ledger: { state: 'current', ceiling: 1_000 } });
  });

  test('is not written while nothing changes', async () => {
    const { metrics, written } = await watch(view(one({ revision: 900 }), two({ revision: 900 }), three({ revision: 900 })));

    expect(written).toEqual([]);
    expect(metrics).toMatchObject({ LedgerCurrent: 1, RevisionsPerMinute: 0 });
  });

  test('that was lost is written anew, also when no member answers', async () => {
    const { written } = await watch({ members: [down('one')], votingMembers: 0 }, { stored: '{' });

    expect(written).toHaveLength(1);
  });

  test('is ahead of members that lost what they served: both numbers are told', async () => {
    const { metrics, events, written } = await watch(view(one({ revision: 10 }), two({ revision: 9 }), three({ revision: 8 })));

    expect(metrics).toMatchObject({ LedgerCurrent: 0 });
    expect(events).toContainEqual([
      'revision-fell-back',
      { because: expect.stringMatching(/at revision 10, .* at 900: .* without a bump/) as string },
    ]);
    expect(written).toEqual([]);
  });

  test('may be ahead of a member that knows no leader: it may not have caught up', async () => {
    expect((await watch(view(one({ revision: 10, leaderId: '0' })))).metrics).toMatchObject({ LedgerCurrent: 1 });
  });

  test.each<[string, Faults]>([
    ['cannot be read', { read: () => Promise.reject(new Error('S3 is gone')) }],
    ['cannot be written', { write: () => Promise.reject(new Error('S3 is gone')) }],
    ['is always written by others first', { write: async () => undefined }],
  ])('that %s is not current, and the members are told of all the same', async (_what, faults) => {
    const { result, metrics } = await watch(healthy, faults);

    expect(result).toMatchObject({ outcome: 'watched', ledger: { state: 'failed', because: expect.any(String) as string } });
    expect(metrics).toMatchObject({ LedgerCurrent: 0, MembersHealthy: 3 });
  });

  test('that S3 never answers for is given up in time to tell of the members', async () => {
    const time = new AbortController();
    const pending = watch(healthy, { read: () => new Promise(() => time.abort()) }, undefined, time.signal);

    expect((await pending).metrics).toMatchObject({ LedgerCurrent: 0, MembersHealthy: 3, EtcdQuorum: 1 });
    expect((await pending).result.ledger.because).toMatch(/S3 did not answer in the time/);
  });

  test.each<[string, number, boolean]>([
    ['below what clients have seen: they will believe nothing that it says', 899, true],
    ['above all that was served, as after a restore with a bump', 901, false],
  ])('tells of a lineage that opens %s (peer failure 1)', async (_what, revision, below) => {
    const restored = { clusterId: 'beef', revision };
    const { events, metrics } = await watch(view(one(restored), two(restored), three(restored)));

    expect(events).toContainEqual(['lineage-opened', { lineage: 'beef', revision, ceiling: 900, below }]);
    expect(metrics).toMatchObject({ LedgerCurrent: 1 });
  });
});

describe('ends in good order, and not as an error that fills the dead-letter queue every minute, when', () => {
  test('no member answers', async () => {
    const { result, metrics, events } = await watch({ members: [down('one'), down('two')], votingMembers: 0 });

    expect(result).toMatchObject({
      outcome: 'unreachable',
      because: 'connection refused; connection refused',
      ledger: { state: 'current' },
    });
    expect(metrics).toEqual({ MembersHealthy: 0, MemberUnreachable: 2, EtcdQuorum: 0, LedgerCurrent: 1, VerifiedSnapshotAge: 1_800 });
    expect(events.map(([event]) => event)).toEqual(['etcd-unreachable']);
  });

  test('the secret cannot be used', async () => {
    const { result, metrics } = await watch(healthy, { reach: () => Promise.reject(new Error('secret x is empty')) });

    expect(result).toMatchObject({ outcome: 'unreachable', because: 'secret x is empty', members: { unreachable: 3, quorum: false } });
    expect(metrics).toMatchObject({ MembersHealthy: 0, MemberUnreachable: 3, EtcdQuorum: 0, VerifiedSnapshotAge: 1_800 });
  });

  test('the endpoints belong to two clusters: no lineage is raised, and the ledger does not count as current', async () => {
    const { result, metrics, events, written } = await watch(view(one(), two({ clusterId: 'beef', revision: 10 ** 9 })));

    expect(result).toMatchObject({
      outcome: 'refused',
      because: expect.stringMatching(/one:2379 to c0ffee, .*two:2379 to beef/) as string,
    });
    expect(metrics).toMatchObject({ LedgerCurrent: 0 });
    expect(events.map(([event]) => event)).toContain('endpoints-disagree');
    expect(written).toEqual([]);
  });
});

test.each(['well', 'badly'])('the doors to the members are closed when asking them went %s', async (how) => {
  const broken = { get members(): never { throw new Error('unreadable'); }, votingMembers: 0 }; // prettier-ignore
  const { open } = await watch(how === 'well' ? healthy : broken);

  expect(open()).toBe(0);
});
