import { openTelemetry } from '../../lambdas/aws/telemetry';

/** Everything that is written to the log while `work` runs, one parsed JSON line each. */
function written(work: () => void): Record<string, unknown>[] {
  const lines: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    work();
  } finally {
    spy.mockRestore();
  }
  return lines.join('').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
}

const dimensions = (line: Record<string, unknown> | undefined) =>
  (line?.['_aws'] as { CloudWatchMetrics: { Dimensions: string[][]; Namespace: string }[] }).CloudWatchMetrics.map(
    ({ Dimensions, Namespace }) => [Namespace, ...Dimensions.flat()],
  );

test('a metric of the cluster carries the cluster and nothing else, and is written once, at the end', () => {
  const lines = written(() => {
    const telemetry = openTelemetry('prod', 'take-snapshot');
    telemetry.count('SnapshotVerified', 1, 'Count');
    telemetry.count('SnapshotSeconds', 2.5, 'Seconds');
    telemetry.flush();
  });

  expect(lines).toMatchObject([{ Cluster: 'prod', SnapshotVerified: 1, SnapshotSeconds: 2.5 }]);
  expect(dimensions(lines[0])).toEqual([['KubeLifeboat', 'Cluster']]);
});

test('a metric of one member carries the cluster and its endpoint, beside those of the cluster', () => {
  const lines = written(() => {
    const telemetry = openTelemetry('prod', 'take-snapshot');
    telemetry.count('MemberUnreachable', 1, 'Count');
    telemetry.count('MemberDiverged', 1, 'Count', 'https://10.0.1.10:2379');
    telemetry.flush();
  });

  expect(lines.map(dimensions)).toEqual([[['KubeLifeboat', 'Cluster', 'Endpoint']], [['KubeLifeboat', 'Cluster']]]);
  expect(lines[0]).toMatchObject({ Cluster: 'prod', Endpoint: 'https://10.0.1.10:2379', MemberDiverged: 1 });
  expect(lines[1]).not.toHaveProperty('Endpoint');
});
