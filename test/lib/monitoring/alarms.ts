import type { Template } from 'aws-cdk-lib/assertions';

export interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Statistic: string;
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
  readonly AlarmActions?: readonly unknown[];
  readonly OKActions?: readonly unknown[];
  readonly InsufficientDataActions?: readonly unknown[];
}

/** Every alarm of a template, by what follows the slash of its name. */
export function alarmsOf(template: Template): Readonly<Record<string, AlarmProperties>> {
  const found = Object.values(template.findResources('AWS::CloudWatch::Alarm')) as { Properties: AlarmProperties }[];
  return Object.fromEntries(found.map(({ Properties }) => [Properties.AlarmName.replace(/^[^/]*\//, ''), Properties]));
}

/** When an alarm is on, in one line: `Maximum of VerifiedSnapshotAge > 10800 in 2 of 2 x 300 s, missing breaching`. */
export function ruleOf({ Statistic, MetricName, ComparisonOperator, Threshold, ...alarm }: AlarmProperties): string {
  const sign = { GreaterThanThreshold: '>', GreaterThanOrEqualToThreshold: '>=', LessThanThreshold: '<' }[ComparisonOperator];
  const { DatapointsToAlarm = alarm.EvaluationPeriods, EvaluationPeriods, Period, TreatMissingData } = alarm;
  const window = `${DatapointsToAlarm} of ${EvaluationPeriods} x ${Period} s`;
  return `${Statistic} of ${MetricName} ${sign ?? ComparisonOperator} ${Threshold} in ${window}, missing ${TreatMissingData}`;
}
