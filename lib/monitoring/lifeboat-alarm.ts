import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmProps } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct, IConstruct } from 'constructs';

/** What every alarm of a cluster shares. */
export interface AlarmDefaults {
  /** Name of the cluster that the alarm is about. */
  readonly clusterName: string;

  /**
   * Who is told when an alarm begins and when it ends.
   *
   * @default - nobody: alarms are seen in the console and on the dashboard alone
   */
  readonly topic?: ITopic;
}

/** `act now` is worth waking somebody; `act today` can wait for the morning. */
export type Urgency = 'act now' | 'act today';

export interface LifeboatAlarmProps extends Required<
  Pick<AlarmProps, 'metric' | 'threshold' | 'comparisonOperator' | 'evaluationPeriods' | 'treatMissingData'>
> {
  readonly alarms: AlarmDefaults;

  /** Heading of its article in docs/operator-runbook.md; the alarm is named after it. */
  readonly article: string;

  /**
   * Client URL of the one member that it is about.
   *
   * @default - the alarm is about the whole cluster
   */
  readonly endpoint?: string;

  /**
   * Which of several alarms of one article it is, for something that can end in several ways.
   *
   * @default - there is one alarm of that article
   */
  readonly ending?: string;

  /** How soon somebody must look. */
  readonly urgency: Urgency;

  /** What happened, in one sentence: it is the first thing that whoever is woken reads. */
  readonly what: string;
}

const RUNBOOK = 'docs/operator-runbook.md';
const LONGEST_NAME = 255;
const DAY_SECONDS = 86_400;

/** The anchor that a heading of plain words has on the pages of a repository. */
export const anchorOf = (article: string): string => article.toLowerCase().replaceAll(' ', '-');

/** Ends in a slash, so that the alarms of `prod` are never taken for those of `prod-eu`. */
export const alarmPrefix = (clusterName: string): string => `Lifeboat-${clusterName}/`;

/**
 * An alarm of the lifeboat: its name is the name of its article, its text says what happened and where to read on, and it tells the
 * cluster's topic when it begins and when it is over.
 *
 * Nothing is told when data is missing: an alarm for which that is bad news treats it as breaching.
 */
export class LifeboatAlarm extends Alarm {
  /** Heading of its article in the runbook. */
  readonly article: string;

  constructor(scope: Construct, id: string, { alarms, article, endpoint, ending, urgency, what, ...rule }: LifeboatAlarmProps) {
    if (!/^[A-Z][A-Za-z ]+[a-z]$/.test(article)) throw new RangeError(`article is "${article}", give a heading of plain words`);
    if (!/^[^\n]{1,500}\.$/.test(what)) throw new RangeError(`what is "${what}", give one line that ends in a full stop`);
    // A colon would end the name inside the ARN of the alarm.
    const member = endpoint === undefined ? '' : `/${endpoint.replace(/^https:\/\//, '').replaceAll(':', '-')}`;
    const alarmName = `${alarmPrefix(alarms.clusterName)}${anchorOf(article)}${member}${ending === undefined ? '' : `/${ending}`}`;
    if (alarmName.length > LONGEST_NAME)
      throw new RangeError(`${alarmName} has ${alarmName.length} characters, give at most ${LONGEST_NAME}`);
    refuseLongWindow(rule);
    super(scope, id, { alarmName, alarmDescription: `${urgency}: ${what} ${RUNBOOK}#${anchorOf(article)}`, ...rule });
    this.article = article;
    if (alarms.topic === undefined) return;
    this.addAlarmAction(new SnsAction(alarms.topic));
    this.addOkAction(new SnsAction(alarms.topic));
  }

  /** Every alarm below a construct. */
  static in(scope: IConstruct): LifeboatAlarm[] {
    return scope.node.findAll().filter((construct) => construct instanceof LifeboatAlarm);
  }
}

/** The service says so only at deployment: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
function refuseLongWindow({ metric, evaluationPeriods }: Pick<AlarmProps, 'metric' | 'evaluationPeriods'>): void {
  const period = metric.toMetricConfig().metricStat?.period.toSeconds();
  if (period === undefined) throw new RangeError('metric is an expression, give a metric that functions or AWS emit');
  const longest = period < 3600 ? DAY_SECONDS : 7 * DAY_SECONDS;
  const window = period * evaluationPeriods;
  if (window > longest) throw new RangeError(`the alarm looks back ${window} s in periods of ${period} s, give at most ${longest} s`);
}
