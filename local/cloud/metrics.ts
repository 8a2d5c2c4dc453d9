import { z } from 'zod';

/** One value of one metric, as CloudWatch would have taken it in. */
export interface MetricPoint {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly at: Date;
  readonly value: number;
}

const Values = z.union([z.number().transform((value) => [value]), z.array(z.number())]);

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const Embedded = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string() })),
      }),
    ),
  }),
});

/** The metrics in what a function logged; other lines are left out, as CloudWatch leaves them. */
export const embeddedMetrics = (lines: readonly string[]): MetricPoint[] => lines.flatMap(pointsOfLine);

function pointsOfLine(line: string): MetricPoint[] {
  if (!line.includes('"_aws"')) return [];
  const document = Embedded.parse(JSON.parse(line.slice(line.indexOf('{'))));
  const at = new Date(document._aws.Timestamp);
  return document._aws.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.flatMap(({ Name: metric }) => {
        const dimensions = Object.fromEntries(names.map((name) => [name, z.string().parse(document[name])]));
        return Values.parse(document[metric]).map((value) => ({ namespace, metric, dimensions, at, value }));
      }),
    ),
  );
}

const Run = z.object({ time: z.number(), function: z.string(), failed: z.boolean() });

/** Lambda's own Errors, 0 or 1 for each attempt to run a function, dated by its start, from the lines that records.py writes. */
export const runMetrics = (text: string): MetricPoint[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Run.parse(JSON.parse(line)))
    .map(({ time, function: name, failed }) => ({
      namespace: 'AWS/Lambda',
      metric: 'Errors',
      dimensions: { FunctionName: name },
      at: new Date(time * 1000),
      value: Number(failed),
    }));

/** How many messages a queue holds at one moment; SQS measures every minute, so this is only as good as the moment is late. */
export const queueMetric = (queueName: string, messages: number, at: Date): MetricPoint => ({
  namespace: 'AWS/SQS',
  metric: 'ApproximateNumberOfMessagesVisible',
  dimensions: { QueueName: queueName },
  at,
  value: messages,
});
