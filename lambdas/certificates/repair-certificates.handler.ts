import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { SecretsManagerNodes } from '../aws/node-secrets';
import { SecretsManagerPki } from '../aws/pki-secrets';
import { repairNotes } from '../aws/s3-adoption-notes';
import { putEtcdClientSecret, readEtcdClientSecret } from '../aws/secrets';
import { openTopic } from '../aws/sns';
import { openTelemetry } from '../aws/telemetry';
import { Env } from '../contract/env';
import { parseInput } from '../contract/parse-input';
import { RepairRequest } from '../contract/repair-certificates';
import { NodeTags } from '../contract/restore';
import { SsmNodes } from '../nodes/ssm-nodes';
import { CertificateSettings } from './adopt';
import { RepairRefused } from './errors';
import { FindForRepair, MintForRepair, findForRepair, mintForRepair } from './repair';
import { ReportRepair, reportRepair } from './report-repair';

const RepairEvent = z.discriminatedUnion('do', [FindForRepair, MintForRepair, ReportRepair]);

const cluster = requireEnv(Env.clusterName);
const nodes = new SsmNodes(new SSMClient(BRISK), cluster);
const manager = new SecretsManagerClient(BRISK);
const sets = new SecretsManagerNodes(manager);
const clientSecret = requireEnv(Env.etcdClientSecret);
const topic = process.env[Env.alarmTopic];
const { controlPlane } = requireJson(Env.nodeTags, NodeTags);
const settings = requireJson(Env.certificateSettings, CertificateSettings);
const edges = {
  cluster,
  registered: () => nodes.registered(controlPlane),
  pki: new SecretsManagerPki(manager, cluster),
  putSet: sets.put,
  etcdClient: () => readEtcdClientSecret(manager, clientSecret).catch(() => undefined),
  putEtcdClient: (secret: Parameters<typeof putEtcdClientSecret>[2]) => putEtcdClientSecret(manager, clientSecret, secret),
  write: repairNotes(new S3Client(BRISK), requireEnv(Env.stateBucket), cluster),
  tell: topic === undefined ? undefined : openTopic(topic),
  telemetry: openTelemetry(cluster, 'repair-certificates'),
  now: () => new Date(),
};

export async function handler(event: unknown): Promise<object> {
  const step = parseEvent(RepairEvent, event);
  switch (step.do) {
    case 'find':
      return findForRepair(edges, parseInput(RepairRequest, step.input, RepairRefused), step.execution);
    case 'mint':
      return mintForRepair(edges, settings, step.found);
    case 'report':
      return reportRepair(edges, settings, step.state);
  }
}
