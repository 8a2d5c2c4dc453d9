import fc from 'fast-check';
import { NodeCommands, nodeParametersOf, nodeVariable } from '../../lambdas/contract/node-commands';
import { NodeParameters } from '../../lambdas/contract/node-parameters';
import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import type { NodeParameter } from '../../lambdas/contract/node-parameters';

const parameters = Object.entries(NodeParameters) as [string, NodeParameter][];

test.each(parameters)('no value of %s can leave the single quotes of a shell', (_name, { pattern }) => {
  fc.assert(fc.property(fc.stringMatching(new RegExp(`^${pattern}$`)), (value) => !/['"`$\\\s|&;<>]/.test(value)));
});

test.each(parameters.filter(([, parameter]) => parameter.default !== undefined))('the default of %s fits', (_name, parameter) => {
  expect(parameter.default).toMatch(new RegExp(`^${parameter.pattern}$`));
});

test.each<[name: keyof typeof NodeParameters, value: string]>([
  ['initialCluster', 'master-1=https://10.0.1.10:2380,master-2=https://[fd00::2]:2380'],
  ['snapshotUrl', 's3://lifeboat-state.prod-eu/clusters/prod-eu/restores/a1b2_3/snapshot.db'],
  ['dataDir', '/var/lib/etcd'],
  ['clusterToken', 'lifeboat-20261123T182815Z-0a1b2c3d'],
])('%s may be %s', (name, value) => {
  expect(value).toMatch(new RegExp(`^${NodeParameters[name].pattern}$`));
});

test('a document takes what it has no default for, and nothing else', () => {
  const stop = nodeParametersOf('stop');

  expect(stop.safeParse({ restoreId: 'r1' }).success).toBe(true);
  expect(stop.safeParse({}).success).toBe(false);
  expect(stop.safeParse({ restoreId: 'r1', snapshotBytes: '1' }).success).toBe(false);
  expect(stop.safeParse({ restoreId: 'r 1' }).error?.message).toContain('\\"r 1\\" does not match');
});

test('a document outlives every wait inside it: two of the longest that a parameter allows, and the longest of both kinds in roll-back', () => {
  const longest = 999;
  const waits: Partial<Record<NodeCommandName, number>> = { stop: 2, start: 2, 'roll-back': 4, leave: 1, 'join-member': 1 };

  for (const [name, count] of Object.entries(waits))
    expect(NodeCommands[name as NodeCommandName].timeoutSeconds).toBeGreaterThan(count * longest);
});

test('variables are named as shells do it', () => {
  expect(nodeVariable('snapshotSha256')).toBe('LIFEBOAT_SNAPSHOT_SHA256');
});
