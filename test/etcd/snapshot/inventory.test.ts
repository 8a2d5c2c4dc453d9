import { resourceOf } from '../../../lambdas/etcd/snapshot';
import { etcdFile } from '../../support/etcd-state';
import { inspectBytes } from '../../support/snapshot-bytes';

test('counts many resources, whatever their names have in common', async () => {
  const name = (i: number) =>
    ['kinds', 'Kinds', `kind${i}`, 'k'.repeat(1 + (i % 300)), `group${i % 90}.io/kinds`, 'services/specs', ''][i % 7] ?? '';
  const keys = Array.from({ length: 3000 }, (_, i) => `/registry/${name(i)}/default/object${i}`);
  const expected: Record<string, number> = {};
  for (const key of keys) expected[resourceOf(key)] = (expected[resourceOf(key)] ?? 0) + 1;

  const report = await inspectBytes(etcdFile(keys.map((key, i) => ({ main: i + 2, key, value: Buffer.from('x') }))));

  expect(Object.keys(expected).length).toBeGreaterThan(700);
  expect(report.inventory).toEqual(expected);
});
