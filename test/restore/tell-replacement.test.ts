import type { ReplacementPlan } from '../../lambdas/contract/replace-member';
import type { ReplacementState, TellEdges } from '../../lambdas/restore/tell-replacement';
import { askReplacement, reportReplacement } from '../../lambdas/restore/tell-replacement';
import { clientUrl, instance, peerUrl } from './replacements';

const plan: ReplacementPlan = {
  ...{ restoreId: 'run-1', record: 'run-1', node: { instanceId: instance(3), host: 'host-3' }, from: 'leave', remove: 'a3', name: 'm3' },
  ...{ peerUrls: [peerUrl(3)], clientUrl: clientUrl(3), initialCluster: `m3=${peerUrl(3)}`, voters: 3, message: 'm3 is removed' },
};

function edges(tell: TellEdges['tell'] | 'nobody' = async () => undefined) {
  const files: Record<string, string> = {};
  const told: string[] = [];
  const warned: string[] = [];
  const all: TellEdges = {
    cluster: 'prod',
    write: async (restoreId, file, text) => {
      files[`${restoreId}/${file}`] = text;
    },
    tell:
      tell === 'nobody'
        ? undefined
        : async (subject, message) => {
            told.push(`${subject}\n${message}`);
            await tell(subject, message);
          },
    telemetry: { log: () => undefined, warn: (event) => void warned.push(event) },
    now: () => new Date('2026-11-26T03:00:00Z'),
  };
  return { all, files, told, warned };
}

const EXECUTION = 'arn:aws:states:eu-central-1:111122223333:execution:lifeboat-prod-replace-member:run-1';
test.each<[who: string, tell: TellEdges['tell'] | 'nobody', told: boolean, warnings: readonly string[]]>([
  ['somebody', async () => undefined, true, []],
  ['nobody', 'nobody', false, []],
  ['a topic that refuses', () => Promise.reject(new Error('denied')), false, ['nobody-told']],
])('the question is in the bucket, and %s is told', async (_who, tell, told, warnings) => {
  const { all, files, warned } = edges(tell);

  expect(await askReplacement(all, { do: 'ask', plan, token: 'T0', execution: EXECUTION })).toEqual({ told });
  expect(files['run-1/approval.txt']).toMatch(
    /m3 is removed[^]*send-task-success --region eu-central-1 [^]*'T0'[^]*send-task-failure --region eu-central-1 [^]*'T0'/,
  );
  expect(warned).toEqual(warnings);
});

const failure = { Error: 'NodesFailed', Cause: '{"errorMessage":"join-member failed"}' };
const base: ReplacementState = { restoreId: 'run-1', planned: { plan } };
const left = { removed: true, voters: ['m1', 'm2'] };
test.each<[sentence: string, ending: 'replaced' | 'refused' | 'failed', state: ReplacementState, outcome: string, words: string]>([
  ['replaced', 'replaced', { ...base, checked: { members: ['m1', 'm2', 'm3'] } }, 'REPLACED', 'named after run-1'],
  ['refused', 'refused', { restoreId: 'run-1', failure }, 'REFUSED', 'nothing was changed'],
  ['left out', 'failed', { ...base, failure, left }, 'LEFT_OUT', 'm1, m2'],
  ['left out with a learner', 'failed', { ...base, failure, left: { ...left, learner: 'a9' } }, 'LEFT_OUT', 'learner a9 waits'],
  ['still a member', 'failed', { ...base, failure, left: { ...left, removed: false } }, 'NEEDS_HANDS', 'm3 is still a member'],
  ['in a cluster without a majority', 'failed', { ...base, failure }, 'NEEDS_HANDS', 'run the restore runbook'],
])('a member that is %s is told so', async (_sentence, ending, state, outcome, words) => {
  const { all, files, told } = edges();

  const reported = await reportReplacement(all, { do: 'report', ending, state });

  const report = JSON.parse(files['run-1/report.json']!) as { outcome: string; whatToDo: string[] };
  expect([reported.outcome, report.outcome]).toEqual([outcome, outcome]);
  expect(report.whatToDo.join('\n')).toContain(words);
  expect(told[0]).toContain(words);
  if (state.failure) expect(reported.summary).toBe(`${outcome}: NodesFailed, join-member failed`);
});

test('who approved is in the report and in the message', async () => {
  const { all, files, told } = edges();

  await reportReplacement(all, { do: 'report', ending: 'refused', state: { ...base, approval: { approvedBy: 'Ada' }, failure } });

  expect(JSON.parse(files['run-1/report.json']!)).toMatchObject({ approvedBy: 'Ada' });
  expect(told[0]).toContain('\nApproved by: Ada\n');
});

test('a topic that refuses keeps no report from being written', async () => {
  const { all, files } = edges(() => Promise.reject(new Error('denied')));

  await expect(reportReplacement(all, { do: 'report', ending: 'refused', state: { restoreId: 'run-1' } })).resolves.toMatchObject({
    outcome: 'REFUSED',
  });
  expect(Object.keys(files)).toEqual(['run-1/report.json']);
});
