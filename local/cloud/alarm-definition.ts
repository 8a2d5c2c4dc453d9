import { z } from 'zod';
import type { DeployedStack } from './deployed-stack';
import { isRecord } from './template';

// Numbers may be text in a template.
const number = z.coerce.number();

const Properties = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string().default(''),
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
  Statistic: z.enum(['Sum', 'Minimum', 'Maximum', 'Average', 'SampleCount']),
  Period: number,
  EvaluationPeriods: number,
  DatapointsToAlarm: number.optional(),
  Threshold: number,
  ComparisonOperator: z.enum(['GreaterThanOrEqualToThreshold', 'GreaterThanThreshold', 'LessThanThreshold', 'LessThanOrEqualToThreshold']),
  TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']).default('missing'),
});

/** An alarm on one metric, as a template defines it. */
export interface AlarmDefinition {
  readonly name: string;
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: z.infer<typeof Properties>['Statistic'];
  readonly periodSeconds: number;
  /** The N of "M out of N". */
  readonly evaluationPeriods: number;
  /** The M of "M out of N". */
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: z.infer<typeof Properties>['ComparisonOperator'];
  readonly missingData: z.infer<typeof Properties>['TreatMissingData'];
}

/** @throws ZodError for what the evaluator does not know: metric math, percentiles, anomaly detection */
export function alarmDefinition(properties: unknown): AlarmDefinition {
  const found = Properties.parse(properties);
  return {
    name: found.AlarmName,
    description: found.AlarmDescription,
    namespace: found.Namespace,
    metric: found.MetricName,
    dimensions: Object.fromEntries(found.Dimensions.map(({ Name, Value }) => [Name, Value])),
    statistic: found.Statistic,
    periodSeconds: found.Period,
    evaluationPeriods: found.EvaluationPeriods,
    datapointsToAlarm: found.DatapointsToAlarm ?? found.EvaluationPeriods,
    threshold: found.Threshold,
    comparison: found.ComparisonOperator,
    missingData: found.TreatMissingData,
  };
}

/** Every alarm of a deployed stack, about the very resources that it was deployed with. */
export const alarmsOfStack = (stack: DeployedStack): AlarmDefinition[] =>
  Object.entries(stack.template.Resources)
    .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
    .map(([logicalId, { Properties: properties = {} }]) => {
      // Who is told does not matter here, and may be a topic of another stack.
      const rule = Object.fromEntries(Object.entries(properties).filter(([name]) => !name.endsWith('Actions')));
      const resolved = stack.resolve(rule);
      if (!isRecord(resolved)) throw new Error(`an alarm of ${stack.name} has no properties`);
      // One without a name of its own gets one from CloudFormation.
      return alarmDefinition({ AlarmName: stack.idOf(logicalId), ...resolved });
    });
