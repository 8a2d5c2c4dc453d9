import { inVpc, only, templateOf } from '../synth';
import { alarmsOf, ruleOf } from './alarms';

const MEMBERS = ['https://10.0.1.10:2379', 'https://etcd-2.example.com:2379'];
const template = templateOf(inVpc({ etcd: { endpoints: MEMBERS }, alarms: { topicArn: 'arn:aws:sns:eu-central-1:111122223333:ops' } }));
const alarms = alarmsOf(template);

test('the alarms of a cluster, and when each is on', () => {
  expect(Object.fromEntries(Object.entries(alarms).map(([name, alarm]) => [name, ruleOf(alarm)]))).toEqual({
    'no-verified-snapshot': 'Maximum of VerifiedSnapshotAge > 10800 in 2 of 2 x 300 s, missing breaching',
    'backup-failed': 'Sum of Errors >= 2 in 1 of 1 x 3600 s, missing ignore',
    'unverified-snapshot': 'Minimum of SnapshotUnverified >= 1 in 1 of 1 x 300 s, missing ignore',
    'member-diverged/10.0.1.10-2379': 'Maximum of MemberDiverged >= 1 in 1 of 1 x 300 s, missing ignore',
    'member-diverged/etcd-2.example.com-2379': 'Maximum of MemberDiverged >= 1 in 1 of 1 x 300 s, missing ignore',
    'etcd-without-quorum': 'Maximum of EtcdQuorum < 1 in 3 of 3 x 60 s, missing breaching',
    'member-unreachable': 'Minimum of MemberUnreachable >= 1 in 3 of 3 x 300 s, missing ignore',
    'database-near-quota': 'Maximum of DbQuotaUsed > 80 in 3 of 3 x 300 s, missing ignore',
    'ledger-not-advancing': 'Maximum of LedgerCurrent < 1 in 5 of 5 x 60 s, missing breaching',
    'prune-failing': 'Minimum of Errors >= 1 in 3 of 3 x 3600 s, missing ignore',
    'removals-denied': 'Maximum of SnapshotRemovalsDenied >= 1 in 1 of 1 x 300 s, missing ignore',
    'manifests-damaged': 'Maximum of ManifestsDamaged >= 1 in 1 of 1 x 300 s, missing ignore',
    'drill-failed': 'Minimum of DrillPassed < 1 in 1 of 1 x 300 s, missing ignore',
    'no-recent-drill': 'Minimum of DrillAge > 1296000 in 1 of 1 x 21600 s, missing breaching',
    'dead-letters': 'Maximum of ApproximateNumberOfMessagesVisible >= 1 in 1 of 1 x 300 s, missing notBreaching',
  });
});

test('are named after the cluster, with a slash that no other cluster’s name can have', () => {
  const names = Object.values(alarms).map(({ AlarmName }) => AlarmName);

  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(name).toMatch(/^Lifeboat-prod\/[a-z0-9.\-/]+$/);
});

test('are about this cluster, its own functions and its own queue', () => {
  const [takeSnapshot] = only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot');
  const [pruneSnapshots] = only(template, 'AWS::Lambda::Function', 'RetentionPruneSnapshots');
  const [queue] = only(template, 'AWS::SQS::Queue');
  const cluster = { Name: 'Cluster', Value: 'prod' };
  const others = Object.entries(alarms).filter(([, { Namespace }]) => Namespace !== 'KubeLifeboat');

  expect(Object.fromEntries(others.map(([name, { Dimensions }]) => [name, Dimensions]))).toEqual({
    'backup-failed': [{ Name: 'FunctionName', Value: { Ref: takeSnapshot } }],
    'prune-failing': [{ Name: 'FunctionName', Value: { Ref: pruneSnapshots } }],
    'dead-letters': [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }],
  });
  expect(alarms['no-verified-snapshot']?.Dimensions).toEqual([cluster]);
  expect(alarms['member-diverged/10.0.1.10-2379']?.Dimensions).toEqual([cluster, { Name: 'Endpoint', Value: MEMBERS[0] }]);
});

test('one that is about a member says which in its text', () => {
  expect(alarms['member-diverged/10.0.1.10-2379']?.AlarmDescription).toBe(
    'act now: The etcd member https://10.0.1.10:2379 of prod holds other data than the majority. docs/operator-runbook.md#member-diverged',
  );
});

test('tell when they begin and when they are over, and nothing else', () => {
  for (const { AlarmActions, OKActions, InsufficientDataActions } of Object.values(alarms)) {
    expect([AlarmActions, OKActions]).toEqual([
      ['arn:aws:sns:eu-central-1:111122223333:ops'],
      ['arn:aws:sns:eu-central-1:111122223333:ops'],
    ]);
    expect(InsufficientDataActions).toBeUndefined();
  }
});

test('exist without a receiver too, and tell nobody', () => {
  const unheard = templateOf(inVpc());

  expect(Object.keys(alarmsOf(unheard))).toHaveLength(Object.keys(alarms).length - 1);
  for (const { AlarmActions, OKActions } of Object.values(alarmsOf(unheard)))
    expect([AlarmActions, OKActions]).toEqual([undefined, undefined]);
  unheard.resourceCountIs('AWS::SNS::Topic', 0);
});

test.each([
  [{ schedule: 'rate(6 hours)' }, 13 * 3600, '13 hours'],
  [{ schedule: 'cron(0 3 * * ? *)' }, 49 * 3600, '2 days 1 hour'],
  [{ schedule: 'cron(0 3 * * ? *)', alarmAfterHours: 30 }, 30 * 3600, '1 day 6 hours'],
])('with %j a verified snapshot may be %i s old', (backup, seconds, words) => {
  const alarm = alarmsOf(templateOf(inVpc({ backup })))['no-verified-snapshot'];

  expect(alarm?.Threshold).toBe(seconds);
  expect(alarm?.AlarmDescription).toContain(`no verified snapshot for ${words},`);
});
