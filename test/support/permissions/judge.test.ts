import type { Exception } from './judge';
import { judgeCalls, linesOf } from './judge';
import { all, bucket, call, everyCall, index, key, keyUse, list, notes, place, tinyStack, under } from './tiny-stack';

const judge = async (statements: readonly object[], calls: readonly ReturnType<typeof call>[], exceptions: readonly Exception[] = []) =>
  linesOf(await judgeCalls(place, tinyStack(statements), calls, exceptions));

test('finds nothing where every call is granted and every right is used', async () => {
  expect(await judge(all, everyCall)).toEqual([]);
});

test.each([
  ['the right to an action', [index, list, keyUse], 's3:PutObject', /^not-granted: TakeNotes: s3:PutObject on .*notes\/1$/],
  ['the right to list', [notes, index, keyUse], 's3:ListBucket', /^not-granted: .*s3:ListBucket on .*, s3:prefix clusters\/a\/notes\/$/],
  ['the right to the key', [notes, index, list], 's3:PutObject', /^not-granted: .*kms:GenerateDataKey on .*, kms:ViaService s3\./],
])('finds calls that lost %s, although the emulator let them pass', async (_what, statements, action, line) => {
  const lines = await judge(
    statements,
    everyCall.filter((one) => one.action === action),
  );

  expect(lines).toContainEqual(expect.stringMatching(line));
});

test.each([
  ['an action that nobody takes', { Action: 's3:DeleteObject', Resource: under('/clusters/a/notes/*') }, 's3:DeleteObject on '],
  ['an object that nobody reads', { Action: 's3:GetObject', Resource: under('/clusters/a/other.json') }, 's3:GetObject on '],
  ['a right that a narrower one makes needless', { Action: 's3:GetObject', Resource: under('/clusters/*') }, 's3:GetObject on '],
])('finds %s', async (_what, statement, text) => {
  expect(await judge([...all, statement], everyCall)).toEqual([expect.stringContaining(`unused: TakeNotes: never used ${text}`)]);
});

test.each([
  ['the bucket', '/*', 'only where * is clusters'],
  ['the cluster', '/clusters/a/*', 'only where * is notes'],
])('finds a wildcard that was widened to %s', async (_what, path, text) => {
  const lines = await judge([{ ...notes, Resource: under(path) }, index, list, keyUse], everyCall);

  expect(lines).toEqual([1, 2].map(() => expect.stringMatching(/^wide: TakeNotes: used s3:(Get|Put)Object on /) as string));
  for (const line of lines) expect(line).toContain(text);
});

test('finds nothing wide in a right on everything, where the action knows no resources', async () => {
  const listing = { Action: 'ssm:DescribeInstanceInformation', Resource: '*' };

  expect(await judge([...all, listing], [...everyCall, call('ssm:DescribeInstanceInformation', '*')])).toEqual([]);
});

test('asks for the session where a policy does', async () => {
  const own = { ...index, Condition: { StringLike: { 'aws:userid': '*:take-notes-1' } } };
  const read = call('s3:GetObject', `${bucket}/clusters/a/index.json`);
  const others = everyCall.filter(({ resource }) => !resource.endsWith('/index.json'));

  expect(await judge([notes, own, list, keyUse], [...others, read])).toEqual([]);
  expect(await judge([notes, own, list, keyUse], [...others, read, { ...read, session: 'another' }])).toEqual([
    expect.stringMatching(/^not-granted: TakeNotes: s3:GetObject on .*index.json/),
  ]);
});

test('finds actions that are named by a wildcard, used or not', async () => {
  const reading = { Action: 's3:Get*', Resource: under('/clusters/a/notes/*') };

  const lines = await judge([{ ...notes, Action: 's3:PutObject' }, reading, index, list, keyUse], everyCall);

  expect(lines).toEqual([expect.stringMatching(/^wide: TakeNotes: may do s3:Get\* on .*: name the actions that are used$/)]);
});

test('finds what the emulator refused', async () => {
  const refused = call('s3:GetObject', `${bucket}/clusters/b/notes/1`, { allowed: false });

  expect(await judge(all, [...everyCall, refused])).toEqual([`denied: TakeNotes: s3:GetObject on ${bucket}/clusters/b/notes/1`]);
});

test('finds a function that nothing ran, and leaves the calls of others out', async () => {
  const others = everyCall.map((one) => ({ ...one, role: 'somebody-else' }));

  expect(await judge(all, others)).toContain('idle: TakeNotes: made no call: add scenarios that make it use all its rights');
});

describe('an exception', () => {
  const never = { Action: 'logs:PutLogEvents', Resource: '*' };

  test('for some resources excuses no other', async () => {
    const tables = ['a', 'b'].map((name) => ({ Action: 's3:DeleteObject', Resource: under(`/clusters/${name}/x`) }));

    expect(await judge([...all, ...tables], everyCall, [{ action: 's3:DeleteObject', on: 'clusters/a/', because: 'so' }])).toEqual([
      expect.stringMatching(/^unused: .*s3:DeleteObject on .*clusters\/b\/x/),
    ]);
  });

  test.each(['logs:*', 'logs:PutLogEvents'])('for %s excuses a right that is never used', async (action) => {
    expect(await judge([...all, never], everyCall, [{ action, because: 'Lambda does' }])).toEqual([]);
  });

  test('for a right that is used is out of date', async () => {
    const lines = await judge(all, everyCall, [{ action: 'kms:Decrypt', because: 'the emulator does not ask' }]);

    expect(lines).toEqual([expect.stringContaining(`stale-exception: TakeNotes: used kms:Decrypt on ${key}`)]);
  });

  test('for a right that nobody has is out of date', async () => {
    const lines = await judge(all, everyCall, [{ action: 'sqs:*', because: 'Lambda does' }]);

    expect(lines).toEqual(['stale-exception: the exception sqs:* is for a right that no function has']);
  });
});

test('a resource’s own policy can take what the role was given', async () => {
  const Properties = {
    Bucket: { Ref: 'Bucket0A1B2C3D' },
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: under('/clusters/a/notes/2') }],
    },
  };
  const stack = tinyStack(all, { BucketPolicy: { Type: 'AWS::S3::BucketPolicy', Properties } });

  expect(linesOf(await judgeCalls(place, stack, everyCall, []), 'not-granted')).toEqual([
    `not-granted: TakeNotes: s3:PutObject on ${bucket}/clusters/a/notes/2`,
  ]);
});

test.each([
  ['NotAction', { NotAction: 's3:GetObject', Resource: '*' }],
  ['NotResource', { Action: 's3:GetObject', NotResource: bucket }],
])('refuses to judge %s, which is no list of rights', (_what, statement) => {
  expect(() => tinyStack([statement])).toThrow();
});

test.each(['ManagedPolicyArns', 'Policies', 'PermissionsBoundary'])(
  'refuses to judge a role with %s, which it would not see',
  (property) => {
    const role = { Role0A1B2C3D: { Type: 'AWS::IAM::Role', Properties: { [property]: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] } } };

    expect(() => tinyStack(all, role)).toThrow(`role Role0A1B2C3D has ${property}, whose rights are not judged`);
  },
);

test('refuses an action that AWS does not know', async () => {
  await expect(judge(all, [call('s3:ReadObject', `${bucket}/clusters/a/notes/1`)])).rejects.toThrow('cannot simulate s3:ReadObject');
});
