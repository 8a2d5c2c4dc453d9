import { DeleteObjectCommand, GetObjectCommand, NoSuchKey, PutObjectCommand } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { Ledger } from '../../../lambdas/contract/ledger';
import { ledgerKey } from '../../../lambdas/contract/s3-keys';
import type { InvokeResult } from '../../../local/cloud';
import { clientOf, startWorld } from './world';
import type { World, WorldOptions } from './world';

/** A world, and what a test does to its ledger. */
export interface LedgerWorld extends World {
  /** Writes so many keys and returns the revision after the last. */
  write(keys: number): Promise<number>;
  ledger(): Promise<Ledger>;
  putLedger(text: string): Promise<void>;
  removeLedger(): Promise<void>;
  watch(): Promise<Watch>;
}

/** One run of watch-members: what it returned, the metrics that it told and the events that it logged. */
export interface Watch {
  readonly result: z.infer<typeof Result>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly events: readonly { readonly message: string; readonly because?: string }[];
}

const Result = z.looseObject({
  outcome: z.string(),
  because: z.string().optional(),
  lineage: z.string().optional(),
  revision: z.number().optional(),
  ledger: z.looseObject({ state: z.string(), ceiling: z.number().optional() }),
});
const Line = z.looseObject({ message: z.string() });
const Metrics = z.looseObject({
  _aws: z.object({ CloudWatchMetrics: z.tuple([z.object({ Metrics: z.array(z.object({ Name: z.string() })) })]) }),
});

export async function startLedgerWorld(options: WorldOptions): Promise<LedgerWorld> {
  const world = await startWorld(options);
  const { s3, bucket, cluster } = world.lifeboat;
  const place = { Bucket: bucket, Key: ledgerKey(cluster) };
  const client = clientOf(world.etcd);
  return {
    ...world,
    write: async (keys) => {
      let revision = 0;
      for (let n = 0; n < keys; n++) revision = Number((await client.put(`/registry/busy/${n % 50}`).value(String(n))).header.revision);
      return revision;
    },
    ledger: async () => {
      const { Body } = await s3.send(new GetObjectCommand(place));
      return Ledger.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    },
    putLedger: async (text) => {
      await s3.send(new PutObjectCommand({ ...place, Body: text, ContentLength: Buffer.byteLength(text) }));
    },
    removeLedger: async () => {
      await s3.send(new DeleteObjectCommand(place)).catch((error: unknown) => {
        if (!(error instanceof NoSuchKey)) throw error;
      });
    },
    watch: async () => read(await world.lifeboat.watchMembers()),
    stop: async () => {
      client.close();
      await world.stop();
    },
  };
}

/** @throws when the run ended as an error: whatever happens outside, it must not */
function read(answer: InvokeResult): Watch {
  if (answer.outcome === 'failed') throw new Error(`watch-members failed: ${answer.error.name} ${answer.error.message}`);
  const lines = answer.logTail.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line.slice(Math.max(0, line.indexOf('{')))) as unknown];
    } catch {
      return [];
    }
  });
  const metrics = lines.flatMap((line) => {
    const document = Metrics.safeParse(line).data;
    return document === undefined
      ? []
      : document._aws.CloudWatchMetrics[0].Metrics.map(({ Name }) => [Name, Number(document[Name])] as const);
  });
  const events = lines.flatMap((line) => {
    const event = Line.safeParse(line).data;
    return event === undefined ? [] : [{ ...event, message: event.message }];
  });
  return { result: Result.parse(answer.result), metrics: Object.fromEntries(metrics), events };
}
