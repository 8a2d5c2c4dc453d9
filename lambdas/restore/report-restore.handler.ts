import { setTimeout as wait } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { executionHistory } from '../aws/execution-history';
import { openLedger } from '../aws/s3-ledger';
import { S3ManifestDocuments } from '../aws/s3-manifest-documents';
import { restoreNotes } from '../aws/s3-restore-notes';
import { openTopic } from '../aws/sns';
import { startExecution } from '../aws/start-execution';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import type { Drill } from '../contract/manifest';
import { Metric } from '../contract/metrics';
import { stampDrill } from './stamp-drill';
import type { Reported } from './report-restore';
import { EndedEvent, reportRestore } from './report-restore';
import { tellRefused } from './tell-refused';

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const telemetry = openTelemetry(cluster, 'report-restore');
const s3 = new S3Client(BRISK);
const ledger = openLedger(bucket, cluster, telemetry, wait);
const files = restoreNotes(s3, bucket, cluster);
const topic = process.env[Env.alarmTopic];
const tell = topic === undefined ? () => Promise.resolve() : openTopic(topic);

const stamp = async (snapshot: string, drill: Drill): Promise<void> => {
  telemetry.count(Metric.drillPassed, Number(drill.passed), 'Count');
  telemetry.flush();
  await stampDrill({ manifests: new S3ManifestDocuments(s3, bucket, cluster), telemetry, now: () => new Date() }, snapshot, drill);
};

const rotateCa = process.env[Env.rotateCa];
const heal = async (restoreId: string): Promise<string> =>
  (await startExecution(rotateCa ?? '', `heal-${restoreId}`.slice(0, 80), { heal: restoreId })).execution;

export async function handler(event: unknown): Promise<Reported | undefined> {
  const ended = parseEvent(EndedEvent, event);
  if (ended.ending === 'refused') {
    await tellRefused({ cluster, tell, telemetry }, ended);
    return undefined;
  }
  const edges = {
    ledger,
    history: executionHistory,
    writeReport: (name: string, report: Reported['report']) => files.write(name, 'report.json', JSON.stringify(report, undefined, 1)),
    tell,
    heal: rotateCa === undefined ? undefined : heal,
    stamp,
    now: () => new Date(),
  };
  return reportRestore(edges, ended);
}
