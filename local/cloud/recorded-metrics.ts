import { existsSync, readFileSync } from 'node:fs';
import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, SQSClient, paginateListQueues } from '@aws-sdk/client-sqs';
import type { ClientConfig } from './clients';
import { functionLogs } from './invoke';
import type { MetricPoint } from './metrics';
import { embeddedMetrics, queueMetric, runMetrics } from './metrics';

/** Every point that there is evidence of: in the logs of functions, in the emulator's log of runs, and in the queues as they are now. */
export async function recordedMetrics(config: ClientConfig, runLog: string): Promise<MetricPoint[]> {
  const runs = existsSync(runLog) ? runMetrics(readFileSync(runLog, 'utf8')) : [];
  return [...(await functionMetrics(config)), ...runs, ...(await queueMetrics(config))];
}

async function functionMetrics(config: ClientConfig): Promise<MetricPoint[]> {
  const client = new LambdaClient(config);
  const points: MetricPoint[] = [];
  try {
    for await (const { Functions = [] } of paginateListFunctions({ client }, {}))
      for (const { FunctionName = '' } of Functions) points.push(...embeddedMetrics(await functionLogs(config, FunctionName)));
  } finally {
    client.destroy();
  }
  return points;
}

async function queueMetrics(config: ClientConfig): Promise<MetricPoint[]> {
  const client = new SQSClient(config);
  const points: MetricPoint[] = [];
  try {
    for await (const { QueueUrls = [] } of paginateListQueues({ client }, {})) {
      for (const QueueUrl of QueueUrls) {
        const { Attributes } = await client.send(
          new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
        );
        points.push(queueMetric(QueueUrl.replace(/^.*\//, ''), Number(Attributes?.ApproximateNumberOfMessages), new Date()));
      }
    }
  } finally {
    client.destroy();
  }
  return points;
}
