import type { AccessRequest } from './simulate';

/**
 * What AWS asks KMS for with the rights of the same caller, which the emulator does not: a data key for each object that is
 * written, and its decryption for each that is read.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html and
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 *
 * @param keys ARNs of keys, by the ARN of the bucket or secret that they encrypt
 */
export function impliedRequests({ action, resource }: AccessRequest, keys: ReadonlyMap<string, string>, region: string): AccessRequest[] {
  const owner = ownerOf(resource);
  const key = keys.get(owner);
  const kmsAction = KMS_ACTIONS[action];
  if (key === undefined || kmsAction === undefined) return [];
  const [service = ''] = action.split(':');
  // With a bucket key, which the buckets here have, the context is the bucket and not the object.
  const about = service === 's3' ? 'kms:EncryptionContext:aws:s3:arn' : 'kms:EncryptionContext:SecretARN';
  return [{ action: kmsAction, resource: key, context: { 'kms:ViaService': `${service}.${region}.amazonaws.com`, [about]: owner } }];
}

const KMS_ACTIONS: Readonly<Record<string, string>> = {
  's3:PutObject': 'kms:GenerateDataKey',
  's3:GetObject': 'kms:Decrypt',
  'secretsmanager:GetSecretValue': 'kms:Decrypt',
};

/** Whose key and whose policy hold for a resource: an object's are those of its bucket. */
export const ownerOf = (arn: string): string => (arn.startsWith('arn:aws:s3:::') ? (arn.split('/')[0] ?? arn) : arn);
