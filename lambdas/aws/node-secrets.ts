import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PkiUnusable } from '../certificates/errors';
import type { NodeSecrets } from '../certificates/rotate';
import type { SecretState } from '../certificates/rotation-step';
import { NodeSetSecret } from '../contract/certificates';
import { jsonOf } from '../contract/json';
import { messageOf } from '../contract/lifeboat-error';
import { mistakesOf } from './environment';
import { StoreFailed } from './errors';

/** The version that waits for its rotation: Secrets Manager may leave AWSPENDING on the one that became the current one by it. */
const waitingIn = (labels: SecretState['labels']): string | undefined =>
  Object.entries(labels).find(([, each]) => each.includes('AWSPENDING') && !each.includes('AWSCURRENT'))?.[0];

/** The secrets of nodes, by the labels of their versions. */
export class SecretsManagerNodes implements NodeSecrets {
  constructor(private readonly client: SecretsManagerClient) {}

  state: NodeSecrets['state'] = (SecretId) =>
    this.told('describe', SecretId, async () => {
      const { RotationEnabled = false, VersionIdsToStages = {} } = await this.client.send(new DescribeSecretCommand({ SecretId }));
      return { rotationEnabled: RotationEnabled, labels: VersionIdsToStages };
    });

  /** By the id of the version: right after it was made, reading by the label AWSPENDING can miss it (aws-sdk-js-v3 issue 7701). */
  read: NodeSecrets['read'] = (SecretId, VersionId) =>
    this.told('read', SecretId, async () => {
      try {
        const { SecretString } = await this.client.send(new GetSecretValueCommand({ SecretId, VersionId }));
        const parsed = NodeSetSecret.safeParse(jsonOf(SecretString ?? ''));
        if (parsed.success) return parsed.data;
        throw new PkiUnusable(
          `version ${VersionId} of secret ${SecretId} does not hold the certificates of a node (${mistakesOf(parsed.error)})`,
        );
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    });

  /** What is the current value. undefined: it has none, or there is no such secret. @throws PkiUnusable, StoreFailed */
  current = async (SecretId: string): Promise<NodeSetSecret | undefined> => (await this.present(SecretId)).set;

  /** What is the current value, and whether another version waits for its rotation. @throws PkiUnusable, StoreFailed */
  present = async (SecretId: string): Promise<{ readonly set: NodeSetSecret | undefined; readonly waits: boolean }> => {
    try {
      const { labels } = await this.state(SecretId);
      const version = Object.entries(labels).find(([, each]) => each.includes('AWSCURRENT'))?.[0];
      const set = version === undefined ? undefined : await this.read(SecretId, version);
      return { set, waits: waitingIn(labels) !== undefined };
    } catch (error) {
      if (error instanceof StoreFailed && error.cause instanceof ResourceNotFoundException) return { set: undefined, waits: false };
      throw error;
    }
  };

  fill: NodeSecrets['fill'] = (SecretId, ClientRequestToken, value) =>
    this.told('write', SecretId, async () => {
      const SecretString = JSON.stringify(value);
      await this.client.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages: ['AWSPENDING'] }));
    });

  promote: NodeSecrets['promote'] = (SecretId, MoveToVersionId, RemoveFromVersionId) =>
    this.told('label', SecretId, async () => {
      const VersionStage = 'AWSCURRENT';
      await this.client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId }));
    });

  giveUp: NodeSecrets['giveUp'] = (SecretId, RemoveFromVersionId) =>
    this.told('label', SecretId, async () => {
      await this.client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'AWSPENDING', RemoveFromVersionId }));
    });

  /** Makes a set the current value at once, and gives up one that waits: its rotation would put older certificates in the place of these. */
  put = (SecretId: string, value: NodeSetSecret): Promise<string> =>
    this.told('write', SecretId, async () => {
      const { labels } = await this.state(SecretId);
      const waiting = waitingIn(labels);
      if (waiting !== undefined) await this.giveUp(SecretId, waiting);
      const { VersionId = '' } = await this.client.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(value) }));
      return VersionId;
    });

  private async told<T>(what: string, name: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof PkiUnusable || error instanceof StoreFailed) throw error;
      throw new StoreFailed(`cannot ${what} secret ${name}: ${messageOf(error)}`, { cause: error });
    }
  }
}
