import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { hasEnded, killProcess, waitUntil } from '../../../local/child-process';
import { StillNode, textOf } from './still-node';

// Nodes that kubeadm did not make alone, and moments at which the kubelet has not done its part.
jest.setTimeout(60_000);

let node: StillNode;
beforeEach(() => {
  node = new StillNode();
  node.write(node.manifest());
  node.write(node.apiserverManifest(), 'kube-apiserver.yaml');
});
afterEach(() => node.remove());

test('where the data directory is a link, the new data comes to where it points and the link stays', async () => {
  const disk = path.join(node.folder, 'disk');
  mkdirSync(path.join(disk, 'etcd/member'), { recursive: true });
  rmdirSync(node.dataDir);
  symlinkSync(path.join(disk, 'etcd'), node.dataDir);
  await node.offerSnapshot();

  for (const command of ['stop', 'stage', 'restore-data'] as const) await node.do(command);

  expect(readdirSync(disk).sort()).toEqual(['etcd', 'etcd.lifeboat-r1-old']);
  expect(lstatSync(node.dataDir).isSymbolicLink()).toBe(true);
  expect((await node.do('facts')).data).toMatchObject({ dir: node.dataDir, ownDisk: false, restoredBy: 'r1', kept: [{ kind: 'old' }] });
});

test('new data has the SELinux label of the old', async () => {
  await node.offerSnapshot();
  node.install('selinuxenabled', 'exit 0');
  node.install('chcon', `echo "$*" >${node.folder}/labelled`);

  for (const command of ['stop', 'stage', 'restore-data'] as const) await node.do(command);

  expect(textOf(path.join(node.folder, 'labelled'))).toBe(`-R --reference=${node.dataDir} -- ${node.dataDir}.lifeboat-r1-restoring\n`);
});

test('so has the directory of a member that joins', async () => {
  node.install('selinuxenabled', 'exit 0');
  node.install('chcon', `echo "$*" >${node.folder}/labelled`);
  node.values = { ...node.values, initialCluster: 'master-1=https://127.0.1.9:2380', waitSeconds: '1' };

  await node.do('leave');

  // Nothing runs here, so that it ends in waiting for etcd.
  expect(await node.refusal('join-member')).toMatchObject({ error: 'EtcdNotListening' });
  expect(textOf(path.join(node.folder, 'labelled'))).toBe(`-R --reference=${node.dataDir}.lifeboat-r1-old -- ${node.dataDir}\n`);
});

test('a node is not busy because another disk has a locked file of the same number', async () => {
  await node.do('stop');
  node.install('grep', 'case "$*" in */proc/locks) exit 0 ;; *) exec /bin/grep "$@" ;; esac');

  expect((await node.do('facts')).busyWith).toBeNull();
});

test('of an API server that no manifest runs nothing more is told than that it runs', async () => {
  rmSync(path.join(node.manifestDir, 'kube-apiserver.yaml'));
  const apiserver = spawn(node.install('kube-apiserver', 'read -r -t 20'), { stdio: ['pipe', 'ignore', 'ignore'] });

  expect((await node.do('facts')).apiserver).toEqual({ definition: 'none', keptBy: null, running: true, ready: null, address: null });
  await killProcess(apiserver);
});

test('etcd that a script runs in a container under systemd is seen, without its version', async () => {
  rmSync(path.join(node.manifestDir, 'etcd.yaml'));
  const program = node.install('etcd-in-docker', 'exit 125');
  const argv = `${program} --name=master-1 --data-dir=${node.dataDir}`;
  node.install('systemctl', `case "$*" in *LoadState*) echo loaded ;; *ExecStart*) echo "{ argv[]=${argv} ; ignore_errors=no }" ;; esac`);

  expect((await node.do('facts')).etcd).toMatchObject({ runs: 'systemd', name: 'master-1', version: null });
});

test('stop waits for an etcd that the kubelet starts once more, just when its manifest goes', async () => {
  const { program, words } = node.etcd;

  const stopped = node.do('stop');
  await waitUntil('the manifest goes', 10_000, () => Promise.resolve(!existsSync(path.join(node.manifestDir, 'etcd.yaml'))));
  // A container takes a moment to start.
  const etcd = spawn('bash', ['-c', 'sleep 1; exec "$0" "$@"', program, ...words]);

  expect((await stopped).now.etcd.running).toBe(false);
  expect(hasEnded(etcd)).toBe(true);
});

test('data is not exchanged under an etcd that somebody started while the new data was made', async () => {
  await node.offerSnapshot();
  await node.do('stop');
  await node.do('stage');
  const { program, words } = node.etcd;
  const start = `${program} ${words.join(' ')} >/dev/null 2>&1 3>&- 9>&- &`;
  node.install('etcdutl', `if [ "$2" = restore ]; then ${start} fi\nPATH=\${PATH#*:} exec etcdutl "$@"`);

  expect(await node.refusal('restore-data')).toMatchObject({ error: 'EtcdStillRuns' });
  expect((await node.do('facts')).data).toMatchObject({ restoredBy: null, kept: [{ kind: 'new' }] });
});

test.each<[when: string, putBack: boolean]>([
  ['its manifest was never taken away', false],
  ['its manifest was put back while the new data was made', true],
])('data is not exchanged under an etcd that ends again and again, when %s', async (_when, putBack) => {
  await node.offerSnapshot();
  if (putBack) await node.do('stop');
  await node.do('stage');
  const kept = path.join(node.stateDir, 'restores/r1/manifests/etcd.yaml');
  const back = `cp ${kept} ${node.manifestDir}/etcd.yaml;`;
  if (putBack) node.install('etcdutl', `if [ "$2" = restore ]; then ${back} fi\nPATH=\${PATH#*:} exec etcdutl "$@"`);

  expect(await node.refusal('restore-data')).toMatchObject({
    error: 'EtcdStillRuns',
    message: expect.stringContaining('what starts it is in its place') as string,
  });
  expect((await node.do('facts')).data).toMatchObject({ restoredBy: null, kept: putBack ? [{ kind: 'new' }] : [] });
});

test('an API server that no manifest runs is not waited for', async () => {
  rmSync(path.join(node.manifestDir, 'kube-apiserver.yaml'));
  const apiserver = spawn(node.install('kube-apiserver', 'read -r -t 20'), { stdio: ['pipe', 'ignore', 'ignore'] });

  const { now } = await node.do('stop');

  expect(now).toMatchObject({ etcd: { running: false }, apiserver: { definition: 'none', running: true } });
  await killProcess(apiserver);
});

test('where there was no data the new is given to the user that etcd runs as', async () => {
  node.write(`${node.manifest()}  securityContext:\n    runAsUser: 1234\n`);
  rmdirSync(node.dataDir);
  await node.offerSnapshot();
  node.install('chown', `echo "$*" >>${node.folder}/given`);

  for (const command of ['stop', 'stage', 'restore-data'] as const) await node.do(command);

  expect(textOf(path.join(node.folder, 'given')).trim().split('\n')).toEqual([
    `-R --reference=${node.folder} -- ${node.dataDir}`,
    `-R -- 1234 ${node.dataDir}`,
    `-R --reference=${node.dataDir} -- ${node.dataDir}.lifeboat-r1-restoring`,
  ]);
});

test('facts counts a directory as nothing that went while it was measured', async () => {
  mkdirSync(`${node.dataDir}.lifeboat-r1-restoring`);
  node.install('du', 'exit 1');

  expect((await node.do('facts')).data?.kept).toEqual([{ restoreId: 'r1', kind: 'restoring', bytes: 0 }]);
});

test('clean-up removes no manifest that is kept, even when one is in place as well', async () => {
  await node.do('stop');
  const kept = path.join(node.stateDir, 'restores/r1/manifests/etcd.yaml');
  copyFileSync(kept, path.join(node.manifestDir, 'etcd.yaml'));

  expect(await node.refusal('clean-up')).toMatchObject({ error: 'RestoreInProgress' });
  expect(existsSync(kept)).toBe(true);
});

test('clean-up forgets that a restore was rolled back when its execution can be redriven no more', async () => {
  for (const [restoreId, daysAgo] of [
    ['lately', 14],
    ['long-ago', 16],
  ] as const) {
    const record = path.join(node.stateDir, 'restores', restoreId);
    mkdirSync(path.join(record, 'manifests'), { recursive: true });
    const at = new Date(Date.now() - daysAgo * 86_400_000);
    writeFileSync(path.join(record, 'rolled-back'), at.toISOString());
    utimesSync(path.join(record, 'rolled-back'), at, at);
  }

  await node.do('clean-up');

  expect(readdirSync(path.join(node.stateDir, 'restores'))).toEqual(['lately']);
  expect(readdirSync(path.join(node.stateDir, 'restores/lately'))).toEqual(['rolled-back']);
});

test('what a killed download left is removed by the next', async () => {
  await node.offerSnapshot();
  const record = path.join(node.stateDir, 'restores/r1');
  mkdirSync(record, { recursive: true });
  writeFileSync(path.join(record, 'snapshot.db.part.1a2B3c4D'), 'x');

  await node.do('stage');

  expect(readdirSync(record).sort()).toEqual(['manifests', 'snapshot.db', 'snapshot.sha256']);
});

test('the snapshot is fetched from the region that the agent names', async () => {
  await node.offerSnapshot();
  node.install('aws', 'echo "in $AWS_DEFAULT_REGION" >&2; exit 1');

  const { message } = await node.refusal('stage', { AWS_SSM_REGION_NAME: 'eu-central-1' });

  expect(message).toContain('in eu-central-1');
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
(hasIpv6 ? test : test.skip)('an etcd that serves at an IPv6 address is heard', async () => {
  const server = createServer().listen(0, '::1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  node.write(node.manifest().replaceAll('127.0.1.9:2379', `[::1]:${port}`));

  expect((await node.do('facts')).etcd).toMatchObject({ clientUrl: `https://[::1]:${port}`, listening: true });
  server.close();
});

test.each<[sentence: string, change: (text: string) => string, address: string]>([
  ['its bind address', (text) => text, '127.0.1.9:6444'],
  ['this machine when it binds to all addresses', (text) => text.replace('=127.0.1.9', '=0.0.0.0'), '127.0.0.1:6444'],
  ['this machine when it binds to all addresses of both families', (text) => text.replace('=127.0.1.9', '=::'), '127.0.0.1:6444'],
  ['this machine when it does not say', (text) => text.replace(/ +- --bind-address.*\n/, ''), '127.0.0.1:6444'],
  ['an address in brackets', (text) => text.replace('=127.0.1.9', '=fd00::9'), '[fd00::9]:6444'],
  ['the usual port', (text) => text.replace(/ +- --secure-port.*\n/, ''), '127.0.1.9:6443'],
])('kube-apiserver is asked at %s', async (_sentence, change, address) => {
  node.write(change(node.apiserverManifest()), 'kube-apiserver.yaml');

  expect((await node.do('facts')).apiserver).toEqual({ definition: 'in-place', keptBy: null, running: false, ready: false, address });
});
