import { resolveIntrinsics } from '../../local/cloud/intrinsics';

const deployed = {
  region: 'eu-west-1',
  physicalIds: new Map([
    ['Bucket', 'state-bucket'],
    ['Key', '0a1b'],
  ]),
  outputs: { Other: { Name: 'other-bucket' } },
};
const outputOf = (StackName: string, OutputName: string) => ({ 'Fn::GetStackOutput': { StackName, OutputName, Region: 'eu-central-1' } });

test.each([
  ['a reference', { Ref: 'Bucket' }, 'state-bucket'],
  ['a pseudo parameter', { Ref: 'AWS::AccountId' }, '111111111111'],
  ['the region of the stack', { Ref: 'AWS::Region' }, 'eu-west-1'],
  ['an output of another stack', outputOf('Other', 'Name'), 'other-bucket'],
  ['an attribute', { 'Fn::GetAtt': ['Key', 'Arn'] }, '0a1b'],
  ['a joined text', { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', { Ref: 'Bucket' }]] }, 'arn:aws:s3:::state-bucket'],
  ['what lies deep inside', { Rules: [{ Key: { Ref: 'Key' }, Days: 3 }] }, { Rules: [{ Key: '0a1b', Days: 3 }] }],
])('resolves %s', (_what, value, resolved) => {
  expect(resolveIntrinsics(value, deployed)).toEqual(resolved);
});

test('asks for attributes where they are not the name', () => {
  const attributeOf = (logicalId: string, attribute: string) => `${attribute} of ${logicalId}`;

  expect(resolveIntrinsics({ 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, '/*']] }, { ...deployed, attributeOf })).toBe(
    'Arn of Bucket/*',
  );
});

test('names a resource that was not deployed', () => {
  expect(() => resolveIntrinsics({ Ref: 'Missing' }, deployed)).toThrow('the deployed stack has no resource Missing');
});

test.each([
  ['Nowhere', 'Name'],
  ['Other', 'Missing'],
])('names an output that was not deployed: %s %s', (stack, name) => {
  expect(() => resolveIntrinsics(outputOf(stack, name), deployed)).toThrow(`the deployed stack ${stack} has no output ${name}`);
});
