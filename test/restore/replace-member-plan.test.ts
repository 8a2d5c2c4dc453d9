import fc from 'fast-check';
import type { ReplaceDecision, ReplaceInput } from '../../lambdas/restore/replace-member-plan';
import { planReplacement } from '../../lambdas/restore/replace-member-plan';
import { clientUrl, instance, listed, nodeFacts, peerUrl, serves, silent } from './replacements';

type Change = Omit<Partial<ReplaceInput>, 'request'> & { readonly request?: Partial<ReplaceInput['request']> };

/** The third of three members is dead, and is replaced on its own node. */
const plan = ({ request, ...change }: Change = {}): ReplaceDecision =>
  planReplacement({
    request: { node: instance(3), force: false, allowEven: false, ...request },
    restoreId: 'run-1',
    facts: [nodeFacts(1), nodeFacts(2), nodeFacts(3)],
    members: [listed(1), listed(2), listed(3)],
    views: [serves(1), serves(2), silent(3)],
    newestVerified: '20261126T020000Z-0000000a',
    ...change,
  });
const two = [serves(1), serves(2)];

test('a dead member is removed, and its node joins as a learner', () => {
  expect(plan()).toEqual({
    decision: 'replace',
    restoreId: 'run-1',
    record: 'run-1',
    node: { instanceId: instance(3), host: 'host-3' },
    from: 'leave',
    remove: 'a3',
    name: 'm3',
    peerUrls: [peerUrl(3)],
    clientUrl: clientUrl(3),
    initialCluster: `m1=${peerUrl(1)},m2=${peerUrl(2)},m3=${peerUrl(3)}`,
    voters: 3,
    message: `m3 (a3, ${peerUrl(3)}), which does not serve, is removed; m3 joins on host-3 as a learner; it gets its vote when it is in sync, and then there are 3`,
  });
});

test('a replacement that stopped etcd and did not end is continued under its own name', () => {
  const begun = nodeFacts(3, {
    etcd: { keptBy: 'run-0', definition: 'kept', running: false },
    restores: [{ restoreId: 'run-0', stagedBytes: null, stagedSha256: null, purpose: 'replace' }],
  });

  expect(plan({ facts: [nodeFacts(1), nodeFacts(2), begun] })).toMatchObject({ decision: 'replace', restoreId: 'run-1', record: 'run-0' });
});

const five = [1, 2, 3, 4, 5].map((number) => listed(number));
const never = { name: '', clientUrls: [] };
test.each<[sentence: string, change: Change, expected: object]>([
  ['the third of five', { members: five, views: [1, 2, 4, 5].map((n) => serves(n)) }, { remove: 'a3', voters: 5 }],
  ['one that is cut off from its leader', { views: [...two, serves(3, { leaderId: '0' })] }, { remove: 'a3' }],
  ['one that serves, when that is wanted', { views: [...two, serves(3)], request: { force: true } }, { remove: 'a3' }],
  ['one that was named differently', { members: [listed(1), listed(2), listed(3, { name: 'old' })] }, { remove: 'a3', name: 'm3' }],
  [
    'one that had another address',
    { members: [listed(1), listed(2), listed(3, { peerUrls: ['https://10.9.9.9:2380'] })] },
    { remove: 'a3', peerUrls: [peerUrl(3)] },
  ],
  ['one that was added with a vote and never started', { members: [listed(1), listed(2), listed(3, never)] }, { remove: 'a3' }],
  [
    'one whose node is gone, on a fresh node',
    { request: { node: instance(9) }, facts: [nodeFacts(1), nodeFacts(2), nodeFacts(9)] },
    { remove: 'a3', name: 'm9' },
  ],
  [
    'a learner that started once and does not answer',
    { members: [listed(1), listed(2), listed(3, { isLearner: true })] },
    { remove: 'a3', voters: 3 },
  ],
  [
    'nobody, when an earlier replacement had removed it already',
    { members: [listed(1), listed(2)] },
    { remove: undefined, learner: undefined, voters: 3 },
  ],
  [
    'nobody, when an earlier replacement had added it already',
    { members: [listed(1), listed(2), listed(3, { ...never, isLearner: true })] },
    { remove: undefined, learner: 'a3', from: 'leave' },
  ],
  [
    'nobody, when the learner of an earlier replacement runs',
    { members: [listed(1), listed(2), listed(3, { isLearner: true })], views: [...two, serves(3)] },
    { remove: undefined, learner: 'a3', from: 'promote' },
  ],
  [
    'nobody on the way from one to three, when that is wanted',
    { members: [listed(1)], views: [serves(1)], request: { allowEven: true } },
    { remove: undefined, voters: 2 },
  ],
  [
    'the one that is named, by its name',
    { members: five, request: { node: instance(9), member: 'm4' }, facts: [nodeFacts(9)], views: [1, 2, 3, 5].map((n) => serves(n)) },
    { remove: 'a4' },
  ],
  [
    'the one that is named, by its id',
    { members: five, request: { node: instance(9), member: 'a4' }, facts: [nodeFacts(9)], views: [1, 2, 3, 5].map((n) => serves(n)) },
    { remove: 'a4' },
  ],
])('what is removed: %s', (_sentence, change, expected) => {
  expect({ remove: undefined, learner: undefined, ...plan(change) }).toMatchObject({ decision: 'replace', ...expected });
});

const end = (change: object) => ({ facts: [nodeFacts(1), nodeFacts(2), { ...nodeFacts(3), ...change }] });
const third = (change: Parameters<typeof nodeFacts>[1]) => ({ facts: [nodeFacts(1), nodeFacts(2), nodeFacts(3, change)] });
test.each<[sentence: string, change: Change, because: string, instead: string]>([
  [
    'no majority lists the members',
    { members: undefined },
    'no majority',
    'run the restore runbook, which brings all members back; the newest verified snapshot is 20261126T020000Z-0000000a',
  ],
  [
    'only one of three serves',
    { views: [serves(1), silent(2)] },
    'without it 1 of 3 voting members serve, and 2 must',
    '20261126T020000Z-0000000a',
  ],
  ['one of two is dead', { members: [listed(1), listed(3)] }, 'without it 1 of 2 voting members serve', 'restore runbook'],
  ['the only member is dead', { members: [listed(3)], views: [] }, 'without it 0 of 1', 'restore runbook'],
  [
    'the only member serves and is to go',
    { members: [listed(3)], views: [serves(3)], request: { force: true } },
    'without it 0 of 1',
    'restore runbook',
  ],
  [
    'it serves, and would take the majority with it',
    { views: [serves(1), silent(2), serves(3)], request: { force: true } },
    'without it 1 of 3',
    'restore runbook',
  ],
  [
    'a learner is counted by somebody',
    { members: [listed(1), listed(2, { isLearner: true }), listed(3)] },
    'without it 1 of 2',
    'restore runbook',
  ],
  ['there is no snapshot either', { members: undefined, newestVerified: undefined }, 'no majority', 'there is no verified snapshot'],
  ['it serves', { views: [...two, serves(3)] }, 'm3 (a3, https://10.0.1.3:2380) serves', 'say force'],
  ['the node is unknown', { request: { node: instance(8) } }, 'i-00000008 is none of the nodes', 'i-00000001, i-00000002, i-00000003'],
  [
    'the node is silent',
    end({ outcome: 'undeliverable', because: 'its agent is away', result: undefined }),
    'host-3 i-00000003 does not answer (its agent is away)',
    'start it',
  ],
  ['a document runs there', third({ busyWith: 'stage' }), 'stage runs on host-3', 'wait'],
  ['a restore left the node stopped', third({ etcd: { keptBy: 'run-0' } }), 'restore run-0 has stopped parts', '{"rollBack":"run-0"}'],
  ['a second manifest is there', third({ strayManifests: ['etcd.bak.yaml'] }), 'etcd.bak.yaml', 'move it out'],
  ['no etcd is set up', third({ etcd: { runs: 'absent' } }), 'no etcd is set up', 'kubeadm join'],
  ['its flags do not tell its name', third({ etcd: { name: null } }), 'do not tell name', 'words of their own'],
  ['its flags do not tell its peer URL', third({ etcd: { peerUrls: null } }), 'do not tell name', 'words of their own'],
  ['its data directory is unknown', third({ data: null }), 'do not tell name', 'words of their own'],
  ['its log is kept apart', third({ etcd: { walDir: '/wal' } }), 'keeps its log apart in /wal', 'by hand'],
  ['systemd runs it', third({ etcd: { runs: 'systemd' } }), 'run by systemd', 'ETCD_INITIAL_CLUSTER_STATE=existing'],
  ['name and peer URL are of two members', third({ etcd: { name: 'm2' } }), 'has the peer URL of m3', 'correct its --name'],
  [
    'the name is of a member that serves',
    third({ etcd: { name: 'm2', peerUrls: peerUrl(7) } }),
    'm2 (a2, https://10.0.1.2:2380) serves',
    'force',
  ],
  [
    'another member has its name',
    { ...third({ etcd: { name: 'm2', peerUrls: peerUrl(7) } }), request: { member: 'm3' } },
    'm2 (a2, https://10.0.1.2:2380) has the name or the peer URL',
    'of its own',
  ],
  [
    'another node claims the same',
    { facts: [nodeFacts(1), nodeFacts(2), nodeFacts(3), nodeFacts(4, { etcd: { name: 'm3' } })] },
    'etcd on host-4 i-00000004 is set up with the same name',
    'correct',
  ],
  [
    'another learner is there',
    { members: [listed(1), listed(2), listed(3), listed(4, { isLearner: true })] },
    'm4 (a4, https://10.0.1.4:2380) is a learner already',
    'etcdctl member remove a4',
  ],
  [
    'another member of five is dead too',
    { members: five, views: [1, 2, 4].map((n) => serves(n)) },
    'm5 (a5, https://10.0.1.5:2380) does not serve either',
    'etcdctl member remove a5',
  ],
  [
    'nobody knows which of two dead ones',
    { members: five, views: [1, 2, 3].map((n) => serves(n)), request: { node: instance(9) }, facts: [nodeFacts(9)] },
    'm4 (a4, https://10.0.1.4:2380) and m5',
    'say with "member"',
  ],
  ['the named member is not there', { request: { member: 'm7' } }, 'there is no member m7', 'm1 (a1'],
  [
    'four would vote',
    { members: [1, 2, 3, 4].map((n) => listed(n)), views: [1, 2, 4].map((n) => serves(n)) },
    'there would be 4 voting members',
    'etcdctl member remove a3 and stay with 3',
  ],
  [
    'a fourth node comes to three',
    { request: { node: instance(4) }, facts: [nodeFacts(4)], views: [...two, serves(3)] },
    'there would be 4 voting members',
    'stay with 3',
  ],
])('it is refused when %s', (_sentence, change, because, instead) => {
  expect(plan(change)).toEqual({
    decision: 'refuse',
    because: expect.stringContaining(because) as string,
    instead: expect.stringContaining(instead) as string,
    ...(/majority|without it/.test(because) && { mayPass: true }),
  });
});

/** A cluster in any state, and a node that is one of its members, was one, or is new. */
const clusters = fc.record({
  members: fc.array(fc.record({ lives: fc.boolean(), isLearner: fc.boolean(), started: fc.boolean() }), { minLength: 1, maxLength: 7 }),
  node: fc.integer({ min: 1, max: 8 }),
  force: fc.boolean(),
  allowEven: fc.boolean(),
});
const majority = (voters: ReadonlySet<string>, serving: ReadonlySet<string>): boolean =>
  [...voters].filter((id) => serving.has(id)).length * 2 > voters.size;

test('an accepted plan leaves a majority serving at each of its steps, and ends with one more that serves', () => {
  let accepted = 0;
  fc.assert(
    fc.property(clusters, ({ members, node, force, allowEven }) => {
      const all = members.map(({ isLearner, started, lives }, at) => listed(at + 1, { isLearner, ...(!started && !lives && never) }));
      const alive = members.flatMap(({ lives }, at) => (lives ? [at + 1] : []));
      const decided = plan({
        request: { node: instance(node), force, allowEven },
        facts: [nodeFacts(node)],
        members: all,
        views: alive.map((number) => serves(number)),
      });
      if (decided.decision === 'refuse') return;
      accepted++;
      const voters = new Set(all.flatMap(({ id, isLearner }) => (isLearner ? [] : [id])));
      const serving = new Set(alive.map((number) => `a${number}`));
      const steps: boolean[] = [majority(voters, serving)];
      const gone = decided.remove ?? '';
      if (decided.from === 'leave') {
        // The node's own etcd stops, whatever member that is.
        serving.delete(gone);
        serving.delete(`a${node}`);
        steps.push(majority(voters, serving));
        voters.delete(gone);
        steps.push(majority(voters, serving));
      }
      const added = decided.learner ?? 'new';
      serving.add(added);
      voters.add(added);
      steps.push(majority(voters, serving));

      expect(steps).toEqual(steps.map(() => true));
      expect(voters.size).toBe(decided.voters);
      expect(decided.voters % 2 === 1 || allowEven).toBe(true);
      const names = decided.initialCluster.split(',').map((each) => each.split('=')[0]);
      expect(names).toHaveLength(decided.voters);
      expect(new Set(names)).toEqual(new Set(names.filter((name) => name !== '')));
    }),
    { numRuns: 3_000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
