import { Metric, METRIC_NAMESPACE } from '../../../lambdas/contract/metrics';
import { api } from '../config/configs';
import { inVpc, only, replicatedTemplates, templateOf } from '../synth';
import { alarmsOf } from './alarms';
import { dashboardOf, metricsOf } from './dashboard';

const template = templateOf(inVpc({ etcd: { endpoints: ['https://10.0.1.10:2379', 'https://10.0.2.10:2379'] } }));
const widgets = dashboardOf(template);
const graphs = widgets.filter(({ type }) => type === 'metric');

test('there is one, named after its cluster', () => {
  expect(only(template, 'AWS::CloudWatch::Dashboard')[1].Properties.DashboardName).toBe('Lifeboat-prod');
});

test('it begins by saying where to look', () => {
  const [functionId] = only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot');
  const [logId] = only(template, 'AWS::Logs::LogGroup', 'BackupTakeSnapshot');

  expect(widgets[0]).toMatchObject({
    type: 'text',
    y: 0,
    properties: { markdown: expect.stringContaining('docs/operator-runbook.md') as string },
  });
  expect(widgets[0]?.properties.markdown).toContain(
    `| take-snapshot | \`<${functionId}>\` | [log](#logsV2:log-groups/log-group/<${logId}>) \`<${logId}>\` |`,
  );
});

test('then comes the state of every alarm', () => {
  expect(widgets[1]).toMatchObject({ type: 'alarm', width: 24 });
  expect(widgets[1]?.properties.alarms).toHaveLength(Object.keys(alarmsOf(template)).length);
});

test('it shows everything that the functions tell but what only people count', () => {
  const all = dashboardOf(replicatedTemplates({ certificates: {}, api: api() }).home).flatMap(metricsOf);
  const shown = new Set(all.flatMap(({ namespace, name }) => (namespace === METRIC_NAMESPACE ? [name] : [])));

  expect(Object.values(Metric).filter((name) => !shown.has(name))).toEqual([Metric.snapshotRevision]);
});

test('it has a line for each member', () => {
  const members = graphs.flatMap(metricsOf).filter(({ name }) => name === Metric.memberDiverged);

  expect(members.map(({ dimensions }) => dimensions['Endpoint'])).toEqual(['https://10.0.1.10:2379', 'https://10.0.2.10:2379']);
});

test('the limits of alarms are lines in the graphs', () => {
  const lines = Object.fromEntries(
    graphs.flatMap(({ properties: { title = '', annotations } }) => (annotations?.horizontal ?? []).map(({ value }) => [title, value])),
  );

  expect(lines).toEqual({
    'Age of the newest verified snapshot, seconds': 10800,
    'Quota used, percent': 80,
    'Since a drill last passed, seconds': 1296000,
  });
});

test('no widget lies over another or beyond the page', () => {
  const fields = widgets.flatMap(({ x, y, width, height }) =>
    Array.from({ length: width * height }, (_, index) => `${x + (index % width)},${y + Math.floor(index / width)}`),
  );

  expect(new Set(fields).size).toBe(fields.length);
  expect(Math.max(...widgets.map(({ x, width }) => x + width))).toBe(24);
});
