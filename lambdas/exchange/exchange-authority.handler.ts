import { z } from 'zod';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { exchangeEdges } from '../aws/exchange-edges';
import { openTelemetry } from '../aws/telemetry';
import { CertificateSettings } from '../certificates/adopt';
import { Env } from '../contract/env';
import { NodeTags } from '../contract/restore';
import { BeginExchange, begin } from './begin';
import { FailExchange, fail } from './fail';
import { StepExchange, step } from './step';

const ExchangeEvent = z.discriminatedUnion('do', [BeginExchange, StepExchange, FailExchange]);

const cluster = requireEnv(Env.clusterName);
const telemetry = openTelemetry(cluster, 'exchange-authority');
const edges = exchangeEdges({
  cluster,
  bucket: requireEnv(Env.stateBucket),
  settings: requireJson(Env.certificateSettings, CertificateSettings),
  controlPlane: requireJson(Env.nodeTags, NodeTags).controlPlane,
  eyes: requireEnv(Env.probeFunction),
  enrols: requireEnv(Env.enrolFunction),
  clientSecret: requireEnv(Env.etcdClientSecret),
  topic: process.env[Env.alarmTopic],
  telemetry,
  now: () => new Date(),
});

export async function handler(event: unknown): Promise<object> {
  const asked = parseEvent(ExchangeEvent, event);
  try {
    if (asked.do === 'begin') return await begin(edges, asked);
    return asked.do === 'step' ? await step(edges, asked.state) : await fail(edges, asked);
  } finally {
    telemetry.flush();
  }
}
