import { z } from 'zod';
import { RotationRefused } from './errors';

/** What Secrets Manager asks of a rotation function: docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html */
export const RotationEvent = z.object({
  SecretId: z.string().min(1),
  ClientRequestToken: z.string().min(1),
  Step: z.enum(['createSecret', 'setSecret', 'testSecret', 'finishSecret']),
});
export type RotationEvent = z.infer<typeof RotationEvent>;

/** The labels of the secret's versions, by the id of the version. */
export interface SecretState {
  readonly rotationEnabled: boolean;
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

export type StepDecision =
  | { readonly do: 'work'; readonly current: string | undefined }
  /** The version is the current one: an earlier try has ended, and its answer was lost. */
  | { readonly do: 'nothing'; readonly because: string };

/**
 * The guards of AWS's own templates: a step works on the version that is pending, or has nothing to do any more.
 *
 * @throws RotationRefused for a version that Secrets Manager does not know as pending
 */
export function decideStep({ SecretId, ClientRequestToken: token }: RotationEvent, { rotationEnabled, labels }: SecretState): StepDecision {
  if (!rotationEnabled)
    throw new RotationRefused(`secret ${SecretId} is not rotated: start a rotation by aws secretsmanager rotate-secret`);
  const own = labels[token];
  if (own === undefined) throw new RotationRefused(`secret ${SecretId} has no version ${token}`);
  if (own.includes('AWSCURRENT')) return { do: 'nothing', because: `version ${token} is the current one already` };
  if (!own.includes('AWSPENDING')) throw new RotationRefused(`version ${token} of secret ${SecretId} is not pending`);
  const current = Object.entries(labels).find(([, each]) => each.includes('AWSCURRENT'))?.[0];
  return { do: 'work', current };
}
