import {
  CreateSecretCommand,
  DescribeSecretCommand,
  PutResourcePolicyCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RotateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { NodeEnrolment } from '../certificates/enrol';
import { messageOf } from '../contract/lifeboat-error';
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
  const isEnrolled = async (SecretId: string): Promise<boolean> => {
    try {
      // Rotation is the last thing that it gets.
      const { RotationEnabled, RotationLambdaARN, RotationRules } = await client.send(new DescribeSecretCommand({ SecretId }));
      // After another deployment function, roles or days may be others: then it gets them, and its policy, again.
      return RotationEnabled === true && RotationLambdaARN === rotationFunction && RotationRules?.AutomaticallyAfterDays === everyDays;
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

/** Rotations of secrets that are enrolled already. Both throw StoreFailed. */
export function nodeRotations(client: SecretsManagerClient): {
  /** Undefined where it never was. */
  readonly lastRotated: (name: string) => Promise<Date | undefined>;
  readonly start: (name: string) => Promise<void>;
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
  };
}
