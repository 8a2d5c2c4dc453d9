import type { NodeEnd } from '../../lambdas/contract/restore';
import { RestorePlan, RestoreRequest } from '../../lambdas/contract/restore';
import type { LiveCluster, PlanInput } from '../../lambdas/restore/plan';
import { planRestore } from '../../lambdas/restore/plan';
import { manifest } from '../backup/snapshots';
import { factsOf } from '../nodes/facts';
import type { FactsChange } from '../nodes/facts';

const NOW = new Date('2026-11-26T03:00:00.000Z');
const SNAPSHOT = manifest({
  id: '20261126T020000Z-0000000a',
  takenAt: '2026-11-26T02:00:00.000Z',
  revision: 900,
  inventory: { pods: 10, secrets: 5 },
});
const node = (number: number) => ({ instanceId: `i-0000000${number}`, host: `master-${number}` });
const etcdOf = (number: number) => ({
  name: `master-${number}`,
  peerUrls: `https://10.0.1.${number}:2380`,
  clientUrl: `https://10.0.1.${number}:2379`,
});
const told = (number: number, change: FactsChange = {}): NodeEnd => ({
  ...node(number),
  outcome: 'done',
  result: factsOf({ ...change, etcd: { ...etcdOf(number), ...change.etcd } }),
});
const absent = {
  etcd: { runs: 'absent', definition: 'none', running: false, name: null, peerUrls: null, clientUrl: null },
  data: null,
} as const;

const input = (change: Partial<PlanInput> & { readonly ask?: object } = {}): PlanInput => ({
  cluster: 'prod',
  bucket: 'state',
  request: RestoreRequest.parse(change.ask ?? {}),
  restoreId: 'run-1',
  mode: 'in-place',
  nodes: [node(1), node(2), node(3)],
  facts: [told(1), told(2), told(3)],
  manifest: SNAPSHOT,
  bump: { bump: 5_000, servedUpTo: 1_000, slack: 4_900, bumpedTo: 5_900, because: 'the ledger' },
  live: {},
  eras: {},
  now: NOW,
  ...change,
});
function planned(change: Parameters<typeof input>[0] = {}) {
  const planning = planRestore(input(change));
  if ('refused' in planning) throw new Error(planning.refused.join('\n'));
  return planning.plan;
}
function refused(change: Parameters<typeof input>[0] = {}): readonly string[] {
  const planning = planRestore(input(change));
  return 'refused' in planning ? planning.refused : [];
}

test('a plan of three well nodes holds what every document after it needs', () => {
  const plan = planned();

  expect(RestorePlan.parse(plan)).toEqual(plan);
  expect(plan.members.map(({ name }) => name)).toEqual(['master-1', 'master-2', 'master-3']);
  expect(plan.parameters.restoreData).toEqual({
    restoreId: 'run-1',
    snapshotSha256: SNAPSHOT.plainSha256,
    initialCluster: 'master-1=https://10.0.1.1:2380,master-2=https://10.0.1.2:2380,master-3=https://10.0.1.3:2380',
    clusterToken: 'lifeboat-run-1',
  });
  expect(plan.parameters.stage).toMatchObject({ snapshotUrl: 's3://state/clusters/prod/restores/run-1/snapshot.db', bumpRevision: '5000' });
  expect(plan.warnings).toEqual([]);
});

test('every peer URL of a member is part of the initial cluster, as etcd asks for', () => {
  const [first] = planned({
    facts: [told(1, { etcd: { peerUrls: 'https://10.0.1.1:2380,https://10.1.1.1:2380' } }), told(2), told(3)],
  }).parameters.restoreData['initialCluster']!.split(',master-2');

  expect(first).toBe('master-1=https://10.0.1.1:2380,master-1=https://10.1.1.1:2380');
});

test('what the data says of another time of the PKI is planned, and told before anybody approves', () => {
  const era = (digit: string) => ({ issuing: digit.repeat(64), trusted: [digit.repeat(64)] });
  const manifest = { ...SNAPSHOT, pkiGenerations: { cluster: era('1'), etcd: era('3') } };

  const plan = planned({ manifest, eras: { cluster: era('2'), etcd: era('3') } });

  expect(RestorePlan.parse(plan)).toEqual(plan);
  expect(plan.pki.map(({ of, decision }) => [of, decision])).toEqual([
    ['cluster', 'heal'],
    ['etcd', 'same'],
  ]);
  expect(plan.warnings).toEqual([expect.stringMatching(/^PKI, cluster: the data is of the time of 1111111111111111…/)]);
});

test('what is lost is told in revisions, seconds and objects, gone and coming back', () => {
  const live: LiveCluster = { revision: 1_000, inventory: { pods: 12, secrets: 5, nodes: 1 } };

  expect(planned({ live }).loss).toEqual({ revisions: 100, seconds: 3600, objects: { pods: 2, nodes: 1 } });
  expect(planned({ live: { revision: 950, inventory: { pods: 1 } } }).loss.objects).toEqual({ pods: -9, secrets: -5 });
  expect(planned({ live: {} }).loss).toEqual({ seconds: 3600, objects: {} });
});

test.each<[sentence: string, change: FactsChange, words: string]>([
  ['a document runs there', { busyWith: 'stage' }, 'master-2 i-00000002: stage runs there now'],
  ['another restore stopped it', { etcd: { keptBy: 'run-0' } }, 'start an execution with {"rollBack":"run-0"} first'],
  ['another restore stopped its API server', { apiserver: { keptBy: 'run-0' } }, 'start an execution with {"rollBack":"run-0"} first'],
  ['a stray manifest would run a second etcd', { strayManifests: ['etcd.yaml.bak'] }, 'etcd.yaml.bak in the manifest folder'],
  ['etcd does not tell its name', { etcd: { name: null } }, 'the flags of its etcd do not tell name'],
  ['its data directory cannot be told', { data: null }, 'the flags of its etcd do not tell name'],
  ['the log lies apart', { etcd: { walDir: '/wal' } }, 'etcd keeps its log apart in /wal'],
  ['etcd is older than the snapshot', { etcd: { version: '3.5.21' } }, 'an older etcd may not read it; use etcd 3.6 there'],
  ['there is no etcdutl', { etcdutl: null }, 'etcdutl is neither on the PATH nor in the image'],
  [
    'etcdutl is of another release',
    { etcdutl: { from: 'other-release', version: '3.4.0', bumpRevision: true } },
    'etcdutl is 3.4.0 and etcd is 3.6.16',
  ],
  ['aws is missing', { tools: { aws: false, curl: true, flock: true, sha256sum: true } }, 'the aws command line is missing'],
  ['flock is missing', { tools: { aws: true, curl: true, flock: false, sha256sum: true } }, 'flock or sha256sum is missing'],
  ['the disk is too small', { data: { freeBytes: 4_000 } }, '4000 bytes are free beside /var/lib/etcd and the snapshot alone takes 4128'],
  ['its name is taken', { etcd: { name: 'master-1' } }, 'master-1 and master-2 both claim the name master-1'],
  ['its peer URL is taken', { etcd: { peerUrls: 'https://10.0.1.1:2380' } }, 'both claim the peer URL https://10.0.1.1:2380'],
  [
    'nothing of a control plane is there',
    { ...absent, apiserver: { definition: 'none', running: false } },
    'neither etcd nor kube-apiserver is there',
  ],
])('a node is refused when %s', (_sentence, change, words) => {
  expect(refused({ facts: [told(1), told(2, change), told(3)] }).join('\n')).toContain(words);
});

test('everything that speaks against a restore is told at once', () => {
  const silent: NodeEnd = { ...node(3), outcome: 'undeliverable', because: 'no agent' };
  const reasons = refused({ facts: [told(1, { busyWith: 'stage' }), told(2, { etcdutl: null }), silent] });

  expect(reasons).toHaveLength(3);
  expect(reasons[0]).toContain('master-3 i-00000003 does not answer (no agent)');
});

test('facts of another version of the documents are refused as such', () => {
  expect(refused({ facts: [told(1), told(2), { ...node(3), outcome: 'done', result: { host: 'x' } }] }).join()).toContain(
    'its facts do not parse',
  );
});

test('a bump that etcdutl cannot make is refused, unless its price is taken', () => {
  const facts = [told(1), told(2, { etcdutl: { from: 'path', version: '3.6.16', bumpRevision: false } }), told(3)];

  expect(refused({ facts }).join()).toContain('clients would see time run backwards');
  const plan = planned({ facts, ask: { allowNoBump: true } });
  expect(plan.bump).toMatchObject({ needed: false, estimate: 0 });
  expect(plan.parameters.stage).toMatchObject({ bumpRevision: '0' });
  expect(plan.warnings.join()).toContain('revisions will run backwards');
});

test('a member that runs on none of the nodes would keep the old data, and is named', () => {
  const live: LiveCluster = { members: [1, 2, 3].map((number) => ({ name: `master-${number}`, peerUrls: [etcdOf(number).peerUrls] })) };
  const stranger = { name: '', peerUrls: ['https://10.0.9.9:2380'] };

  expect(refused({ live })).toEqual([]);
  expect(refused({ live: { members: [...live.members!, stranger] } })).toEqual([
    expect.stringContaining('member (never started) at https://10.0.9.9:2380 runs on none of these nodes'),
  ]);
});

describe('of a part of the control plane', () => {
  const one = { nodes: [node(1)] };
  const dead = { etcd: { ...etcdOf(2), running: false, definition: 'none' }, apiserver: { running: false, definition: 'none' } } as const;

  test.each<[string, Parameters<typeof told>[1]]>([
    ['runs', {}],
    ['runs an API server alone', { etcd: dead.etcd }],
    ['runs etcd alone', { apiserver: dead.apiserver }],
    ['has an etcd that ends again and again', { ...dead, etcd: { ...etcdOf(2), running: false } }],
    ['has an API server that ends again and again', { ...dead, apiserver: { running: false } }],
  ])('the rest must be stopped: one that %s', (_what, how) => {
    expect(refused({ ...one, facts: [told(1), told(2, how), told(3, dead)] })).toEqual([
      'master-2 i-00000002 is left out and still runs, or would run again: move the manifests of its etcd and kube-apiserver out of the folder (with systemd: disable and stop etcd.service), or restore it too',
    ]);
  });

  test('a rest that is stopped or gone is no obstacle, and what does not answer is warned of', () => {
    const plan = planned({ ...one, facts: [told(1), told(2, dead), { ...node(3), outcome: 'undeliverable', because: 'gone' }] });

    expect(plan.members).toHaveLength(1);
    expect(plan.warnings).toEqual(['master-3 i-00000003 is left out and does not answer: make sure that it is off, and stays so']);
  });

  test('an even number of members is warned of', () => {
    expect(planned({ nodes: [node(1), node(2)], facts: [told(1), told(2)] }).warnings).toEqual([
      '2 members survive no more failures than 1',
    ]);
  });
});

test('elsewhere nobody asks what the live cluster does', () => {
  const live: LiveCluster = { members: [{ name: 'x', peerUrls: ['https://10.0.9.9:2380'] }] };

  expect(refused({ mode: 'elsewhere', live })).toEqual([]);
});

test('doubts are told and stop nobody: another minor release, and what old data costs', () => {
  const kept = [{ restoreId: 'r0', kind: 'old', bytes: 5 * 1024 ** 2 }];
  const { warnings } = planned({
    manifest: manifest({ ...SNAPSHOT, verified: false, versions: { etcd: '3.5.35' } }),
    facts: [told(1, { data: { kept } }), told(2), told(3)],
  });

  expect(warnings).toContain('the snapshot is NOT verified');
  expect(warnings.join()).not.toContain('NOT stopped');
  expect(warnings).toContain('etcd on master-1 is 3.6.16, and the snapshot was taken by 3.5.35');
  expect(warnings).toContain('master-1 keeps 1 data directories of earlier restores, 5 MiB: this restore adds one, and the last two stay');
});

test.each<[unitIs: string | null, words: readonly string[]]>([
  [null, []],
  ['enabled', []],
  ['disabled', ['etcd.service on master-1 is disabled and not enabled: after a reboot it would not come back by itself']],
  ['enabled-runtime', ['etcd.service on master-1 is enabled-runtime and not enabled']],
])('a unit that systemd calls %s is warned of where a reboot would leave it out', (unitIs, words) => {
  const { warnings } = planned({ facts: [told(1, { etcd: { runs: 'systemd', unitIs } }), told(2), told(3)] });

  expect(warnings).toEqual(words.map((each) => expect.stringContaining(each) as string));
});

test('an API server that no manifest runs is told to go on', () => {
  const { warnings } = planned({ facts: [told(1, { apiserver: { running: true, definition: 'none' } }), told(2), told(3)] });

  expect(warnings.join()).toContain('kube-apiserver on master-1 is not run by a manifest and is NOT stopped');
});
