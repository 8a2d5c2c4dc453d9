import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { jsonOf } from '../contract/json';
import { EtcdClientSecret } from '../contract/secrets';
import { messageOf } from '../contract/lifeboat-error';
import { mistakesOf } from './environment';
import { SecretUnusable, StoreFailed } from './errors';

/**
 * Reads the PEM texts by which the functions reach etcd. Read anew in every run: a rotated client certificate must not wait
 * for a cold start.
 *
 * @throws SecretUnusable, with the command that repairs it and never with the content
 */
export async function readEtcdClientSecret(client: SecretsManagerClient, secretId: string): Promise<EtcdClientSecret> {
  const unusable = (why: string, cause?: unknown) =>
    new SecretUnusable(
      `secret ${secretId} ${why}; put {"ca": …, "cert": …, "key": …} (PEM texts) there with: aws secretsmanager put-secret-value --secret-id ${secretId} --secret-string file://etcd-client.json`,
      { cause },
    );
  let text: string | undefined;
  try {
    text = (await client.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString;
  } catch (error) {
    throw unusable(`cannot be read (${messageOf(error)})`, error);
  }
  const parsed = EtcdClientSecret.safeParse(jsonOf(text ?? ''));
  if (!parsed.success) throw unusable(`does not hold an etcd client credential (${mistakesOf(parsed.error)})`);
  return parsed.data;
}

/** Gives the functions another client certificate for etcd; the one before stays its previous version. @throws StoreFailed */
export async function putEtcdClientSecret(client: SecretsManagerClient, secretId: string, secret: EtcdClientSecret): Promise<void> {
  try {
    await client.send(new PutSecretValueCommand({ SecretId: secretId, SecretString: JSON.stringify(secret) }));
  } catch (error) {
    throw new StoreFailed(`cannot write secret ${secretId}: ${messageOf(error)}`, { cause: error });
  }
}
