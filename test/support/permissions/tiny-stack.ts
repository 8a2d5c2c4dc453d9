// The smallest stack that has rights to judge: a function that keeps notes in an encrypted bucket, and a schedule that starts it.
import type { FunctionCall } from '../../../local/cloud';
import { stackOf } from '../../../local/cloud/deployed-stack';
import { ACCOUNT_ID, REGION } from '../../../local/cloud/emulator';
import type { StackRights } from './stack-rights';
import { rightsOf } from './stack-rights';

export const place = { account: ACCOUNT_ID, region: REGION };
export const bucket = 'arn:aws:s3:::notes-1';
const keyId = '87775144-d7dd-4d71-950f-6306ba365280';
export const key = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/${keyId}`;

const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const under = (path: string) => ({ 'Fn::Join': ['', [arn('Bucket0A1B2C3D'), path]] });
const policy = (statements: readonly object[]) => ({
  Version: '2012-10-17',
  Statement: statements.map((one) => ({ Effect: 'Allow', ...one })),
});

export const notes = { Action: ['s3:GetObject', 's3:PutObject'], Resource: under('/clusters/a/notes/*') };
export const index = { Action: 's3:GetObject', Resource: under('/clusters/a/index.json') };
export const list = {
  Action: 's3:ListBucket',
  Resource: arn('Bucket0A1B2C3D'),
  Condition: { StringLike: { 's3:prefix': 'clusters/a/*' } },
};
export const keyUse = {
  Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
  Resource: arn('Key0A1B2C3D'),
  Condition: {
    StringEquals: { 'kms:ViaService': `s3.${REGION}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': arn('Bucket0A1B2C3D') },
  },
};
export const all = [notes, index, list, keyUse];
export { under };

export function tinyStack(statements: readonly object[], overrides: Readonly<Record<string, object>> = {}): StackRights {
  const tlsOnly = { Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:*', Resource: under('/*') };
  const Resources = {
    Bucket0A1B2C3D: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { KMSMasterKeyID: arn('Key0A1B2C3D') } }],
        },
      },
    },
    BucketPolicy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: 'Bucket0A1B2C3D' },
        PolicyDocument: policy([{ ...tlsOnly, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }]),
      },
    },
    Key0A1B2C3D: {
      Type: 'AWS::KMS::Key',
      Properties: { KeyPolicy: policy([{ Principal: { AWS: `arn:aws:iam::${ACCOUNT_ID}:root` }, Action: 'kms:*', Resource: '*' }]) },
    },
    TakeNotes0A1B2C3D: { Type: 'AWS::Lambda::Function', Properties: { Role: arn('Role0A1B2C3D') } },
    Role0A1B2C3D: { Type: 'AWS::IAM::Role', Properties: {} },
    Policy: {
      Type: 'AWS::IAM::Policy',
      Properties: { Roles: [{ Ref: 'Role0A1B2C3D' }], PolicyDocument: policy(statements) },
    },
    ...overrides,
  };
  const ids = { Bucket0A1B2C3D: 'notes-1', Key0A1B2C3D: keyId, TakeNotes0A1B2C3D: 'take-notes-1', Role0A1B2C3D: 'take-notes-role-1' };
  return rightsOf(stackOf('Tiny', { Resources }, new Map(Object.entries(ids))));
}

export const call = (action: string, resource: string, overrides: Partial<FunctionCall> = {}): FunctionCall => ({
  at: new Date(0),
  role: 'take-notes-role-1',
  session: 'take-notes-1',
  action,
  resource,
  context: {},
  allowed: true,
  ...overrides,
});

/** Calls that use every right of `all`. */
export const everyCall = [
  call('s3:PutObject', `${bucket}/clusters/a/notes/1`),
  call('s3:PutObject', `${bucket}/clusters/a/notes/2`),
  call('s3:GetObject', `${bucket}/clusters/a/notes/1`),
  call('s3:GetObject', `${bucket}/clusters/a/notes/2`),
  call('s3:GetObject', `${bucket}/clusters/a/index.json`),
  call('s3:ListBucket', bucket, { context: { 's3:prefix': 'clusters/a/notes/' } }),
];
