import type { AccessRequest } from './simulate';
import type { StackRights } from './stack-rights';

/**
 * What AWS asks for with the rights of the same caller beside what he asked for, and the emulator does not.
 *
 * - KMS: a data key for each object or value that is written, and its decryption for each that is read:
 *   https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html and
 *   https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 * - a secret that is made with tags, and one that is rotated by a function:
 *   https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html and API_RotateSecret.html
 * - a command: the right on the document, and on each machine that gets it. The calls do not say which, so all must do that carry the tags:
 *   https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html
 */
export function impliedRequests(request: AccessRequest, stack: Things, region: string): AccessRequest[] {
  return [...ofKeys(request, stack, region), ...ofSecrets(request, stack), ...ofMachines(request, stack)].map((implied) => ({
    ...implied,
    session: request.session,
  }));
}

type Things = Pick<StackRights, 'keys' | 'rotations' | 'machines'>;

function ofKeys({ action, resource }: AccessRequest, { keys }: Things, region: string): AccessRequest[] {
  const owner = ownerOf(resource);
  const [service = ''] = action.split(':');
  // With a bucket key, which the buckets here have, the context is the bucket and not the object.
  const about = service === 's3' ? 'kms:EncryptionContext:aws:s3:arn' : 'kms:EncryptionContext:SecretARN';
  // Of whoever makes a secret the key is tried before there is one.
  const isMade = action === 'secretsmanager:CreateSecret';
  const key = isMade ? keyOfUnmade(owner, keys) : keys.get(owner);
  if (key === undefined) return [];
  const context = { 'kms:ViaService': `${service}.${region}.amazonaws.com`, [about]: isMade ? 'RequestToValidateKeyAccess' : owner };
  return (KMS_ACTIONS[action] ?? []).map((kmsAction) => ({ action: kmsAction, resource: key, context }));
}

const KMS_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  's3:PutObject': ['kms:GenerateDataKey'],
  's3:GetObject': ['kms:Decrypt'],
  'secretsmanager:CreateSecret': ['kms:GenerateDataKey', 'kms:Decrypt'],
  'secretsmanager:GetSecretValue': ['kms:Decrypt'],
  // A value that is there under the same token is read, to be compared.
  'secretsmanager:PutSecretValue': ['kms:GenerateDataKey', 'kms:Decrypt'],
};

/** Its ARN has no suffix yet. */
const keyOfUnmade = (name: string, keys: Things['keys']): string | undefined => [...keys].find(([arn]) => arn.startsWith(`${name}-`))?.[1];

function ofSecrets({ action, resource, context }: AccessRequest, { rotations }: Things): AccessRequest[] {
  if (action === 'secretsmanager:CreateSecret' && 'aws:TagKeys' in context)
    return [{ action: 'secretsmanager:TagResource', resource, context }];
  const rotates = rotations.get(resource);
  if (action !== 'secretsmanager:RotateSecret' || rotates === undefined) return [];
  return [{ action: 'lambda:InvokeFunction', resource: rotates, context: {} }];
}

function ofMachines({ action }: AccessRequest, { machines }: Things): AccessRequest[] {
  if (action !== 'ssm:SendCommand') return [];
  return [...machines].map(([resource, tags]) => ({
    action,
    resource,
    context: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`ssm:resourceTag/${key}`, value])),
  }));
}

/** Whose key and whose policy hold for a resource: an object's are those of its bucket. */
export const ownerOf = (arn: string): string => (arn.startsWith('arn:aws:s3:::') ? (arn.split('/')[0] ?? arn) : arn);
