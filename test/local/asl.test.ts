import { problemsOf } from '../support/asl';

const task = (fields: object = {}): object => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
  Parameters: { FunctionName: 'ARN', Payload: { 'token.$': '$$.Task.Token', 'input.$': '$.input' } },
  TimeoutSeconds: 3600,
  Retry: [
    { ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 1, BackoffRate: 2, MaxDelaySeconds: 60, JitterStrategy: 'FULL' },
  ],
  End: true,
  ...fields,
});
const items = (States: object): object => ({
  Type: 'Map',
  ItemsPath: '$.nodes',
  ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: Object.keys(States)[0], States },
  End: true,
});
/** As a template has it: joined of texts and references. */
function synthesized(States: object): object {
  const [before = '', after = ''] = JSON.stringify({ StartAt: 'First', States })
    .replace('arn:aws:states', 'arn:PARTITION:states')
    .split('ARN', 2);
  const partition = before.split('PARTITION');
  const joined = partition.flatMap((text, index) => (index === 0 ? [text] : [{ Ref: 'AWS::Partition' }, text]));
  return { 'Fn::Join': ['', [...joined, { 'Fn::GetAtt': ['Function', 'Arn'] }, after]] };
}

test('finds nothing wrong with a definition that Step Functions takes', () => {
  const States = { First: { ...items({ Inner: task() }), End: undefined, Next: 'Last' }, Last: { Type: 'Succeed' } };

  expect(problemsOf(synthesized(States))).toEqual([]);
});

test.each([
  ['a target that is not there', { First: task({ End: undefined, Next: 'Nowhere' }) }, 'Nowhere'],
  ['a Catch that leads nowhere', { First: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Nowhere' }] }) }, 'Nowhere'],
  ['a state that nothing leads to', { First: task(), Lost: { Type: 'Succeed' } }, 'State Lost is not reachable'],
  ['two states of one name', { First: items({ First: task() }) }, 'already exists: First'],
  ['a path with a mistake', { First: task({ InputPath: '$.a[b' }) }, '/States/First/InputPath'],
  ['a field with .$ that is no path', { First: task({ Parameters: { FunctionName: 'ARN', 'Payload.$': 'input' } }) }, 'Payload.$'],
  [
    'an intrinsic function with a mistake',
    { First: task({ Parameters: { FunctionName: 'ARN', 'Payload.$': "States.Fromat('x')" } }) },
    'Payload.$',
  ],
  ['a result for many places', { First: task({ ResultPath: '$.all[*]' }) }, '/States/First/ResultPath'],
  ['a field with a mistake', { First: task({ TimeoutSecond: 1 }) }, '/States/First'],
  [
    'a rule that compares with nothing',
    { First: { Type: 'Choice', Choices: [{ Variable: '$.a', Next: 'Last' }] }, Last: task() },
    '/States/First/Choices/0',
  ],
])('finds %s', (_mistake, states, problem) => {
  expect(problemsOf(synthesized(states))).toContainEqual(expect.stringContaining(problem));
});
