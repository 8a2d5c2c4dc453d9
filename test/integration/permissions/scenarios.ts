import { InvokeCommand } from '@aws-sdk/client-lambda';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { messageOf } from '../../../lambdas/contract/lifeboat-error';
import { ledgerKey, lockKey, snapshotKey } from '../../../lambdas/contract/s3-keys';
import { waitUntil } from '../../../local/child-process';
import { copySnapshot } from '../backup/copy-snapshot';
import type { TwoClusters } from './two-clusters';
import { functionOf } from './two-clusters';

/** Something that a function does with its rights. Together they must use every right of every function. */
export interface Scenario<World = TwoClusters> {
  /** Label of the function's construct. */
  readonly function: string;
  readonly sentence: string;
  readonly run: (world: World) => Promise<void>;
}

const always = 1000;
/** The SDK does not repeat a call that was refused. */
const refused = { kind: 'status', status: 403, code: 'AccessDenied' } as const;
const returned = { outcome: 'returned' };
const storeFailed = { outcome: 'failed', error: { name: 'StoreFailed' } };

/** In this order: each finds what the ones before it left. */
export const scenarios: readonly Scenario[] = [
  {
    function: 'BackupTakeSnapshot',
    sentence: 'takes the first snapshot by schedule, and makes the lock',
    run: async ({ mine }) => expect(await mine.lifeboat.takeSnapshot({ trigger: 'scheduled' })).toMatchObject(returned),
  },
  {
    function: 'BackupTakeSnapshot',
    sentence: 'takes a second by hand, and takes over the lock that was released',
    run: async ({ mine }) => expect(await mine.lifeboat.takeSnapshot({ trigger: 'manual', note: 'a proof' })).toMatchObject(returned),
  },
  {
    function: 'BackupTakeSnapshot',
    sentence: 'ends its own upload when a part cannot be stored',
    run: async ({ cloud, mine }) => {
      cloud.faults.inject({ operation: 'UploadPart', times: always, fault: refused });

      expect(await mine.lifeboat.takeSnapshot()).toMatchObject(storeFailed);
      expect(cloud.faults.count('AbortMultipartUpload')).toBe(1);
    },
  },
  {
    function: 'BackupTakeSnapshot',
    sentence: 'looks whether its manifest is there when storing it failed',
    run: async ({ cloud, mine }) => {
      cloud.faults.inject({ operation: 'PutObject', key: '/manifest.json', times: always, fault: refused });

      expect(await mine.lifeboat.takeSnapshot()).toMatchObject(storeFailed);
    },
  },
  {
    function: 'BackupTakeSnapshot',
    sentence: 'ends an upload and takes over a lock that a killed run left behind',
    run: async ({ mine: { lifeboat } }) => {
      const { s3, bucket, cluster } = lifeboat;
      const past = new Date(0).toISOString();
      const Body = JSON.stringify({ holder: 'a run that was killed', acquiredAt: past, expiresAt: past });
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: lockKey(cluster, 'backup'), Body }));
      await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: snapshotKey(cluster, '20260101T000000Z-00000000') }));

      expect(await lifeboat.takeSnapshot()).toMatchObject(returned);
      expect((await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
    },
  },
  {
    function: 'BackupTakeSnapshot',
    sentence: 'ends in the dead-letter queue when it failed for good and nobody waited',
    run: async (world) => failForGood(world, 'BackupTakeSnapshot', { trigger: 'sometimes' }),
  },
  {
    function: 'WatchWatchMembers',
    sentence: 'raises the ledger',
    run: async ({ mine }) => expect(await mine.lifeboat.watchMembers()).toMatchObject({ result: { ledger: { state: 'current' } } }),
  },
  {
    function: 'WatchWatchMembers',
    sentence: 'rebuilds a damaged ledger from the manifests',
    run: async ({ mine: { lifeboat } }) => {
      await lifeboat.s3.send(new PutObjectCommand({ Bucket: lifeboat.bucket, Key: ledgerKey(lifeboat.cluster), Body: '{' }));

      expect(await lifeboat.watchMembers()).toMatchObject({ result: { ledger: { state: 'current' } } });
    },
  },
  {
    function: 'RetentionPruneSnapshots',
    sentence: 'removes under its prefix what the policy rejects (peer failure 22)',
    run: async ({ mine: { lifeboat } }) => {
      const [real] = await lifeboat.snapshots();
      for (const days of [100, 101]) await copySnapshot(lifeboat, real!, days);

      expect(await lifeboat.pruneSnapshots()).toMatchObject({ result: { outcome: 'pruned', counts: { removed: 2, denied: 0 } } });
    },
  },
  {
    function: 'RetentionPruneSnapshots',
    sentence: 'remembers a removal that S3 refused',
    run: async ({ cloud, mine: { lifeboat } }) => {
      const [real] = await lifeboat.snapshots();
      const id = await copySnapshot(lifeboat, real!, 500);
      cloud.faults.inject({ operation: 'DeleteObject', key: `${id}/manifest.json`, times: always, fault: refused });

      expect(await lifeboat.pruneSnapshots()).toMatchObject({ result: { counts: { denied: 1 } } });
      expect(await lifeboat.pruneSnapshots()).toMatchObject({ result: { counts: { denied: 0, waiting: 1 } } });
    },
  },
  {
    function: 'RetentionPruneSnapshots',
    sentence: 'ends in the dead-letter queue when it failed for good and nobody waited',
    run: async (world) => {
      world.cloud.faults.inject({ operation: 'ListObjectsV2', times: always, fault: refused });

      await failForGood(world, 'RetentionPruneSnapshots', {});
    },
  },
  {
    function: 'MaterializeMaterializeSnapshot',
    sentence: 'makes the plain files of two snapshots, finds one that is there, and ends its uploads when parts cannot be stored',
    run: async ({ cloud, mine: { lifeboat } }) => {
      const [older, newer] = (await lifeboat.snapshots()).map(({ id }) => id);
      for (const [restoreId, snapshotId] of Object.entries({ first: older, second: newer }))
        expect(await lifeboat.materializeSnapshot({ restoreId, snapshotId })).toMatchObject({ result: { was: 'made' } });
      expect(await lifeboat.materializeSnapshot({ restoreId: 'first', snapshotId: older })).toMatchObject({ result: { was: 'there' } });

      cloud.faults.inject({ operation: 'UploadPart', times: always, fault: refused });
      for (const restoreId of ['third', 'fourth'])
        expect(await lifeboat.materializeSnapshot({ restoreId, snapshotId: newer })).toMatchObject(storeFailed);
      expect(cloud.faults.count('AbortMultipartUpload')).toBe(2);
    },
  },
  {
    function: 'MaterializeMaterializeSnapshot',
    sentence: 'ends in the dead-letter queue when it failed for good and nobody waited',
    run: async (world) => failForGood(world, 'MaterializeMaterializeSnapshot', {}),
  },
  {
    function: 'DrillDrillInFunction',
    sentence: 'reads two snapshots back and writes into their manifests, locked, how it went',
    run: async ({ mine: { lifeboat } }) => {
      const [older, newer] = (await lifeboat.snapshots()).filter(
        ({ lock }) => lock?.until !== undefined && new Date(lock.until) > new Date(),
      );
      for (const one of [older, newer]) expect(await lifeboat.drill({ snapshotId: one!.id })).toMatchObject({ result: { passed: true } });
      expect(await lifeboat.drill()).toMatchObject({ result: { passed: true } });
    },
  },
  {
    function: 'DrillDrillInFunction',
    sentence: 'ends in the dead-letter queue when it failed for good and nobody waited',
    run: async (world) => failForGood(world, 'DrillDrillInFunction', { snapshotId: 'latest' }),
  },
  {
    function: 'ReplicaWatchWatchReplica',
    sentence: 'lists here and in the other region',
    run: async ({ mine }) => expect(await mine.lifeboat.watchReplica()).toMatchObject(returned),
  },
  {
    function: 'ReplicaWatchWatchReplica',
    sentence: 'ends in the dead-letter queue when it failed for good and nobody waited',
    run: async (world) => {
      world.cloud.faults.inject({ operation: 'ListObjectsV2', times: always, fault: refused });

      await failForGood(world, 'ReplicaWatchWatchReplica', {});
    },
  },
];

const DeadLetter = z.object({ requestContext: z.object({ functionArn: z.string() }) });

async function failForGood({ cloud, lambda, mine }: TwoClusters, label: string, event: unknown): Promise<void> {
  const { arn, name } = functionOf(mine, label);
  const sqs = new SQSClient({ ...cloud.clientConfig(), useQueueUrlAsEndpoint: false });
  const arrived = async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: mine.deadLetters, MaxNumberOfMessages: 10 }));
    return Messages.some(({ Body = '' }) => DeadLetter.parse(JSON.parse(Body)).requestContext.functionArn === arn);
  };
  try {
    await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload: JSON.stringify(event) }));
    await waitUntil(`the failed run of ${label} reaches the dead-letter queue`, 30_000, arrived, 100);
  } finally {
    sqs.destroy();
  }
}

/** Runs them all, and returns a line for each that did not go as it should: the findings about its calls say why. */
export async function runScenarios<World extends Pick<TwoClusters, 'cloud'>>(
  scenarios: readonly Scenario<World>[],
  world: World,
): Promise<string[]> {
  const failures: string[] = [];
  for (const { function: label, sentence, run } of scenarios) {
    try {
      await run(world);
    } catch (error) {
      failures.push(`${label} does not: ${sentence}: ${stripVTControlCharacters(messageOf(error))}`);
    } finally {
      world.cloud.faults.clear();
    }
  }
  return failures;
}
