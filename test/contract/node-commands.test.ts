import fc from 'fast-check';
import { NodeCommands, nodeParametersOf, nodeVariable, runSecondsOf } from '../../lambdas/contract/node-commands';
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
  ['pkiDir', '/etc/kubernetes/pki'],
  ['kubeletDir', '/var/lib/kubelet'],
  ['secretId', 'lifeboat/prod-eu/pki/nodes/i-0a1b2c3d4e5f60718'],
  ['secretId', 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:lifeboat/prod-eu/pki/nodes/i-0a1b2c3d4e5f60718-AbCdEf'],
  ['secretVersion', '4b0f2a2c-6d8e-4a47-9a2e-1f0f8b1a2c3d'],
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

test('a document outlives all waits inside it, each as long as a parameter allows', () => {
  const waiting = Object.entries(NodeCommands).filter(([, { parameters }]) => (parameters as readonly string[]).includes('waitSeconds'));

  expect(waiting.map(([name]) => name)).toEqual([
    'stop',
    'start',
    'roll-back',
    'leave',
    'join-member',
    'install-certificates',
    'previous-certificates',
    'split-signer',
  ]);
  for (const [name, { timeoutSeconds }] of waiting)
    expect(timeoutSeconds).toBeGreaterThan(runSecondsOf(name as NodeCommandName, { waitSeconds: '999' }));
});

test.each<[command: NodeCommandName, parameters: Record<string, string>, seconds: number]>([
  ['stop', { what: 'apiserver' }, 180],
  ['stop', { what: 'etcd' }, 300],
  ['stop', { what: 'etcd', waitSeconds: '10' }, 80],
  ['stop', {}, 420],
  ['start', { what: 'etcd' }, 180],
  ['restore-data', {}, 600],
  ['roll-back', {}, 720],
  ['stage', {}, 3600],
  ['install-certificates', {}, 420],
  ['previous-certificates', { waitSeconds: '60' }, 180],
  ['split-signer', {}, 300],
])('%s with %j is waited for for %i s', (command, parameters, seconds) => {
  expect(runSecondsOf(command, parameters)).toBe(seconds);
});

test('variables are named as shells do it', () => {
  expect(nodeVariable('snapshotSha256')).toBe('LIFEBOAT_SNAPSHOT_SHA256');
});
