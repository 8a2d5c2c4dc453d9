import { setTimeout as sleep } from 'node:timers/promises';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Route53Client } from '@aws-sdk/client-route-53';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { BRISK } from '../aws/brisk';
import { callFunction } from '../aws/call-function';
import { trailRegionFor, zoneCalls } from '../aws/cloud-trail';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { balancerOf } from '../aws/load-balancers';
import { resolveAt } from '../ports/resolver';
import { Route53Zone } from '../aws/route53-zone';
import { apiRecordState } from '../aws/s3-api-record-state';
import { S3Lock } from '../aws/s3-lock';
import { openTelemetry } from '../aws/telemetry';
import { ApiRecordSettings, ProbeReport, SyncEvent } from '../contract/api-record';
import { Env } from '../contract/env';
import { NodeTags } from '../contract/restore';
import { answerOf } from '../kubernetes/api-answer';
import { SsmNodes } from '../nodes/ssm-nodes';
import { look } from './look';
import type { SyncReport } from './sync-record';
import { syncRecord } from './sync-record';

/** Kept back after the wait for Route 53, to put the guard back and to tell. */
const RESERVE_MS = 15_000;

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const settings = requireJson(Env.apiRecord, ApiRecordSettings);
const { controlPlane } = requireJson(Env.nodeTags, NodeTags);
const probe = requireEnv(Env.probeFunction);
const ownRole = requireEnv(Env.ownRole);
const now = () => new Date();
const s3 = new S3Client(BRISK);
const lambda = new LambdaClient({ maxAttempts: 2 });
const balancers = new ElasticLoadBalancingV2Client(BRISK);
const ssm = new SsmNodes(new SSMClient(BRISK), cluster);
const zone = new Route53Zone(new Route53Client(BRISK), settings.zoneId);
const trail = zoneCalls(new CloudTrailClient({ ...BRISK, region: trailRegionFor(process.env['AWS_REGION'] ?? '') }));
const state = apiRecordState(s3, bucket, cluster);
const lock = new S3Lock(s3, { bucket, cluster, name: 'control-plane', ttlMs: 0 }, now);
const telemetry = openTelemetry(cluster, 'sync-api-record');

export async function handler(event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<SyncReport> {
  const edges = {
    ...{ zone, state, trail, ownRole, telemetry, now },
    balancer: (arn: string, port: number) => balancerOf(balancers, arn, port),
    nodes: () => ssm.registered(controlPlane),
    lookInside: (request: object) => callFunction(lambda, probe, request, ProbeReport),
    lookOutside: (request: Parameters<typeof look>[1], servers: readonly string[]) =>
      look({ answerOf, resolve: (name) => resolveAt(name, servers) }, request),
    lockedBy: () => lock.holder(),
    wait: (milliseconds: number) => sleep(milliseconds),
    until: new Date(now().getTime() + context.getRemainingTimeInMillis() - RESERVE_MS),
  };
  try {
    return await syncRecord(edges, cluster, settings, parseEvent(SyncEvent, event));
  } finally {
    telemetry.flush();
  }
}
