import { PHASES } from '../../../lambdas/restore/phases';
import { arnOf, inVpc, only, reachesObjects, readsSecret, statementsOf, templateOf, within } from '../synth';
import type { Statement } from '../synth';

const template = templateOf(inVpc({ alarms: { email: 'night@example.com' } }));
const [bucketId] = only(template, 'AWS::S3::Bucket', 'StateBucket');
const [secretId] = only(template, 'AWS::SecretsManager::Secret');
const [keyId] = only(template, 'AWS::KMS::Key', 'Key');
const [topicId] = only(template, 'AWS::SNS::Topic');
const [machineId, machine] = only(template, 'AWS::StepFunctions::StateMachine', 'RestoreStateMachine');

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly Choices?: readonly { readonly Next: string; readonly And?: readonly object[] }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[] }[];
  readonly ItemsPath?: string;
  readonly ItemSelector?: Readonly<Record<string, unknown>>;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly ResultPath?: string;
  readonly MaxConcurrency?: number;
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
}
const parts = (machine.Properties['DefinitionString'] as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1];
const definition = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'token')).join('')) as {
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly States: Readonly<Record<string, State>>;
};
const { States } = definition;
const nextOf = ({ Next, Default, Choices = [] }: State): string[] =>
  [Next ?? [], Default ?? [], Choices.map((choice) => choice.Next)].flat(2);
const catchOf = (name: string): string | undefined =>
  States[name]?.Catch?.find(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'))?.Next;

/** Every state that can come after this one, without what its failures lead to. */
function after(name: string, seen = new Set<string>()): Set<string> {
  for (const next of nextOf(States[name]!)) {
    if (seen.has(next)) continue;
    seen.add(next);
    after(next, seen);
  }
  return seen;
}

describe('the order of the runbook', () => {
  test('has every state that people know', () => {
    // Without an API in the config there is no name that could follow.
    expect(Object.keys(States)).toEqual(expect.arrayContaining(PHASES.filter((phase) => phase !== 'FollowName')));
    expect(States).not.toHaveProperty('FollowName');
    expect(definition.StartAt).toBe('FindNodes');
  });

  test.each([
    ['nothing is stopped before everything was staged and proven', 'Stage', 'StopControlPlane'],
    ['the data is made before anything is stopped', 'PrepareData', 'StopControlPlane'],
    ['revisions are promised before anything is stopped', 'PromiseRevisions', 'StopControlPlane'],
    ['people approve before the lock is taken', 'Approve', 'Lock'],
    ['no other runbook changes what is looked at after the approval', 'Lock', 'FactsAgain'],
    ['it is planned again by new facts', 'FactsAgain', 'PlanAgain'],
    ['what was approved holds before anything is brought onto a node', 'PlanAgain', 'SafetySnapshot'],
    ['a snapshot is taken before anything is changed', 'SafetySnapshot', 'Materialize'],
    ['API servers are gone before their etcd', 'StopControlPlane', 'StopEtcd'],
    ['the members are compared before anybody can write to them', 'CheckEtcd', 'StartApiservers'],
  ])('%s', (_sentence, first, second) => {
    expect(after(first)).toContain(second);
    expect(after(second)).not.toContain(first);
  });

  test('who was asked for approval is not held to facts of hours ago; who was not goes straight on', () => {
    expect(nextOf(States['Lock']!)).toEqual(['Approved']);
    const required = [
      { Variable: '$.request.approval', StringEquals: 'required' },
      { Variable: '$.request.dryRun', BooleanEquals: false },
    ];
    expect(States['Approved']).toMatchObject({ Choices: [{ And: required, Next: 'FindNodesAgain' }], Default: 'Elsewhere' });
    expect(States['Approval']).toMatchObject({ Choices: [{ And: required, Next: 'Approve' }], Default: 'Lock' });
    expect(nextOf(States['PlanAgain']!)).toEqual(['Elsewhere']);
  });

  test('the second plan is of the nodes and facts of now, and knows the one that was approved', () => {
    expect(States['FindNodesAgain']).toMatchObject({ ResultPath: '$.again', Parameters: States['FindNodes']!.Parameters });
    expect(States['FactsAgain']).toMatchObject({ ItemsPath: '$.again.asked', ResultPath: '$.facts' });
    expect(States['PlanAgain']).toMatchObject({ ResultPath: '$.plan' });
    expect(States['PlanAgain']!.Parameters).toEqual({
      ...States['Plan']!.Parameters,
      'mode.$': '$.again.mode',
      'nodes.$': '$.again.nodes',
      'approved.$': '$.plan',
    });
  });

  test('a safety snapshot is taken of the cluster itself, unless the input wants none', () => {
    expect(States['Elsewhere']).toMatchObject({
      Choices: [
        {
          And: [
            { Variable: '$.mode', StringEquals: 'in-place' },
            { Variable: '$.request.safetySnapshot', BooleanEquals: true },
          ],
          Next: 'SafetySnapshot',
        },
      ],
      Default: 'Materialize',
    });
  });

  test.each([
    ['Stage', '$.plan.parameters.stage'],
    ['PrepareData', '$.promised.parameters'],
    ['StopControlPlane', '$.plan.parameters.stopApiserver'],
    ['StopEtcd', '$.plan.parameters.stopEtcd'],
    ['RestoreData', '$.promised.parameters'],
    ['StartEtcd', '$.plan.parameters.startEtcd'],
    ['StartApiservers', '$.plan.parameters.startApiserver'],
    ['Rollback', '$.rollBack'],
  ])('%s sends its document with %s', (name, parameters) => {
    expect(States[name]!.ItemSelector).toMatchObject({ 'parameters.$': parameters });
  });

  test('members are stopped and started one after the other, and API servers started so', () => {
    expect(States['StopEtcd']).toMatchObject({ Type: 'Map', MaxConcurrency: 1 });
    expect(States['StartEtcd']).toMatchObject({ Type: 'Map', MaxConcurrency: 1 });
    expect(States['StartApiservers']).toMatchObject({ Type: 'Map', MaxConcurrency: 1 });
    expect(States['Stage']?.MaxConcurrency).toBeUndefined();
  });
});

describe('a failure', () => {
  const [stop] = ['StopControlPlane'];
  const later = ['StopEtcd', 'RestoreData', 'StartEtcd', 'CheckEtcd', 'StartApiservers', 'Verify'];
  const ended = ['Rollback', 'FactsAfter'];

  test.each([stop, ...later].flatMap((name) => [name, `${name}: verdict`]).filter((name) => name in States))(
    'in %s puts the nodes back',
    (name) => {
      expect(catchOf(name)).toBe('RollBack');
    },
  );

  test('in Repair puts nothing back: the leases run out by themselves', () => {
    expect(catchOf('Repair')).toBe('StartApiservers');
  });

  test.each(['Facts', 'Plan', 'Approve', 'Lock', 'FindNodesAgain', 'FactsAgain', 'PlanAgain'])('in %s ends unharmed', (name) => {
    expect(catchOf(name)).toBe('ReportUnharmed');
  });

  test.each(['Materialize', 'Stage', 'Stage: verdict', 'PromiseRevisions', 'PrepareData', 'PrepareData: verdict'])(
    'in %s removes what was brought onto the nodes, and ends unharmed',
    (name) => {
      expect(catchOf(name)).toBe('CleanUpUnharmed');
      expect([...after('CleanUpUnharmed')]).toContain('ReportUnharmed');
    },
  );

  test('in the very first state ends with its own words, told or not', () => {
    expect(catchOf('FindNodes')).toBe('TellRefused');
    expect(States['TellRefused']).toMatchObject({ ResultPath: '$.told', Next: 'Refused' });
    expect(States['TellRefused']!.Parameters).toMatchObject({ ending: 'refused', 'input.$': '$$.Execution.Input', 'failure.$': '$' });
    expect(catchOf('TellRefused')).toBe('Refused');
    expect(States['Refused']).toMatchObject({ Type: 'Fail', ErrorPath: '$.Error', CausePath: '$.Cause' });
  });

  test('of the safety snapshot stops nobody: on that day etcd is mostly dead', () => {
    expect(catchOf('SafetySnapshot')).toBe('Materialize');
  });

  test('of a document on one node never takes the others with it', () => {
    for (const [name, state] of Object.entries(States).filter(([, { Type }]) => Type === 'Map')) {
      const inner = Object.entries(state.ItemProcessor?.States ?? {});
      const tasks = inner.filter(([, { Type }]) => Type === 'Task');
      expect(tasks.map(([task]) => task)).toEqual([`${name}: send`, `${name}: read`]);
      for (const [, { Catch }] of tasks) expect(Catch).toMatchObject([{ ErrorEquals: ['States.ALL'], Next: `${name}: lost` }]);
      expect(inner.map(([, { Type }]) => Type)).not.toContain('Fail');
    }
  });

  test('on the way back leads nowhere but on', () => {
    expect([...after('RollBack')]).toEqual(expect.arrayContaining([...ended, 'CheckOldEtcd', 'ReportPutBack']));
    expect(catchOf('CheckOldEtcd')).toBe('ReportPutBack');
  });

  test('never leaves the lock behind: every report is followed by its release', () => {
    const reports = Object.keys(States).filter((name) => name.startsWith('Report'));
    expect(reports).toHaveLength(4);
    for (const name of reports) expect(States[States[name]!.Next!]).toMatchObject({ Type: 'Task' });
    for (const name of reports) expect(States[name]!.Next).toMatch(/: unlock$/);
  });
});

test('no time limit of the whole can stop it in its middle, where nothing would serve', () => {
  expect(definition).not.toHaveProperty('TimeoutSeconds');
});

test('every call of a function is repeated when Lambda itself failed', () => {
  const all = Object.values(States).flatMap((state) => [state, ...Object.values(state.ItemProcessor?.States ?? {})]);
  const tasks = all.filter(({ Type }) => Type === 'Task');
  for (const { Retry } of tasks)
    expect(Retry?.flatMap(({ ErrorEquals }) => ErrorEquals)).toEqual(
      expect.arrayContaining(['Lambda.TooManyRequestsException', 'Lambda.ServiceException']),
    );
});

test('its name is short enough and its log holds no data', () => {
  expect(machine.Properties).toMatchObject({
    StateMachineName: 'lifeboat-prod-restore',
    LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
  });
});

describe('rights', () => {
  const of = (role: string): Statement[] =>
    statementsOf(template, role).filter(({ Action }) => !/^(logs:|sqs:SendMessage|ec2:)/.test([Action].flat()[0] ?? ''));
  const functionOf = (prefix: string) => arnOf(only(template, 'AWS::Lambda::Function', prefix)[0]);
  const small = (action: string, file: string) => ({
    Effect: 'Allow',
    Action: action,
    Resource: within(bucketId, `clusters/prod/restores/*/${file}`),
  });
  const reaches = reachesObjects(bucketId, keyId);
  /** Where nothing is written nothing is encrypted. */
  const reads = reachesObjects(bucketId, keyId, 'kms:Decrypt');
  const ledger = (...actions: string[]) => ({
    Effect: 'Allow',
    Action: actions.length === 1 ? actions[0] : actions,
    Resource: within(bucketId, 'clusters/prod/ledger.json'),
  });
  const manifests = { Effect: 'Allow', Action: 's3:GetObject', Resource: within(bucketId, 'clusters/prod/snapshots/*/manifest.json') };
  const publishes = expect.arrayContaining([{ Effect: 'Allow', Action: 'sns:Publish', Resource: { Ref: topicId } }]) as Statement[];

  test('the state machine calls its ten functions, none of their versions, and nothing else', () => {
    const [invoke, ...others] = of('RestoreStateMachineRole');
    const names = ['FindNodes', 'PlanRestore', 'AskApproval', 'ControlPlaneLock', 'PromiseRevisions', 'CheckEtcd', 'ReportRestore'];
    const called = [
      ...names.map((name) => functionOf(`Restore${name}`)),
      functionOf('NodesNodeCommand'),
      functionOf('BackupTakeSnapshot'),
      functionOf('MaterializeMaterializeSnapshot'),
    ];

    expect(others).toEqual([]);
    expect(invoke).toMatchObject({ Effect: 'Allow', Action: 'lambda:InvokeFunction' });
    const sorted = (list: unknown[]) => list.map((each) => JSON.stringify(each)).sort();
    expect(sorted(invoke!.Resource as unknown[])).toEqual(sorted(called));
  });

  test('node-command sends the documents of this cluster to nodes with its tags, and nothing to anybody else', () => {
    const [documents, controlPlane, drill, reading] = of('NodesNodeCommandRole');

    const names = JSON.stringify(documents!.Resource).match(/document\/[a-z-]+/g);
    expect(documents!.Action).toBe('ssm:SendCommand');
    expect(names).toContain('document/lifeboat-prod-roll-back');
    expect(names!.every((name) => name.startsWith('document/lifeboat-prod-'))).toBe(true);
    expect(controlPlane).toMatchObject({
      Action: 'ssm:SendCommand',
      Condition: { StringEquals: { 'ssm:resourceTag/lifeboat/control-plane': 'prod' } },
    });
    expect(drill).toMatchObject({ Action: 'ssm:SendCommand', Condition: { StringEquals: { 'ssm:resourceTag/lifeboat/drill': 'prod' } } });
    expect(reading).toEqual({
      Effect: 'Allow',
      Action: ['ssm:CancelCommand', 'ssm:DescribeInstanceInformation', 'ssm:GetCommandInvocation'],
      Resource: '*',
    });
  });

  test('planning reads manifests and the ledger, asks the members, and writes only the plan', () => {
    expect(of('RestorePlanRestoreRole')).toEqual([
      {
        ...manifests,
        Resource: [ledger('s3:GetObject').Resource, within(bucketId, 'clusters/prod/pki/generations.json'), manifests.Resource],
      },
      ...reaches,
      small('s3:PutObject', 'plan.json'),
      ...readsSecret(secretId, keyId),
    ]);
  });

  test('checking reads the plan and the secret', () => {
    expect(of('RestoreCheckEtcdRole')).toEqual([small('s3:GetObject', 'plan.json'), ...reads, ...readsSecret(secretId, keyId)]);
  });

  test('asking for approval reads the plan, writes the question and publishes it', () => {
    const statements = of('RestoreAskApprovalRole');
    expect(statements).toEqual(expect.arrayContaining([small('s3:GetObject', 'plan.json'), small('s3:PutObject', 'approval.txt')]));
    expect(statements).toEqual(publishes);
  });

  test('the promise raises the ledger', () => {
    expect(of('RestorePromiseRevisionsRole')).toEqual([manifests, ...reaches, ledger('s3:GetObject', 's3:PutObject')]);
  });

  test('the lock is one of two objects', () => {
    const lock = (name: string) => within(bucketId, `clusters/prod/locks/${name}.json`);
    expect(of('RestoreControlPlaneLockRole')).toEqual([
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: [lock('control-plane'), lock('drill')] },
      ...reaches,
    ]);
  });

  test('finding nodes lists them, and reads plan, report and state of the restore that is undone', () => {
    const [list, plan, ...rest] = of('RestoreFindNodesRole');
    const state = rest.at(-1);

    expect(list).toEqual({ Effect: 'Allow', Action: 'ssm:DescribeInstanceInformation', Resource: '*' });
    const files = ['plan.json', 'report.json'].map((file) => small('s3:GetObject', file).Resource);
    expect(plan).toEqual({ Effect: 'Allow', Action: 's3:GetObject', Resource: files });
    expect(rest.slice(0, -1)).toEqual(reads);
    expect(state?.Action).toBe('states:DescribeExecution');
    expect(JSON.stringify(state?.Resource)).toContain(':execution:lifeboat-prod-restore:*');
  });

  test('reporting reads the history of this state machine alone', () => {
    const history = of('RestoreReportRestoreRole').find(({ Action }) => Action === 'states:GetExecutionHistory');
    expect(JSON.stringify(history?.Resource)).toContain(':execution:lifeboat-prod-restore:*');
  });
});

test('functions that speak to etcd run in the network of the cluster, the others outside', () => {
  const inside = (prefix: string) => 'VpcConfig' in only(template, 'AWS::Lambda::Function', prefix)[1].Properties;

  expect(['RestorePlanRestore', 'RestoreCheckEtcd'].map(inside)).toEqual([true, true]);
  const outside = ['FindNodes', 'AskApproval', 'ControlPlaneLock', 'PromiseRevisions', 'ReportRestore'].map((name) => `Restore${name}`);
  expect([...outside, 'NodesNodeCommand', 'MaterializeMaterializeSnapshot'].map(inside)).toEqual(Array(7).fill(false));
});

test('people are asked and told only where the config names them', () => {
  const quiet = templateOf(inVpc());
  const variables = (from: typeof template, prefix: string) =>
    (only(from, 'AWS::Lambda::Function', prefix)[1].Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;

  expect(variables(template, 'RestoreAskApproval')).toMatchObject({ LIFEBOAT_ALARM_TOPIC: { Ref: topicId } });
  expect(variables(quiet, 'RestoreAskApproval')).not.toHaveProperty('LIFEBOAT_ALARM_TOPIC');
  expect(machineId).toMatch(/^Restore/);
});
