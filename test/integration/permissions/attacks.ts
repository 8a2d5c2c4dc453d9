import { GetFunctionConfigurationCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  SecretsManagerClient,
  paginateListSecrets,
} from '@aws-sdk/client-secrets-manager';
import { clusterPrefix, ledgerKey, lockKey, manifestKey, pruneStateKey, snapshotKey } from '../../../lambdas/contract/s3-keys';
import type { FunctionCall, InvokeResult } from '../../../local/cloud';
import type { FunctionRights } from '../../support/permissions/stack-rights';
import { copySnapshot } from '../backup/copy-snapshot';
import type { Neighbours, TwoClusters } from './two-clusters';
import { functionOf } from './two-clusters';

/** One of my functions, told by its environment to work on what is theirs. */
export interface Attack {
  readonly label: string;
  /** The variables that hold their values. */
  readonly variables: readonly string[];
  readonly answer: InvokeResult;
  readonly calls: readonly FunctionCall[];
}

type Variables = Readonly<Record<string, string>>;

/** What a function must be told before it does anything with the variables that hold their values; undefined where those name nothing of theirs. */
export type EventOf = (label: string, variables: readonly string[]) => unknown;

/** What the functions for backups are told. */
export async function backupEvents({ theirs }: Neighbours): Promise<EventOf> {
  const [theirSnapshot] = await theirs.lifeboat.snapshots();
  const events: Readonly<Record<string, unknown>> = {
    MaterializeMaterializeSnapshot: { restoreId: 'attack', snapshotId: theirSnapshot?.id },
    DrillDrillInFunction: { snapshotId: theirSnapshot?.id },
  };
  return (label) => events[label] ?? {};
}

/** Every function of mine, with each single variable in which it differs from theirs, and with all of them. */
export async function attackAll(world: Neighbours, eventOf: EventOf): Promise<Attack[]> {
  const attacks: Attack[] = [];
  for (const attacker of world.mine.rights.functions) {
    const [mine, theirs] = [
      await variablesOf(world, attacker.name),
      await variablesOf(world, functionOf(world.theirs, attacker.label).name),
    ];
    const different = Object.keys(theirs).filter((name) => theirs[name] !== mine[name]);
    for (const variables of [...different.map((name) => [name]), different]) {
      const event = eventOf(attacker.label, variables);
      if (event === undefined) continue;
      await configure(world, attacker, { ...mine, ...Object.fromEntries(variables.map((name) => [name, theirs[name] ?? ''])) });
      const before = world.cloud.calls().length;
      const answer = await world.cloud.invoke(attacker.name, event);
      attacks.push({ label: attacker.label, variables, answer, calls: world.cloud.calls().slice(before) });
    }
    await configure(world, attacker, mine);
  }
  return attacks;
}

async function variablesOf({ lambda }: Neighbours, FunctionName: string): Promise<Variables> {
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  return Environment?.Variables ?? {};
}

const configure = ({ lambda }: Neighbours, { name }: FunctionRights, Variables: Variables) =>
  lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables } }));

/** Whether a call asks for something of theirs: their bucket, a secret, a function or a document of theirs, or their prefix wherever it is. */
export function concernsThem({ theirs: { lifeboat, rights } }: Neighbours, { resource, context }: FunctionCall): boolean {
  const asked = [resource, ...Object.values(context).flat()].join(' ');
  const { bucket, replica, cluster } = lifeboat;
  const named = [bucket, replica?.bucket ?? [], clusterPrefix(cluster), secretsPrefix(cluster), `document/lifeboat-${cluster}-`].flat();
  return [...named, ...rights.functions.map(({ arn }) => arn)].some((theirs) => asked.includes(theirs));
}

/** Every secret of a cluster is named so. */
const secretsPrefix = (cluster: string): string => `lifeboat/${cluster}/`;

/** Puts what an attack would change where it would change it: snapshots to remove, an upload to abort, a free lock to take. */
export async function layBait({ mine, theirs }: TwoClusters): Promise<void> {
  const [real] = await theirs.lifeboat.snapshots();
  // The floor of the policy keeps one of them.
  const [removable] = await Promise.all([100, 101].map((days) => copySnapshot(theirs.lifeboat, real!, days)));
  const { s3, cluster } = theirs.lifeboat;
  const upload = snapshotKey(cluster, '20260101T000000Z-00000000');
  for (const Bucket of [theirs.lifeboat.bucket, mine.lifeboat.bucket])
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: upload }));
  const past = new Date(0).toISOString();
  const lock = JSON.stringify({ holder: 'nobody', acquiredAt: past, expiresAt: past });
  const objects = {
    [lockKey(cluster, 'backup')]: lock,
    [lockKey(cluster, 'prune')]: lock,
    [pruneStateKey(cluster)]: '{}',
    [ledgerKey(cluster)]: '{}',
    [manifestKey(cluster, removable!)]: '{}',
  };
  for (const [Key, Body] of Object.entries(objects)) await s3.send(new PutObjectCommand({ Bucket: mine.lifeboat.bucket, Key, Body }));
}

/** Everything of theirs that could change: every version and open upload in their bucket and under their prefix in mine, and their secrets. */
export async function stateOfThem({ cloud, mine, theirs }: Neighbours): Promise<unknown> {
  const { s3, cluster } = theirs.lifeboat;
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  try {
    const places = [
      { client: s3, place: { Bucket: theirs.lifeboat.bucket } },
      { client: s3, place: { Bucket: mine.lifeboat.bucket, Prefix: clusterPrefix(cluster) } },
      ...(theirs.lifeboat.replica ? [{ client: theirs.lifeboat.replica.s3, place: { Bucket: theirs.lifeboat.replica.bucket } }] : []),
    ];
    const contents = places.map(async ({ client, place }) => {
      const { Versions, DeleteMarkers } = await client.send(new ListObjectVersionsCommand(place));
      const { Uploads } = await client.send(new ListMultipartUploadsCommand(place));
      return { Versions, DeleteMarkers, Uploads };
    });
    return { contents: await Promise.all(contents), secrets: await stateOfSecrets(secrets, secretsPrefix(cluster)) };
  } finally {
    secrets.destroy();
  }
}

async function stateOfSecrets(client: SecretsManagerClient, prefix: string): Promise<object[]> {
  const states: object[] = [];
  for await (const { SecretList = [] } of paginateListSecrets({ client }, {})) {
    for (const { Name = '', ARN: SecretId } of SecretList.filter(({ Name: name = '' }) => name.startsWith(prefix))) {
      const { VersionIdsToStages, RotationEnabled, RotationLambdaARN } = await client.send(new DescribeSecretCommand({ SecretId }));
      const { ResourcePolicy } = await client.send(new GetResourcePolicyCommand({ SecretId }));
      states.push({ Name, VersionIdsToStages, RotationEnabled, RotationLambdaARN, ResourcePolicy });
    }
  }
  return states;
}
