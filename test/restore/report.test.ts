import type { NodeEnd } from '../../lambdas/contract/restore';
import { RestoreReport } from '../../lambdas/contract/restore';
import type { Ending, Phase, RunbookState } from '../../lambdas/restore/report';
import { reportOf } from '../../lambdas/restore/report';
import { summaryOf } from '../../lambdas/restore/report-restore';
import { factsOf } from '../nodes/facts';
import type { FactsChange } from '../nodes/facts';
import { handedPlan } from './plans';

const NOW = new Date('2026-11-26T04:00:00.000Z');
const at = (seconds: number): Date => new Date(NOW.getTime() - 1000_000 + seconds * 1000);
const phase = (state: string, from: number, to: number): Phase => ({ state, startedAt: at(from), endedAt: at(to) });
const old = { restoreId: 'run-1', kind: 'old', bytes: 1 };
const told = (number: number, change: FactsChange = {}): NodeEnd => ({
  instanceId: `i-0000000${number}`,
  host: `master-${number}`,
  outcome: 'done',
  result: factsOf(change),
});
const away = { definition: 'kept', keptBy: 'run-1', running: false } as const;
const whole = [told(1), told(2), told(3)];
const failure = {
  Error: 'NodesFailed',
  Cause: JSON.stringify({ errorType: 'NodesFailed', errorMessage: 'restore-data failed on 1 of 3 nodes' }),
};

const report = (ending: Ending, state: Partial<RunbookState> = {}, phases: readonly Phase[] = []) => {
  const made = reportOf('prod', ending, { restoreId: 'run-1', mode: 'in-place', plan: handedPlan(), ...state }, phases, NOW);
  expect(RestoreReport.parse(made)).toEqual(made);
  return made;
};

test('a restore tells its lineage, its bump, its safety snapshot and the time without etcd', () => {
  const phases = [phase('Stage', 0, 20), phase('StopControlPlane', 20, 30), phase('CheckEtcd', 40, 45.5), phase('Verify', 60, 61)];
  const made = report(
    'restored',
    {
      promised: { by: 5_000, to: 5_900, at: NOW.toISOString() },
      restored: { lineage: 'b2' },
      safety: { id: 'safe' },
      verified: { api: 'ready', revision: 6_000 },
    },
    phases,
  );

  expect(made).toMatchObject({
    outcome: 'RESTORED',
    newLineage: 'b2',
    bump: { by: 5_000, to: 5_900 },
    safetySnapshot: 'safe',
    downtimeSeconds: 25.5,
    nodes: [],
  });
  expect(made.phases[0]).toEqual({ state: 'Stage', startedAt: at(0).toISOString(), seconds: 20 });
  expect(summaryOf(made)).toBe('RESTORED 20261126T020000Z-0000000a, 26 s without etcd');
});

test('a restore without a bump, and an API that is not reached by its name, leave something to do', () => {
  const todo = report('restored', {
    promised: { by: 0, to: 900, at: NOW.toISOString() },
    verified: { api: 'answers 503', revision: 901 },
  }).whatToDo.join('\n');

  expect(todo).toContain('revisions ran backwards: restart kubelet');
  expect(todo).toContain('the API by its own name answers 503');
});

test('what the data says of another time of the PKI is told, with what somebody has to see to and who heals the rest', () => {
  const era = { of: 'cluster', then: null, now: null } as const;
  const pki = [
    { ...era, decision: 'heal', because: 'the lifeboat writes it' } as const,
    { ...era, of: 'etcd', decision: 'same', because: 'as today' } as const,
    { ...era, of: 'service-accounts', decision: 'tell', because: 'tokens are refused' } as const,
  ];
  const made = report('restored', { plan: handedPlan({ pki }), healing: 'execution heal-run-1 heals' });

  expect(made.pki?.map(({ of, decision }) => `${of} ${decision}`)).toEqual(['cluster heal', 'etcd same', 'service-accounts tell']);
  expect(made.healing).toBe('execution heal-run-1 heals');
  expect(made.whatToDo.filter((line) => /PKI|heal/.test(line))).toEqual([
    'PKI, service-accounts: tokens are refused',
    'execution heal-run-1 heals',
  ]);
});

test('a failure before anything was stopped ends unharmed, and says what failed where', () => {
  const made = report('unharmed', { failure }, [phase('FindNodes', 0, 1), phase('Stage', 1, 2)]);

  expect(made).toMatchObject({
    outcome: 'UNHARMED',
    failure: { state: 'Stage', error: 'NodesFailed', because: 'restore-data failed on 1 of 3 nodes' },
  });
  expect(made).not.toHaveProperty('downtimeSeconds');
});

test('a cause that is not of a function is told as it is', () => {
  expect(report('unharmed', { failure: { Error: 'Rejected', Cause: 'not at night' } }).failure).toEqual({
    error: 'Rejected',
    because: 'not at night',
  });
});

test('old data on every node and members that serve are a roll-back', () => {
  const phases = [phase('StopControlPlane', 0, 10), phase('RestoreData', 10, 12), phase('Rollback', 12, 30), phase('CheckOldEtcd', 30, 40)];
  const made = report('rolled-back', { failure, after: whole, old: { lineage: 'a1' } }, phases);

  expect(made).toMatchObject({ outcome: 'ROLLED_BACK', failure: { state: 'RestoreData' }, downtimeSeconds: 40 });
  expect(summaryOf(made)).toBe(
    'ROLLED_BACK 20261126T020000Z-0000000a, 40 s without etcd: NodesFailed in RestoreData, restore-data failed on 1 of 3 nodes',
  );
});

test.each<[sentence: string, state: Partial<RunbookState>, phases: readonly Phase[], words: string]>([
  [
    'an API server was started',
    {},
    [phase('StartApiservers', 0, 1), phase('Rollback', 1, 2)],
    'clients have seen the restored data: restart',
  ],
  ['an earlier execution is undone, whatever it did', { mode: 'roll-back' }, [phase('Rollback', 1, 2)], 'clients may have seen'],
])('a roll-back says that caches of clients are ahead when %s', (_sentence, state, phases, words) => {
  const { whatToDo } = report('rolled-back', { after: whole, old: { lineage: 'a1' }, ...state }, phases);

  expect(whatToDo.join('\n')).toContain(words);
  expect(whatToDo.join('\n')).toContain('since their caches are ahead now');
});

test('a roll-back before any API server was started says nothing of clients', () => {
  const phases = [phase('StopControlPlane', 0, 10), phase('CheckEtcd', 10, 12), phase('Rollback', 12, 30)];

  expect(report('rolled-back', { after: whole, old: { lineage: 'a1' } }, phases).whatToDo.join()).not.toContain('caches');
});

test.each<[sentence: string, state: Partial<RunbookState>, words: string]>([
  [
    'a node is silent',
    { after: [told(1), told(2), { instanceId: 'i-00000003', host: 'master-3', outcome: 'undeliverable', because: 'no agent' }] },
    'master-3 i-00000003 does not answer (no agent): start it and its agent, then start an execution with {"rollBack":"run-1","nodes":["i-00000001","i-00000002","i-00000003"]}',
  ],
  [
    'a node still has the restored data',
    { after: [told(1), told(2), told(3, { data: { restoredBy: 'run-1', kept: [old] } })] },
    'data restored: start an execution with {"rollBack":"run-1","nodes":["i-00000001","i-00000002","i-00000003"]}',
  ],
  [
    'a node is stopped',
    { after: [told(1), told(2), told(3, { etcd: { ...away, listening: false }, apiserver: away })] },
    'master-3 i-00000003: etcd does not run',
  ],
  ['a document still runs', { after: [told(1), told(2), told(3, { busyWith: 'roll-back' })] }, 'roll-back runs on master-1'],
  ['another restore holds a node', { after: [told(1), told(2), told(3, { etcd: { keptBy: 'run-0' } })] }, 'restore run-0 stopped parts of'],
])('hands are needed when %s, and the words say where and what for', (_sentence, state, words) => {
  const made = report('rolled-back', { old: { lineage: 'a1' }, ...state });

  expect(made.outcome).toBe('NEEDS_HANDS');
  expect(made.whatToDo.join('\n')).toContain(words);
});

test('hands are needed when the old members do not come to serve', () => {
  const made = report('rolled-back', {
    after: whole,
    oldFailure: { Error: 'EtcdNotReady', Cause: '{"errorMessage":"https://a knows no leader"}' },
    safety: { id: 'safe' },
  });

  expect(made.outcome).toBe('NEEDS_HANDS');
  expect(made.whatToDo).toEqual([
    'etcd is not whole: https://a knows no leader',
    'when the old data is lost: restore the snapshot that was taken before, safe',
  ]);
});

test('nobody who never answered counts as put back', () => {
  expect(report('rolled-back', { after: [], old: { lineage: 'a1' } }).outcome).toBe('NEEDS_HANDS');
});

test('a master without etcd counts by its API server', () => {
  const master = (running: boolean): NodeEnd =>
    told(4, { etcd: { runs: 'absent', definition: 'none', running: false }, apiserver: { running }, data: null });

  expect(report('rolled-back', { after: [...whole, master(true)], old: { lineage: 'a1' } }).outcome).toBe('ROLLED_BACK');
  expect(report('rolled-back', { after: [...whole, master(false)], old: { lineage: 'a1' } }).outcome).toBe('NEEDS_HANDS');
});

test('a drill ends well only when its nodes are what they were', () => {
  expect(report('drilled', { mode: 'drill', after: whole, old: { lineage: 'a1' } }).outcome).toBe('DRILLED');
  expect(report('drilled', { mode: 'drill', after: [], old: { lineage: 'a1' } }).outcome).toBe('NEEDS_HANDS');
});

test('a drill in which nothing was touched says whether the snapshot failed or no drill was held', () => {
  const drill = (Error: string) => report('unharmed', { mode: 'drill', failure: { Error, Cause: 'no' } });

  expect(drill('StoredSnapshotDamaged')).toMatchObject({
    outcome: 'UNHARMED',
    drill: 'failed',
    whatToDo: [expect.stringContaining('the snapshot did not pass, and no machine was touched')],
  });
  expect(drill('ControlPlaneLocked')).toMatchObject({
    drill: 'silent',
    whatToDo: [expect.stringMatching(/^no drill was held, and it says nothing of the snapshot: .* no-recent-drill begins/)],
  });
  expect(report('unharmed', { failure })).not.toHaveProperty('drill');
});

test('a safety snapshot that nobody asked for is told as that, and not as one that was forgotten', () => {
  expect(report('restored', { request: { safetySnapshot: false } }).safetySnapshot).toBe('none: the input asked for none');
  expect(report('unharmed', { request: { safetySnapshot: true } }).safetySnapshot).toBe('none: the execution never came that far');
});

test('a safety snapshot that could not be taken says why', () => {
  expect(report('restored', { safety: { Error: 'NoHealthyMember', Cause: '{"errorMessage":"no member answers"}' } }).safetySnapshot).toBe(
    'none: no member answers',
  );
  expect(report('dry-run', { mode: 'drill' }).safetySnapshot).toBe('none: nothing of the cluster was touched');
});
