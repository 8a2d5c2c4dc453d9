import { resolveIntrinsics } from '../../local/cloud/intrinsics';

const ids = new Map([
  ['Bucket', 'state-bucket'],
  ['Key', '0a1b'],
]);

test.each([
  ['a reference', { Ref: 'Bucket' }, 'state-bucket'],
  ['a pseudo parameter', { Ref: 'AWS::AccountId' }, '111111111111'],
  ['an attribute', { 'Fn::GetAtt': ['Key', 'Arn'] }, '0a1b'],
  ['a joined text', { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', { Ref: 'Bucket' }]] }, 'arn:aws:s3:::state-bucket'],
  ['what lies deep inside', { Rules: [{ Key: { Ref: 'Key' }, Days: 3 }] }, { Rules: [{ Key: '0a1b', Days: 3 }] }],
])('resolves %s', (_what, value, resolved) => {
  expect(resolveIntrinsics(value, ids)).toEqual(resolved);
});

test('asks for attributes where they are not the name', () => {
  const attributeOf = (logicalId: string, attribute: string) => `${attribute} of ${logicalId}`;

  expect(resolveIntrinsics({ 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, '/*']] }, ids, attributeOf)).toBe('Arn of Bucket/*');
});

test('names a resource that was not deployed', () => {
  expect(() => resolveIntrinsics({ Ref: 'Missing' }, ids)).toThrow('the deployed stack has no resource Missing');
});
