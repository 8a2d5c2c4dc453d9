import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { BRISK } from './brisk';
import { callFunction } from './call-function';
import { executionStatus } from './execution-status';
import { generationNotes } from './generation-notes';
import { nodeRotations } from './node-enrolment';
import { SecretsManagerPki } from './pki-secrets';
import { exchangeNotes } from './s3-adoption-notes';
import { S3Lock } from './s3-lock';
import { S3SnapshotCatalog } from './s3-snapshot-catalog';
import { putEtcdClientSecret, readEtcdClientSecret } from './secrets';
import { openTopic } from './sns';
import { startBeside } from './start-execution';
import type { CertificateSettings } from '../certificates/adopt';
import { EnrolAnswer } from '../certificates/enrol';
import { AccountsLook, ClusterLook, ClusterTold, EtcdLook, NodeStamps, PortLook } from '../contract/exchange-looks';
import type { LookEvent } from '../contract/exchange-looks';
import { RestoreRequest } from '../contract/restore';
import type { EtcdClientSecret } from '../contract/secrets';
import { SsmNodes } from '../nodes/ssm-nodes';
import { chooseSnapshot } from '../restore/choose-snapshot';
import { candidatesOf, keptOf } from '../restore/plan-restore';
import type { ExchangeEdges } from '../exchange/edges';

/** It outlives a function that was killed by no more than its own limit, five minutes. */
const LOCK_MS = 6 * 60_000;

export interface ExchangePlace {
  readonly cluster: string;
  readonly bucket: string;
  readonly settings: CertificateSettings;
  readonly controlPlane: Parameters<SsmNodes['registered']>[0];
  /** The function that stands beside the cluster. */
  readonly eyes: string;
  /** The function that makes the secrets of nodes. */
  readonly enrols: string;
  readonly clientSecret: string;
  readonly topic: string | undefined;
  readonly telemetry: ExchangeEdges['telemetry'];
  readonly now: () => Date;
}

/** The world of an exchange of an authority: AWS, and the function that stands beside the cluster. */
export function exchangeEdges({
  cluster,
  bucket,
  settings,
  controlPlane,
  eyes,
  enrols,
  clientSecret,
  topic,
  telemetry,
  now,
}: ExchangePlace): ExchangeEdges {
  const s3 = new S3Client(BRISK);
  const manager = new SecretsManagerClient(BRISK);
  const lambda = new LambdaClient({ maxAttempts: 3 });
  const nodes = new SsmNodes(new SSMClient(BRISK), cluster);
  const pki = new SecretsManagerPki(manager, cluster);
  const note = generationNotes(s3, bucket, cluster, pki, telemetry);
  const ask = <T>(payload: LookEvent, answer: z.ZodType<T>): Promise<T> => callFunction(lambda, eyes, payload, answer);
  const lock = new S3Lock(s3, { bucket, cluster, name: 'control-plane', ttlMs: LOCK_MS }, now);
  return {
    cluster,
    settings,
    registered: () => nodes.registered(controlPlane),
    authority: pki.authority,
    change: async (name, by) => {
      const document = await pki.changeAuthority(name, by);
      await note();
      return document;
    },
    note,
    accounts: pki.serviceAccounts,
    changeAccounts: async (by) => {
      const document = await pki.changeServiceAccounts(by);
      await note();
      return document;
    },
    forgetFormer: pki.forgetFormer,
    stamps: (secretIds) => ask({ do: 'stamps', secretIds: [...secretIds] }, z.array(NodeStamps)),
    rotate: nodeRotations(manager).ask,
    enrol: async (asked) => {
      // Whoever exchanges an authority holds its key.
      const plan = { nodes: asked, authorities: [{ key: 'held' }] };
      return (await callFunction(lambda, enrols, { do: 'enrol', plan }, EnrolAnswer)).enrolled;
    },
    lookAtPorts: (ports) => ask({ do: 'ports', ports: [...ports] }, z.array(PortLook)),
    lookAtEtcd: () => ask({ do: 'etcd' }, EtcdLook),
    lookAtCluster: (asked) => ask({ do: 'cluster', ...asked }, ClusterLook),
    lookAtAccounts: (asked) => ask({ do: 'accounts', ...asked }, AccountsLook),
    tellCluster: (asked, write) => ask({ do: 'tell-cluster', ...asked, write }, ClusterTold),
    snapshots: async () => {
      const candidates = await candidatesOf({ cluster, catalog: new S3SnapshotCatalog(s3, bucket, cluster) });
      const choice = chooseSnapshot(candidates, RestoreRequest.parse({}));
      const newest = 'refused' in choice ? undefined : { id: choice.manifest.id, takenAt: new Date(choice.manifest.takenAt) };
      return { newest, kept: keptOf(candidates) };
    },
    etcdClient: () => readEtcdClientSecret(manager, clientSecret),
    putEtcdClient: (secret: EtcdClientSecret) => putEtcdClientSecret(manager, clientSecret, secret),
    lock,
    lockedBy: () => lock.holder(),
    runs: async (execution) => (await executionStatus(execution)) === 'RUNNING',
    startNext: startBeside,
    write: exchangeNotes(s3, bucket, cluster),
    tell: topic === undefined ? undefined : openTopic(topic),
    telemetry,
    now,
  };
}
