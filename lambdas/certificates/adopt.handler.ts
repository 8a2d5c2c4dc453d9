import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { SecretsManagerPki } from '../aws/pki-secrets';
import { EnrolmentSettings, nodeEnrolment } from '../aws/node-enrolment';
import { generationNotes } from '../aws/generation-notes';
import { adoptionNotes } from '../aws/s3-adoption-notes';
import { openTopic } from '../aws/sns';
import { openTelemetry } from '../aws/telemetry';
import { AdoptRequest } from '../contract/certificates';
import { Env } from '../contract/env';
import { parseInput } from '../contract/parse-input';
import { NodeTags } from '../contract/restore';
import { SsmNodes } from '../nodes/ssm-nodes';
import { CertificateSettings, FindEvent, PlanEvent, TakeOverEvent, findForAdoption, planForAdoption } from './adopt';
import { AdoptionRefused } from './errors';
import { EnrolEvent, enrolNodes } from './enrol';
import { mintAuthorities } from './mint';
import { ReportEvent, reportAdoption } from './report-adoption';
import { takeOver } from './take-over';

const MintEvent = z.object({ do: z.literal('mint') });
const AdoptEvent = z.discriminatedUnion('do', [FindEvent, PlanEvent, MintEvent, TakeOverEvent, EnrolEvent, ReportEvent]);

const cluster = requireEnv(Env.clusterName);
const nodes = new SsmNodes(new SSMClient(BRISK), cluster);
const manager = new SecretsManagerClient(BRISK);
const secrets = new SecretsManagerPki(manager, cluster);
const enrolment = nodeEnrolment(manager, cluster, requireJson(Env.nodeSecretSettings, EnrolmentSettings));
const s3 = new S3Client(BRISK);
const bucket = requireEnv(Env.stateBucket);
const write = adoptionNotes(s3, bucket, cluster);
const topic = process.env[Env.alarmTopic];
const tell = topic === undefined ? undefined : openTopic(topic);
const telemetry = openTelemetry(cluster, 'adopt');
const { controlPlane } = requireJson(Env.nodeTags, NodeTags);
const settings = requireJson(Env.certificateSettings, CertificateSettings);
const note = generationNotes(s3, bucket, cluster, secrets, telemetry);
const edges = { cluster, secrets, write, tell, telemetry, registered: () => nodes.registered(controlPlane), now: () => new Date() };

export async function handler(event: unknown): Promise<object> {
  const step = parseEvent(AdoptEvent, event);
  switch (step.do) {
    case 'find':
      return findForAdoption(edges, controlPlane, parseInput(AdoptRequest, step.input, AdoptionRefused), step.execution);
    case 'plan':
      return planForAdoption(edges, settings, step.found);
    case 'mint':
      return mintAuthorities(edges, settings.caValidityYears).finally(note);
    case 'take-over':
      return takeOver(edges, step.plan).finally(note);
    case 'enrol':
      return enrolNodes(enrolment, cluster, step.plan);
    case 'report':
      return reportAdoption(edges, step.state);
  }
}
