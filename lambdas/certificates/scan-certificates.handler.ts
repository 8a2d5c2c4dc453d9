import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { nodeRotations } from '../aws/node-enrolment';
import { inventoryNote } from '../aws/s3-adoption-notes';
import { openTelemetry } from '../aws/telemetry';
import { ScanRequest } from '../contract/certificate-scan';
import { Env } from '../contract/env';
import { NodeTags } from '../contract/restore';
import { SsmNodes } from '../nodes/ssm-nodes';
import { CertificateSettings } from './adopt';
import { FindForScan, JudgeScan, findForScan, judgeScan } from './scan';

const ScanEvent = z.discriminatedUnion('do', [FindForScan, JudgeScan]);

const cluster = requireEnv(Env.clusterName);
const nodes = new SsmNodes(new SSMClient(BRISK), cluster);
const rotations = nodeRotations(new SecretsManagerClient(BRISK));
const telemetry = openTelemetry(cluster, 'scan-certificates');
const { controlPlane } = requireJson(Env.nodeTags, NodeTags);
const settings = requireJson(Env.certificateSettings, CertificateSettings);
const edges = {
  cluster,
  telemetry,
  registered: () => nodes.registered(controlPlane),
  write: inventoryNote(new S3Client(BRISK), requireEnv(Env.stateBucket), cluster),
  lastRotated: rotations.lastRotated,
  rotate: rotations.start,
  now: () => new Date(),
};

export async function handler(event: unknown): Promise<object> {
  const step = parseEvent(ScanEvent, event);
  try {
    return step.do === 'find' ? await findForScan(edges, parseEvent(ScanRequest, step.input)) : await judgeScan(edges, settings, step);
  } finally {
    telemetry.flush();
  }
}
