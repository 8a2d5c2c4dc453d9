import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetSecretValueCommand,
  InvalidParameterException,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { messageOf } from '../contract/lifeboat-error';
import { StoreFailed } from './errors';

/** What is written first has this label; a version without any may be deleted by Secrets Manager. */
const CANDIDATE = 'LIFEBOATNEXT';
const TRIES = 6;
/** What was written is not read by everybody at once: docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html */
const BETWEEN_TRIES_MS = 1_000;

/**
 * Changes the value of a secret, unless somebody else changed it meanwhile: then the change is made anew for what is there by now. Secrets Manager
 * moves a label only away from the version that has it (UpdateSecretVersionStage, RemoveFromVersionId), and that is the comparison.
 *
 * @param by undefined: there is nothing to change
 * @throws StoreFailed when the secret cannot be read or written, or others are faster again and again
 */
export async function swapSecret(
  client: SecretsManagerClient,
  SecretId: string,
  by: (value: string) => string | undefined,
): Promise<string> {
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { SecretString: before = '', VersionId: present } = await client.send(new GetSecretValueCommand({ SecretId }));
      const after = by(before);
      if (after === undefined || after === before) return before;
      if (await exchange(client, SecretId, present, after)) return after;
    }
  } catch (error) {
    throw error instanceof StoreFailed || !isOfAws(error)
      ? error
      : new StoreFailed(`cannot change secret ${SecretId}: ${messageOf(error)}`, { cause: error });
  }
  throw new StoreFailed(`secret ${SecretId} was changed by others ${TRIES} times in a row: let one of them end`);
}

/**
 * Makes the present value of a secret a version of its own once more, so that the value before it loses its last label. What is read may be the value
 * before, right after a label was moved: it does not become the present one by that, and is read again.
 *
 * @throws StoreFailed also when others are faster again and again
 */
export async function writeAgain(client: SecretsManagerClient, SecretId: string): Promise<void> {
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { SecretString = '', VersionId } = await client.send(new GetSecretValueCommand({ SecretId }));
      if (await exchange(client, SecretId, VersionId, SecretString)) return;
      await sleep(BETWEEN_TRIES_MS);
    }
  } catch (error) {
    throw new StoreFailed(`cannot write secret ${SecretId} again: ${messageOf(error)}`, { cause: error });
  }
  throw new StoreFailed(`secret ${SecretId} was changed by others ${TRIES} times in a row: let one of them end`);
}

/** What the change itself throws is none of this. */
const isOfAws = (error: unknown): boolean => error instanceof Error && '$metadata' in error;

async function exchange(
  client: SecretsManagerClient,
  SecretId: string,
  present: string | undefined,
  SecretString: string,
): Promise<boolean> {
  // The same change of the same version is the same write, however often it is made.
  const ClientRequestToken = createHash('sha256')
    .update(`${present ?? ''} ${SecretString}`)
    .digest('hex');
  await client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken, VersionStages: [CANDIDATE] }));
  try {
    const moved = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: ClientRequestToken, RemoveFromVersionId: present };
    await client.send(new UpdateSecretVersionStageCommand(moved));
    return true;
  } catch (error) {
    // Somebody else moved it, or this did and the answer was lost: what is there by now tells.
    if (error instanceof InvalidParameterException) return false;
    throw error;
  }
}
