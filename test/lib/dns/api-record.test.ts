import type { Template } from 'aws-cdk-lib/assertions';
import { api } from '../config/configs';
import { inVpc, only, statementsOf, templateOf } from '../synth';

const BALANCER = 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/api/0123456789abcdef';
const withTarget = (target: object): Template => templateOf(inVpc({ api: api({ target }) }));
const template = withTarget({ healthyNodes: true });
const rules = (of: Template): string => JSON.stringify(Object.values(of.findResources('AWS::Events::Rule')));
/** The states of a runbook, and what each leads to. */
function statesOf(
  of: Template,
  machine: string,
): Readonly<Record<string, { Next?: string; Parameters?: object; Catch?: { Next: string }[] }>> {
  const { DefinitionString } = only(of, 'AWS::StepFunctions::StateMachine', machine)[1].Properties;
  const [, parts] = (DefinitionString as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
  return (JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'token')).join('')) as { States: never }).States;
}

test('whoever writes the record stands outside the network, and whoever looks at the API inside', () => {
  const inside = (prefix: string) => 'VpcConfig' in only(template, 'AWS::Lambda::Function', prefix)[1].Properties;

  expect([inside('ApiRecordSyncApiRecord'), inside('ApiRecordProbeApi')]).toEqual([false, true]);
});

test('whoever looks may do nothing else', () => {
  const actions = statementsOf(template, 'ApiRecordProbeApiRole').flatMap(({ Action }) => Action);

  expect(actions.filter((action) => !/^(logs|ec2|sqs):/.test(action))).toEqual([]);
});

test('records are changed in one zone, of one name and its notes', () => {
  const changing = statementsOf(template, 'ApiRecordSyncApiRecordRole').filter(
    ({ Action }) => Action === 'route53:ChangeResourceRecordSets',
  );
  const name = 'api.k8s.example.com';

  expect(changing).toHaveLength(1);
  expect(JSON.stringify(changing[0]?.Resource)).toContain(':route53:::hostedzone/Z0123456789ABCDEFGHIJ');
  expect(changing[0]?.Condition).toEqual({
    'ForAllValues:StringEquals': {
      'route53:ChangeResourceRecordSetsNormalizedRecordNames': [name, `a-${name}`, `aaaa-${name}`, `cname-${name}`],
      'route53:ChangeResourceRecordSetsRecordTypes': ['A', 'AAAA', 'TXT'],
      'route53:ChangeResourceRecordSetsActions': ['UPSERT', 'DELETE'],
    },
    Null: {
      'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
      'route53:ChangeResourceRecordSetsRecordTypes': 'false',
      'route53:ChangeResourceRecordSetsActions': 'false',
    },
  });
});

test('who changed the record is looked up by a role that leaves itself out', () => {
  const [, { Properties }] = only(template, 'AWS::Lambda::Function', 'ApiRecordSyncApiRecord');
  const actions = statementsOf(template, 'ApiRecordSyncApiRecordRole').flatMap(({ Action }) => Action);

  expect(actions).toContain('cloudtrail:LookupEvents');
  expect((Properties as { Environment: { Variables: Record<string, unknown> } }).Environment.Variables['LIFEBOAT_OWN_ROLE']).toEqual({
    Ref: expect.stringMatching(/^ApiRecordSyncApiRecordRole/) as unknown,
  });
});

test.each<[string, object, RegExp, boolean]>([
  ['nodes that come and go', { healthyNodes: true }, /EC2 Instance State-change Notification/, false],
  ['changes of the balancer', { loadBalancerArn: BALANCER }, /RegisterTargets/, true],
  ['nothing but the clock, where addresses are given', { addresses: ['203.0.113.10'] }, /^\[\]$/, false],
])('is started by %s', (_sentence, target, events, looksAtBalancers) => {
  const of = withTarget(target);
  const actions = JSON.stringify(statementsOf(of, 'ApiRecordSyncApiRecordRole'));

  expect(rules(of)).toMatch(events);
  expect(actions.includes('elasticloadbalancing:')).toBe(looksAtBalancers);
});

test('there is none without a name', () => {
  expect(JSON.stringify(templateOf(inVpc()).toJSON())).not.toContain('ApiRecordSyncApiRecord');
});

describe('runbooks', () => {
  test.each([
    ['a restore', 'RestoreStateMachine', 'ReportRestored'],
    ['a replacement', 'ReplaceMemberStateMachine', 'ReportReplaced'],
  ])(
    '%s asks for the record to follow when all else is done, under its own lock, and goes on whatever comes of it',
    (_what, machine, report) => {
      const states = statesOf(template, machine);

      expect(states['FollowName']).toMatchObject({
        Parameters: { 'onBehalfOf.$': '$.restoreId' },
        Next: report,
        Catch: [{ Next: report }],
      });
      expect(Object.values(states).filter(({ Next }) => Next === 'FollowName').length).toBeGreaterThan(0);
      expect(statesOf(templateOf(inVpc()), machine)).not.toHaveProperty('FollowName');
    },
  );
});
