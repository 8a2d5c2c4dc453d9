import type { RestorePlan } from '../../lambdas/contract/restore';
import { brokenPromises, sinceApproval } from '../../lambdas/restore/still-approved';
import { handedPlan, plan } from './plans';

const [first, second, third] = plan().members as [Member, Member, Member];
type Member = RestorePlan['members'][number];

test('a plan that is the same but for its figures is still what was approved', () => {
  const later = plan({
    madeAt: '2026-11-26T07:00:00.000Z',
    loss: { revisions: 900, seconds: 18_000, objects: { pods: 3 } },
    bump: { needed: true, estimate: 9_000, servedUpTo: 5_000, because: 'the ledger' },
    warnings: ['something new'],
    members: [third, first, second],
  });

  expect(brokenPromises(handedPlan(), later)).toEqual([]);
});

test.each<[sentence: string, fresh: Partial<RestorePlan>, words: string]>([
  ['it would be another kind of restore', { mode: 'elsewhere' }, 'it was approved as in-place and would be elsewhere now'],
  [
    'it would be another snapshot',
    { snapshot: { ...plan().snapshot, id: '20261126T030000Z-0000000b' } },
    'snapshot 20261126T020000Z-0000000a was approved, not 20261126T030000Z-0000000b',
  ],
  [
    'its manifest names another file',
    { parameters: { ...plan().parameters, stage: { snapshotSha256: 'f'.repeat(64) } } },
    'the manifest of 20261126T020000Z-0000000a tells of another file now',
  ],
  [
    'a member is gone',
    { members: [first, second] },
    'm3 on master-3 i-00000003 (peer https://10.0.1.3:2380, client https://10.0.1.3:2379) is gone',
  ],
  [
    'a member has moved',
    { members: [first, second, { ...third, peerUrls: 'https://10.0.9.9:2380' }] },
    'm3 on master-3 i-00000003 (peer https://10.0.9.9:2380, client https://10.0.1.3:2379) has come',
  ],
  [
    'an API server is not run by a manifest any more',
    { apiNodes: plan().apiNodes.slice(1) },
    'the nodes with an API server to stop are others: master-1 i-00000001 is gone',
  ],
  [
    'one more would be stopped',
    { apiNodes: [...plan().apiNodes, { instanceId: 'i-00000004', host: 'master-4' }] },
    'master-4 i-00000004 has come',
  ],
  ['clients would see time run backwards', { bump: { ...plan().bump, needed: false } }, 'cannot raise the revision any more'],
])('what was approved does not hold when %s', (_sentence, fresh, words) => {
  const broken = brokenPromises(handedPlan(), plan(fresh));

  expect(broken).toHaveLength(1);
  expect(broken[0]).toContain(words);
});

test('a bump that was given up and can be made now keeps nobody', () => {
  const without = { ...plan().bump, needed: false };

  expect(brokenPromises(handedPlan({ bump: without }), plan())).toEqual([]);
  expect(brokenPromises(handedPlan({ bump: without }), plan({ bump: without }))).toEqual([]);
});

test('what people could not see when they approved is told: how much is lost by now, and what is doubted since', () => {
  const approved = handedPlan({ warnings: ['known'] });

  expect(sinceApproval(approved, plan({ warnings: ['known', 'new'], loss: { revisions: 120, seconds: 1, objects: {} } }))).toEqual([
    '120 revisions are lost by now',
    'new',
  ]);
  expect(sinceApproval(approved, plan({ warnings: [] }))).toEqual([]);
});
