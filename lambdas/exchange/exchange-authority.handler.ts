import { z } from 'zod';
import { dailyEdges } from '../aws/daily-edges';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { exchangeEdges } from '../aws/exchange-edges';
import { openTelemetry } from '../aws/telemetry';
import { CertificateSettings } from '../certificates/adopt';
import { Env } from '../contract/env';
import { ExchangePolicy } from '../contract/exchange-policy';
import { NodeTags } from '../contract/restore';
import { BeginExchange, begin } from './begin';
import { DailyExchange, daily } from './daily';
import { StepExchange, step } from './step';

const ExchangeEvent = z.discriminatedUnion('do', [BeginExchange, StepExchange, DailyExchange]);

const cluster = requireEnv(Env.clusterName);
const bucket = requireEnv(Env.stateBucket);
const telemetry = openTelemetry(cluster, 'exchange-authority');
const edges = exchangeEdges({
  cluster,
  bucket,
  settings: requireJson(Env.certificateSettings, CertificateSettings),
  controlPlane: requireJson(Env.nodeTags, NodeTags).controlPlane,
  eyes: requireEnv(Env.probeFunction),
  enrols: requireEnv(Env.enrolFunction),
  clientSecret: requireEnv(Env.etcdClientSecret),
  topic: process.env[Env.alarmTopic],
  telemetry,
  now: () => new Date(),
});

const policy = requireJson(Env.exchangePolicy, ExchangePolicy);

export async function handler(event: unknown, context: { readonly invokedFunctionArn: string }): Promise<object> {
  const asked = parseEvent(ExchangeEvent, event);
  try {
    switch (asked.do) {
      case 'begin':
        return await begin(edges, asked);
      case 'step':
        return await step(edges, asked.state);
      case 'daily':
        return await daily({ ...edges, ...dailyEdges(cluster, bucket, context.invokedFunctionArn) }, policy, asked);
    }
  } finally {
    telemetry.flush();
  }
}
