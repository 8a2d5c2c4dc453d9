import { Duration } from 'aws-cdk-lib';
import { AlarmStatusWidget, Dashboard, GraphWidget, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { GraphWidgetProps, IMetric, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { Metric } from '../../lambdas/contract/metrics';
import type { MetricName } from '../../lambdas/contract/metrics';
import type { LifeboatAlarm } from './lifeboat-alarm';
import { lifeboatMetric } from './lifeboat-metric';

export interface ClusterDashboardProps {
  /** Name of the cluster that it shows. */
  readonly clusterName: string;

  /** Client URLs of the members, each of which has a line. */
  readonly endpoints: readonly string[];

  /** The functions that work for the cluster, by the names that people know them by. */
  readonly functions: Readonly<Record<string, IFunction & { readonly logGroup: ILogGroup }>>;

  /** Where the snapshots are. */
  readonly bucket: IBucket;

  /** Where runs end that failed for good. */
  readonly deadLetterQueue: IQueue;

  /**
   * Whether snapshots are copied to another region.
   *
   * @default false
   */
  readonly replicated?: boolean;

  /**
   * Whether certificates are rotated.
   *
   * @default false
   */
  readonly certificates?: boolean;

  /**
   * Whether the DNS record of the API is kept.
   *
   * @default false
   */
  readonly apiRecord?: boolean;

  /** Every alarm of the cluster: their states are on top, their limits are lines in the graphs. */
  readonly alarms: readonly LifeboatAlarm[];
}

const WIDTH = 24;
const HEIGHT = 6;
/** Of what is said once a run: short enough to tell two runs apart. */
const RUNS = Duration.minutes(5);
const MINUTE = Duration.minutes(1);

/** One page for one cluster: what is wrong on top, then backups, members, the database, and what clears up after them. */
export class ClusterDashboard extends Dashboard {
  constructor(scope: Construct, id: string, props: ClusterDashboardProps) {
    super(scope, id, { dashboardName: `Lifeboat-${props.clusterName}`, defaultInterval: Duration.days(3) });
    this.addWidgets(guide(props));
    this.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: WIDTH, height: 4 }));
    for (const row of [backups(props), members(props), database(props), drills(props), housekeeping(props)]) this.addWidgets(...row);
    if (props.certificates === true) this.addWidgets(...certificates(props));
    if (props.apiRecord === true) this.addWidgets(...apiRecord(props));
    if (props.replicated === true) this.addWidgets(...replica(props));
  }
}

/** Relative links stay in the console that the reader is in, whatever its partition is. */
function guide({ clusterName, functions, bucket, deadLetterQueue }: ClusterDashboardProps): IWidget {
  const rows = Object.entries(functions).map(
    ([name, { functionName, logGroup }]) =>
      `| ${name} | \`${functionName}\` | [log](#logsV2:log-groups/log-group/${logGroup.logGroupName}) \`${logGroup.logGroupName}\` |`,
  );
  const markdown = [
    `# ${clusterName}`,
    'An alarm is named `Lifeboat-<cluster>/<article>`. Read that article of `docs/operator-runbook.md` first.',
    '',
    '| | name | |',
    '|---|---|---|',
    ...rows,
    `| snapshots | \`${bucket.bucketName}\` | under \`clusters/${clusterName}/snapshots/\` |`,
    `| runs that failed for good | \`${deadLetterQueue.queueName}\` | |`,
  ];
  return new TextWidget({ markdown: markdown.join('\n'), width: WIDTH, height: 5 + Object.keys(functions).length });
}

/** A metric of the cluster as a line; `Maximum`, so that one bad value among good ones is seen. */
const line =
  ({ clusterName }: ClusterDashboardProps, period: Duration, statistic = 'Maximum') =>
  (metric: MetricName, label: string) =>
    lifeboatMetric(metric, { clusterName }, { statistic, period, label });

const graph = (title: string, columns: number, left: IMetric[], more: GraphWidgetProps = {}): GraphWidget =>
  new GraphWidget({ title, left, leftYAxis: { min: 0 }, width: WIDTH / columns, height: HEIGHT, ...more });

const limitOf = ({ alarms }: ClusterDashboardProps, article: string) =>
  alarms.filter((alarm) => alarm.article === article).map((alarm) => alarm.toAnnotation());

function backups(props: ClusterDashboardProps): IWidget[] {
  const run = line(props, RUNS);
  const sum = line(props, RUNS, 'Sum');
  return [
    graph('Age of the newest verified snapshot, seconds', 4, [line(props, MINUTE)(Metric.verifiedSnapshotAge, 'age')], {
      leftAnnotations: limitOf(props, 'No verified snapshot'),
    }),
    graph('Snapshots', 4, [
      sum(Metric.snapshotVerified, 'verified'),
      sum(Metric.snapshotUnverified, 'unverified'),
      sum(Metric.snapshotFailed, 'failed'),
    ]),
    graph('Size, bytes', 4, [run(Metric.snapshotPlainBytes, 'plain'), run(Metric.snapshotStoredBytes, 'stored')]),
    graph('Duration, seconds', 4, [run(Metric.snapshotSeconds, 'from start to published')]),
  ];
}

function members(props: ClusterDashboardProps): IWidget[] {
  const { clusterName, endpoints } = props;
  const now = line(props, MINUTE);
  const diverged = endpoints.map((endpoint) =>
    lifeboatMetric(Metric.memberDiverged, { clusterName, endpoint }, { statistic: 'Maximum', period: RUNS, label: endpoint }),
  );
  return [
    graph('Members', 3, [now(Metric.membersHealthy, 'healthy voters'), now(Metric.memberUnreachable, 'unreachable')]),
    graph('Quorum and ledger, 1 is well', 3, [now(Metric.etcdQuorum, 'quorum'), now(Metric.ledgerCurrent, 'ledger current')]),
    graph('Diverged members, 1 is diverged', 3, diverged),
  ];
}

function database(props: ClusterDashboardProps): IWidget[] {
  const now = line(props, MINUTE);
  return [
    graph('Database, bytes', 4, [now(Metric.dbSize, 'largest member')]),
    graph('Quota used, percent', 4, [now(Metric.dbQuotaUsed, 'fullest member')], {
      leftYAxis: { min: 0, max: 100 },
      leftAnnotations: limitOf(props, 'Database near quota'),
    }),
    graph('Revisions per minute', 4, [now(Metric.revisionsPerMinute, 'revisions')]),
    graph('Keys', 4, [line(props, RUNS)(Metric.snapshotKeys, 'in the snapshot')]),
  ];
}

function drills(props: ClusterDashboardProps): IWidget[] {
  return [
    graph('Drills, 1 is passed', 2, [line(props, RUNS, 'Minimum')(Metric.drillPassed, 'drill')], { leftYAxis: { min: 0, max: 1 } }),
    graph('Since a drill last passed, seconds', 2, [line(props, Duration.hours(1))(Metric.drillAge, 'age')], {
      leftAnnotations: limitOf(props, 'No recent drill'),
    }),
  ];
}

function housekeeping(props: ClusterDashboardProps): IWidget[] {
  const run = line(props, RUNS);
  const sum = line(props, RUNS, 'Sum');
  const errors = Object.entries(props.functions).map(([label, handler]) => handler.metricErrors({ statistic: 'Sum', period: RUNS, label }));
  const waiting = props.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: RUNS, label: 'messages' });
  return [
    graph('Old snapshots', 4, [sum(Metric.snapshotsPruned, 'removed'), sum(Metric.snapshotObjectsSwept, 'unlisted objects swept')]),
    graph('What pruning met', 4, [run(Metric.snapshotRemovalsDenied, 'removals denied'), run(Metric.manifestsDamaged, 'damaged')]),
    graph('Failed attempts', 4, errors),
    graph('Dead letters', 4, [waiting]),
  ];
}

function certificates(props: ClusterDashboardProps): IWidget[] {
  const day = line(props, Duration.days(1), 'Minimum');
  const ends = ['Certificate ends within two weeks', 'Certificate ends within a week', 'Certificate ends within a day'];
  return [
    graph('Days that the first certificate has left', 4, [day(Metric.certificateDaysLeft, 'certificates')], {
      leftAnnotations: ends.flatMap((article) => limitOf(props, article)),
    }),
    graph('Days that the first authority has left', 4, [day(Metric.authorityDaysLeft, 'authorities')], {
      leftAnnotations: limitOf(props, 'Authority ends soon'),
    }),
    graph('Certificates that are wrong', 4, [line(props, RUNS)(Metric.certificatesWrong, 'wrong')]),
    graph('Rotations, 1 is done', 4, [line(props, RUNS, 'Minimum')(Metric.certificatesRotated, 'rotation')], {
      leftYAxis: { min: 0, max: 1 },
    }),
  ];
}

function apiRecord(props: ClusterDashboardProps): IWidget[] {
  const now = line(props, MINUTE);
  return [
    graph('API name, 1 is answering', 4, [line(props, MINUTE, 'Minimum')(Metric.apiNameAnswers, 'the name answers')], {
      leftYAxis: { min: 0, max: 1 },
    }),
    graph('API servers that answer', 4, [now(Metric.apiTargetsAnswering, 'answering')]),
    graph('API record, 0 is well', 4, [
      now(Metric.apiRecordDrifted, 'drifted'),
      now(Metric.apiRecordRefused, 'refused'),
      now(Metric.apiRecordUnprotected, 'unprotected'),
    ]),
    graph('API record not in sync, seconds', 4, [now(Metric.apiRecordPending, 'since the change')], {
      leftAnnotations: limitOf(props, 'API record not in sync'),
    }),
  ];
}

function replica(props: ClusterDashboardProps): IWidget[] {
  // As often as it is measured.
  const look = line(props, Duration.minutes(15));
  return [
    graph('Replica behind, seconds', 2, [look(Metric.replicaBehind, 'oldest that should be there')]),
    graph('Snapshots that the replica has not', 2, [look(Metric.replicaMissing, 'missing')]),
  ];
}
