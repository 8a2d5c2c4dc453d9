import type { RestorePlan } from '../../lambdas/contract/restore';
import { approvalMessage, askApproval } from '../../lambdas/restore/ask-approval';
import { plan, storedPlan } from './plans';

describe('the question for approval', () => {
  const EXECUTION = 'arn:aws:states:eu-central-1:111122223333:execution:lifeboat-prod-restore:run-1';

  test('says what happens, what is lost and the two commands', () => {
    const message = approvalMessage(
      plan({ loss: { revisions: 100, seconds: 7_200, objects: { pods: 2, nodes: -1 } }, warnings: ['one thing'] }),
      'TOKEN==',
      EXECUTION,
    );

    expect(message).toMatch(/^Restore of the control plane of prod, execution run-1/);
    for (const words of [
      'taken 2 hours ago',
      '100 revisions',
      '  2 pods are gone',
      '  1 nodes come back',
      '- one thing',
      'm1 on master-1 (i-00000001)',
      `Watch it: aws stepfunctions describe-execution --region eu-central-1 --execution-arn ${EXECUTION}`,
    ])
      expect(message).toContain(words);
    expect(message).toContain(
      'aws stepfunctions send-task-success --region eu-central-1 --task-output \'{"approvedBy":"your name"}\' --task-token \'TOKEN==\'',
    );
    expect(message).toContain(
      "aws stepfunctions send-task-failure --region eu-central-1 --error Rejected --cause 'your reason' --task-token 'TOKEN=='",
    );
  });

  test('does not claim to know what is lost when nobody answers', () => {
    expect(approvalMessage(plan(), 't', EXECUTION)).toContain('nobody knows, since no member answers');
    expect(approvalMessage(plan({ bump: { ...plan().bump, needed: false } }), 't', EXECUTION)).toContain('BACKWARDS');
  });

  test.each<[mode: RestorePlan['mode'], heading: string, words: readonly string[]]>([
    [
      'elsewhere',
      'Restore elsewhere of the control plane of prod, execution run-1',
      ['What is lost: nothing of prod itself, whose members were not asked and are not touched', 'the old data stays beside it'],
    ],
    [
      'drill',
      'Drill of a restore of the control plane of prod, execution run-1',
      ['What is lost: nothing; the members of prod were not asked and are not touched', 'the old data is put back afterwards'],
    ],
  ])('does not say that nobody answers where nobody was asked: %s', (mode, heading, words) => {
    const message = approvalMessage(plan({ mode }), 't', EXECUTION);

    expect(message.split('\n')[0]).toBe(heading);
    for (const each of words) expect(message).toContain(each);
    expect(message).not.toContain('no member answers');
  });

  const same = 'The snapshot holds as many objects of each kind as the live cluster: if something was deleted, name an earlier snapshot.';
  const none = 'No object comes back: if something was deleted, name an earlier snapshot.';
  test.each<[sentence: string, loss: Omit<RestorePlan['loss'], 'seconds'>, advice: string | undefined]>([
    ['the live cluster holds the same', { revisions: 20, objects: {} }, same],
    ['it differs in events alone, which pass by themselves', { revisions: 9_000, objects: { events: -12 } }, same],
    ['it only has more', { revisions: 20, objects: { pods: 2, events: -12 } }, none],
    ['something comes back', { revisions: 20, objects: { pods: 2, secrets: -1 } }, undefined],
    ['nobody answers', { objects: {} }, undefined],
  ])('says whether an earlier snapshot is wanted, when %s', (_sentence, loss, advice) => {
    const message = approvalMessage(plan({ loss: { seconds: 60, ...loss } }), 't', EXECUTION);

    expect(message.split('\n').filter((line) => line.includes('earlier snapshot'))).toEqual(advice === undefined ? [] : [advice]);
  });

  test('is in S3 whether or not a message comes through, and why none came is told', async () => {
    const written: string[] = [];
    const warned: unknown[] = [];
    const ask = (tell?: () => Promise<void>) =>
      askApproval(
        {
          readPlan: async () => storedPlan(),
          write: async (text) => void written.push(text),
          tell,
          telemetry: { warn: (event, fields) => void warned.push([event, fields]) },
        },
        { restoreId: 'run-1', token: 't', execution: EXECUTION },
      );

    expect(await ask(async () => undefined)).toEqual({ told: true });
    expect(await ask(async () => Promise.reject(new Error('no such topic')))).toEqual({ told: false });
    expect(await ask()).toEqual({ told: false });
    expect(written).toHaveLength(3);
    expect(warned).toEqual([['nobody-told', { because: 'no such topic' }]]);
  });
});
