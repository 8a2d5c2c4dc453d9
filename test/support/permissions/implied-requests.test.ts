import { impliedRequests } from './implied-requests';
import type { AccessRequest } from './simulate';

const secret = 'arn:aws:secretsmanager:eu-central-1:1:secret:a/nodes/i-1-AbCdEf';
const key = 'arn:aws:kms:eu-central-1:1:key/k';
const rotates = 'arn:aws:lambda:eu-central-1:1:function:rotate';
const machine = 'arn:aws:ec2:eu-central-1:1:instance/i-1';
const things = {
  keys: new Map([[secret, key]]),
  rotations: new Map([[secret, rotates]]),
  machines: new Map([[machine, { role: 'node' }]]),
};
const via = { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' };

const implied = (action: string, resource: string, context: AccessRequest['context'] = {}) =>
  impliedRequests({ action, resource, context, session: 's' }, things, 'eu-central-1').map(({ session, ...request }) => {
    expect(session).toBe('s');
    return request;
  });

test.each([
  ['GetSecretValue', ['kms:Decrypt']],
  ['PutSecretValue', ['kms:GenerateDataKey', 'kms:Decrypt']],
  ['DescribeSecret', []],
])('secretsmanager:%s asks for the key of this secret', (action, asked) => {
  const context = { ...via, 'kms:EncryptionContext:SecretARN': secret };
  expect(implied(`secretsmanager:${action}`, secret)).toEqual(asked.map((each) => ({ action: each, resource: key, context })));
});

test('a secret that is made has its key tried before it is there, and its tags asked for when it has some', () => {
  const unmade = secret.slice(0, -'-AbCdEf'.length);
  const context = { ...via, 'kms:EncryptionContext:SecretARN': 'RequestToValidateKeyAccess' };
  const keyUses = ['kms:GenerateDataKey', 'kms:Decrypt'].map((action) => ({ action, resource: key, context }));
  const tagged = { 'aws:TagKeys': ['x'] };

  expect(implied('secretsmanager:CreateSecret', unmade)).toEqual(keyUses);
  expect(implied('secretsmanager:CreateSecret', unmade, tagged)).toEqual([
    ...keyUses,
    { action: 'secretsmanager:TagResource', resource: unmade, context: tagged },
  ]);
});

test('a rotation asks for the function that does it', () => {
  expect(implied('secretsmanager:RotateSecret', secret)).toEqual([{ action: 'lambda:InvokeFunction', resource: rotates, context: {} }]);
});

test('a command asks for the machine that gets it, by its tags', () => {
  expect(implied('ssm:SendCommand', 'arn:aws:ssm:eu-central-1:1:document/d')).toEqual([
    { action: 'ssm:SendCommand', resource: machine, context: { 'ssm:resourceTag/role': 'node' } },
  ]);
});
