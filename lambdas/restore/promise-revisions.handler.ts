import { setTimeout as wait } from 'node:timers/promises';
import { parseEvent, requireEnv } from '../aws/environment';
import { openLedger } from '../aws/s3-ledger';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import type { Promised } from './promise-revisions';
import { PromiseEvent, promiseRevisions } from './promise-revisions';

const cluster = requireEnv(Env.clusterName);
const telemetry = openTelemetry(cluster, 'promise-revisions');
const ledger = openLedger(requireEnv(Env.stateBucket), cluster, telemetry, wait);

export async function handler(event: unknown): Promise<Promised> {
  return promiseRevisions(ledger, parseEvent(PromiseEvent, event), new Date());
}
