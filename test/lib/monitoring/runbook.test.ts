// Joins what alarms, with the articles that say what to do about it, and with what the functions tell.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorName } from '../../../lambdas/contract/errors';
import { Metric, METRIC_NAMESPACE, dimensionsOf } from '../../../lambdas/contract/metrics';
import type { MetricName } from '../../../lambdas/contract/metrics';
import { api } from '../config/configs';
import { only, replicatedTemplates } from '../synth';
import { alarmsOf } from './alarms';
import { dashboardOf, metricsOf } from './dashboard';

const { home: template } = replicatedTemplates({
  etcd: { endpoints: ['https://10.0.1.10:2379', 'https://10.0.2.10:2379'] },
  certificates: {},
  api: api(),
});
const alarms = Object.values(alarmsOf(template));
const runbook = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'operator-runbook.md'), 'utf8');

const anchor = (heading: string) => heading.toLowerCase().replaceAll(' ', '-');
const headings = [...runbook.matchAll(/^#{2,3} (.+)$/gm)].map(([, heading]) => heading!);
const underAlarms = runbook.slice(runbook.indexOf('\n## Alarms\n'));
const articles = new Map(
  underAlarms
    .split('\n### ')
    .slice(1)
    .map((text) => [anchor(text.slice(0, text.indexOf('\n'))), text] as const),
);
const articleOf = (description: string) => /docs\/operator-runbook\.md#([a-z-]+)$/.exec(description)?.[1];

test('every alarm names an article that exists, and is named after it', () => {
  const named = alarms.map(({ AlarmDescription }) => articleOf(AlarmDescription));

  expect(named.filter((article) => article === undefined || !articles.has(article))).toEqual([]);
  expect(alarms.map(({ AlarmName }) => AlarmName.split('/')[1])).toEqual(named);
});

test('every article under the alarms has an alarm, and says what happened, how to look and what to do', () => {
  const named = new Set(alarms.map(({ AlarmDescription }) => articleOf(AlarmDescription)));

  expect([...articles.keys()].filter((article) => !named.has(article))).toEqual([]);
  for (const text of articles.values())
    expect(text).toMatch(/\*\*Description\.\*\*[^]*\*\*Investigation\.\*\*[^]*```sh[^]*\*\*Resolution\.\*\*/);
});

test('no two alarms share a name', () => {
  const names = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    (alarm) => (alarm as { Properties: { AlarmName: string } }).Properties.AlarmName,
  );

  expect(new Set(names).size).toBe(names.length);
});

test('the table at the top has every alarm, with its article and how soon to act', () => {
  const rows = [...runbook.matchAll(/^\| `…\/([a-z-]+)(?:\/<host>-<port>|\/<ending>)?` \| \[.+\]\(#([a-z-]+)\) \| (act \w+) \|$/gm)];
  const expected = alarms.map(({ AlarmName, AlarmDescription }) => {
    const article = AlarmName.split('/')[1] ?? '';
    return `${article} ${article} ${AlarmDescription.slice(0, AlarmDescription.indexOf(':'))}`;
  });

  expect(rows.map(([, alarm, article, soon]) => `${alarm} ${article} ${soon}`).sort()).toEqual([...new Set(expected)].sort());
});

test('every link within the runbook leads somewhere', () => {
  const links = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link!);

  expect(links.filter((link) => !headings.map(anchor).includes(link))).toEqual([]);
  expect(links.length).toBeGreaterThan(20);
});

test('every name that an error may have is told of', () => {
  expect(Object.values(ErrorName).filter((name) => !runbook.includes(`\`${name}\``))).toEqual([]);
});

test('every name that its commands ask the directory for is in it', () => {
  const { Properties } = only(template, 'AWS::SSM::Parameter')[1];
  const directory = JSON.stringify(Properties.Value);
  const asked = [...runbook.matchAll(/\$\(name (\w+)\)/g)].map(([, name]) => name!);

  expect(asked.filter((name) => !directory.includes(`\\"${name}\\"`))).toEqual([]);
  expect(new Set(asked).size).toBeGreaterThan(4);
});

/** What AWS tells of its own: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and SQS's page of metrics. */
const OF_AWS: Readonly<Record<string, readonly string[]>> = {
  'AWS/Lambda Errors': ['FunctionName'],
  'AWS/S3 OperationsFailedReplication': ['DestinationBucket', 'RuleId', 'SourceBucket'],
  'AWS/S3 ReplicationLatency': ['DestinationBucket', 'RuleId', 'SourceBucket'],
  'AWS/States ExecutionsAborted': ['StateMachineArn'],
  'AWS/States ExecutionsFailed': ['StateMachineArn'],
  'AWS/States ExecutionsTimedOut': ['StateMachineArn'],
  'AWS/SQS ApproximateNumberOfMessagesVisible': ['QueueName'],
};

/** The dimensions under which a metric is told, or undefined when nobody tells it. */
function toldUnder(namespace: string, name: string): readonly string[] | undefined {
  if (namespace !== METRIC_NAMESPACE) return OF_AWS[`${namespace} ${name}`];
  return Object.values<string>(Metric).includes(name) ? dimensionsOf(name as MetricName) : undefined;
}

test('alarms and widgets ask only for what is told, under the dimensions under which it is told', () => {
  const asked = [
    ...alarms.map(({ Namespace, MetricName, Dimensions }) => ({
      namespace: Namespace,
      name: MetricName,
      dimensions: Dimensions.map(({ Name }) => Name),
    })),
    ...dashboardOf(template)
      .flatMap(metricsOf)
      .map(({ dimensions, ...metric }) => ({ ...metric, dimensions: Object.keys(dimensions) })),
  ];

  expect(asked.length).toBeGreaterThan(30);
  expect(asked.map(({ namespace, name }) => [namespace, name, toldUnder(namespace, name)])).toEqual(
    asked.map(({ namespace, name, dimensions }) => [namespace, name, dimensions]),
  );
});
