import { setTimeout as sleep } from 'node:timers/promises';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { BRISK } from '../aws/brisk';
import { callFunction } from '../aws/call-function';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { SecretsManagerNodes } from '../aws/node-secrets';
import { SecretsManagerPki } from '../aws/pki-secrets';
import { S3Lock } from '../aws/s3-lock';
import { openTelemetry } from '../aws/telemetry';
import type { NodeSetSecret } from '../contract/certificates';
import { Env } from '../contract/env';
import { NodeTags } from '../contract/restore';
import { SsmNodes } from '../nodes/ssm-nodes';
import { CertificateSettings } from './adopt';
import { patientLock } from './patient-lock';
import { EtcdAnswer, PortsAnswer, etcdQuestion } from './probe';
import { rotate } from './rotate';
import { RotationEvent } from './rotation-step';
import { rotationWork } from './rotation-work';

/** The lock outlives a function that was killed by no more than its own limit. */
const LOCK_MS = 16 * 60_000;
/** What a node needs once it is its turn: to install and, when that cannot be proven, to put back. */
const TURN_MS = 6 * 60_000;
/** Time kept back to give the lock back. */
const RESERVE_MS = 30_000;

const cluster = requireEnv(Env.clusterName);
const now = () => new Date();
const ssm = new SsmNodes(new SSMClient(BRISK), cluster);
const manager = new SecretsManagerClient(BRISK);
const { controlPlane } = requireJson(Env.nodeTags, NodeTags);
const settings = requireJson(Env.certificateSettings, CertificateSettings);
const lambda = new LambdaClient({ maxAttempts: 3 });
const probe = requireEnv(Env.probeFunction);
const lock = new S3Lock(new S3Client(BRISK), { bucket: requireEnv(Env.stateBucket), cluster, name: 'control-plane', ttlMs: LOCK_MS }, now);
const telemetry = openTelemetry(cluster, 'rotate-certificates');

export async function handler(event: unknown, context: { readonly getRemainingTimeInMillis: () => number }): Promise<object> {
  const until = new Date(now().getTime() + context.getRemainingTimeInMillis() - RESERVE_MS);
  const work = rotationWork({
    ...{ cluster, settings, until, now },
    sender: ssm,
    wait: (milliseconds) => sleep(milliseconds),
    registered: () => ssm.registered(controlPlane),
    pki: new SecretsManagerPki(manager, cluster),
    currentSet: new SecretsManagerNodes(manager).current,
  });
  const edges = {
    ...work,
    secrets: new SecretsManagerNodes(manager),
    lock: patientLock(lock, { until: new Date(until.getTime() - TURN_MS), now, wait: (milliseconds) => sleep(milliseconds) }),
    telemetry,
    etcdTooWeak: async (set: NodeSetSecret) => (await callFunction(lambda, probe, etcdQuestion(set), EtcdAnswer)).weak ?? undefined,
    prove: (secretId: string, version: string, former: string | undefined) =>
      callFunction(lambda, probe, { do: 'ports', secretId, version, former }, PortsAnswer),
  };
  try {
    return await rotate(edges, parseEvent(RotationEvent, event));
  } finally {
    telemetry.flush();
  }
}
