import { isDeepStrictEqual } from 'node:util';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  InvalidRequestException,
  PutResourcePolicyCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RotateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { NodeEnrolment } from '../certificates/enrol';
import { jsonOf } from '../contract/json';
import { messageOf } from '../contract/lifeboat-error';
import type { AskedRotation } from '../exchange/edges';
import { StoreFailed } from './errors';

/** What the secrets of nodes are made with. */
export const EnrolmentSettings = z.object({
  kmsKeyId: z.string(),
  rotationFunction: z.string(),
  /** Days from one rotation to the next. */
  everyDays: z.number().int().positive(),
  /** The roles that read every node's secret besides the node itself. */
  readers: z.array(z.string()),
});
export type EnrolmentSettings = z.infer<typeof EnrolmentSettings>;

/** An instance's session carries its own id as name: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable */
const policyFor = (instanceId: string, readers: readonly string[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 'secretsmanager:GetSecretValue',
        Resource: '*',
        Condition: { StringNotLike: { 'aws:userid': `*:${instanceId}` }, ArnNotEquals: { 'aws:PrincipalArn': readers } },
      },
    ],
  });

/** Makes the secrets of nodes. Each step can be repeated: a run that died between them is continued by the next one. */
export function nodeEnrolment(client: SecretsManagerClient, cluster: string, settings: EnrolmentSettings): NodeEnrolment {
  const { kmsKeyId, rotationFunction, everyDays, readers } = settings;
  const failed = (name: string, error: unknown): StoreFailed =>
    new StoreFailed(`cannot make secret ${name}: ${messageOf(error)}`, { cause: error });
  // After another deployment function, roles or days may be others.
  const isRotated = async (SecretId: string): Promise<boolean> => {
    const { RotationEnabled, RotationLambdaARN, RotationRules } = await client.send(new DescribeSecretCommand({ SecretId }));
    return RotationEnabled === true && RotationLambdaARN === rotationFunction && RotationRules?.AutomaticallyAfterDays === everyDays;
  };
  const isGuarded = async (SecretId: string): Promise<boolean> => {
    const { ResourcePolicy = '' } = await client.send(new GetResourcePolicyCommand({ SecretId }));
    const instanceId = SecretId.split('/').at(-1) ?? '';
    return isDeepStrictEqual(jsonOf(ResourcePolicy), jsonOf(policyFor(instanceId, readers)));
  };
  const isEnrolled = async (SecretId: string): Promise<boolean> => {
    try {
      return (await isRotated(SecretId)) && (await isGuarded(SecretId));
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return false;
      throw failed(SecretId, error);
    }
  };
  return {
    existing: async (names) => {
      const found = await Promise.all(names.map(async (name) => ((await isEnrolled(name)) ? [name] : [])));
      return new Set(found.flat());
    },
    create: async (Name, { instanceId, host }) => {
      const Description = `kube-lifeboat ${cluster}: the certificates of ${host}`;
      const Tags = [
        { Key: 'lifeboat/cluster', Value: cluster },
        { Key: 'lifeboat/instance', Value: instanceId },
      ];
      try {
        await client.send(new CreateSecretCommand({ Name, Description, KmsKeyId: kmsKeyId, Tags })).catch((error: unknown) => {
          if (!(error instanceof ResourceExistsException)) throw error;
        });
        await client.send(
          new PutResourcePolicyCommand({ SecretId: Name, ResourcePolicy: policyFor(instanceId, readers), BlockPublicPolicy: true }),
        );
        // Where a set waits Secrets Manager refuses to be told how to rotate.
        if (await isRotated(Name)) return;
        // Not at once: an adoption changes nothing on a node. kubeadm's certificates live for a year.
        const RotationRules = { AutomaticallyAfterDays: everyDays };
        await client.send(
          new RotateSecretCommand({ SecretId: Name, RotationLambdaARN: rotationFunction, RotationRules, RotateImmediately: false }),
        );
      } catch (error) {
        throw failed(Name, error);
      }
    },
  };
}

/** Secrets Manager goes on with one that waits whenever another is asked for: aws-cdk issue 28539. */
const UNDER_WAY = /previous rotation isn.t complete/i;
const NEVER_ROTATED = /no lambda rotation function/i;

/** Rotations of secrets that are enrolled already. All throw StoreFailed. */
export function nodeRotations(client: SecretsManagerClient): {
  /** Undefined where it never was. */
  readonly lastRotated: (name: string) => Promise<Date | undefined>;
  /** @throws also when one is under way */
  readonly start: (name: string) => Promise<void>;
  /** Starts one, or goes on with one that waits. */
  readonly ask: (name: string) => Promise<AskedRotation>;
} {
  const told = async <T>(what: string, name: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw new StoreFailed(`cannot ${what} secret ${name}: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    lastRotated: (SecretId) =>
      told('describe', SecretId, async () => (await client.send(new DescribeSecretCommand({ SecretId }))).LastRotatedDate),
    start: (SecretId) =>
      told('rotate', SecretId, async () => {
        await client.send(new RotateSecretCommand({ SecretId }));
      }),
    ask: async (SecretId) => {
      try {
        await client.send(new RotateSecretCommand({ SecretId }));
        return 'begun';
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return 'not-enrolled';
        if (error instanceof InvalidRequestException && UNDER_WAY.test(error.message)) return 'under-way';
        if (error instanceof InvalidRequestException && NEVER_ROTATED.test(error.message)) return 'not-enrolled';
        throw new StoreFailed(
          `cannot rotate secret ${SecretId}: ${messageOf(error)}; one that is to be deleted is given back by aws secretsmanager restore-secret`,
          { cause: error },
        );
      }
    },
  };
}
