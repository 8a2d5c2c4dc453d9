import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { etcdManifest } from '../../../local/nodes/manifests';
import { etcdProgram } from '../../../local/tools';
import { failure, filledIn, runScript, succeeded } from '../../support/node-script';
import type { Values } from '../../support/node-script';
import { snapshotOnDisk } from './staged-node';

// What the documents read out of manifests, on folders in which nothing runs.
jest.setTimeout(60_000);

let folder: string;
let paths: Values;
let env: Values;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-member-'));
  paths = { manifestDir: path.join(folder, 'manifests'), dataDir: path.join(folder, 'data'), stateDir: path.join(folder, 'state') };
  for (const each of Object.values(paths)) mkdirSync(each);
  env = { PATH: `${path.dirname(etcdProgram('3.6', 'etcdutl'))}:/usr/bin:/bin`, HOME: folder };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (): string =>
  etcdManifest({
    name: 'master-1',
    clientUrl: 'https://127.0.1.9:2379',
    peerUrl: 'https://127.0.1.9:2380',
    dataDir: paths['dataDir']!,
    pkiDir: '/etc/kubernetes/pki',
    version: '3.6.16',
    initialCluster: 'master-1=https://127.0.1.9:2380',
  });
const write = (text: string) => writeFileSync(path.join(paths['manifestDir']!, 'etcd.yaml'), text);
const facts = async () => succeeded('facts', await runScript('facts', paths, env));
const stop = async () => failure(await runScript('stop', { ...paths, restoreId: 'r1' }, env)).error;

test('the data directory is where the volume comes from, not where the container sees it', async () => {
  write(manifest().replace(/(mountPath|data-dir)([:=] ?)\S+\/data\b/g, '$1$2/var/lib/etcd'));

  expect((await facts()).data).toMatchObject({ dir: paths['dataDir'], exists: true, restoredBy: null });
});

test('a directory below the mount is below the folder of the node', async () => {
  write(
    manifest()
      .replace(/(mountPath: )\S+\/data\b/, '$1/var/lib/etcd')
      .replace(/--data-dir=\S+/, '--data-dir=/var/lib/etcd/deep'),
  );

  expect((await facts()).data).toMatchObject({ dir: `${paths['dataDir']!}/deep`, exists: false });
});

test('words in quotes are read as without', async () => {
  write(
    manifest()
      .replace(/- (--name=\S+)/, '- "$1"')
      .replace(/- (--data-dir=\S+)/, "- '$1'"),
  );

  expect(await facts()).toMatchObject({ etcd: { name: 'master-1' }, data: { dir: paths['dataDir'] } });
});

test.each<[sentence: string, change: (text: string) => string, error: string]>([
  ['etcd without a name', (text) => text.replace(/ +- --name=.*\n/, ''), 'MemberUnclear'],
  ['data on no volume', (text) => text.replace(/mountPath: \S+\/data/, 'mountPath: /elsewhere'), 'MemberUnclear'],
  ['a log outside of the data directory', (text) => text.replace('    - etcd\n', '    - etcd\n    - --wal-dir=/wal\n'), 'SeparateWalDir'],
])('nothing is stopped on a node with %s', async (_sentence, change, error) => {
  write(change(manifest()));

  expect(await stop()).toBe(error);
  expect(readdirSync(paths['manifestDir']!)).toEqual(['etcd.yaml']);
});

test('a node without etcd is told so', async () => {
  expect(await facts()).toMatchObject({ etcd: { runs: 'absent' }, data: null });
  expect(await stop()).toBe('EtcdAbsent');
});

// A mount needs rights that not every machine gives to its users; where it does not, this way is not tried.
const mayMount = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true']).status === 0;
(mayMount ? test : test.skip)('data on a disk of its own is exchanged inside of it, since a mount point cannot be renamed', async () => {
  const disk = path.join(folder, 'disk');
  mkdirSync(path.join(disk, 'member/snap'), { recursive: true });
  writeFileSync(path.join(disk, 'member/snap/db'), 'old');
  write(manifest());
  const { file, parameters } = await snapshotOnDisk(folder, '3.6');
  const aws = path.join(folder, 'aws');
  writeFileSync(aws, `#!/bin/bash\nexec cp ${file} "\${@: -1}"\n`, { mode: 0o755 });
  const restore = {
    restoreId: 'r1',
    clusterToken: 't',
    bumpRevision: '0',
    initialCluster: 'master-1=https://127.0.1.9:2380',
    waitSeconds: '1',
  };
  const values = { ...paths, ...parameters, ...restore };
  const mounted = (...commands: ('stop' | 'stage' | 'restore-data' | 'roll-back' | 'facts')[]): string[] => {
    const scripts = commands.map((command, index) => {
      const script = path.join(folder, `${index}-${command}.sh`);
      writeFileSync(script, filledIn(command, values));
      return `bash ${script} || true`;
    });
    const all = [`mount --bind ${disk} ${paths['dataDir']!}`, ...scripts].join('\n');
    const options = { env: { ...env, PATH: `${folder}:${env['PATH']!}` }, encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'bash', '-ec', all], options).trim().split('\n');
  };

  const results = mounted('facts', 'stop', 'stage', 'restore-data', 'facts').map((line) => JSON.parse(line) as unknown);

  expect(results[0]).toMatchObject({ data: { ownDisk: true } });
  expect(results[3]).toMatchObject({ ok: true, now: { data: 'restored' } });
  expect(results[4]).toMatchObject({ data: { restoredBy: 'r1', kept: [{ restoreId: 'r1', kind: 'old' }] } });
  expect(readdirSync(disk).sort()).toEqual(['member', 'member.lifeboat-r1-old']);
  // Nothing runs here, so that the way back ends in waiting for etcd; the data is back before.
  expect(mounted('roll-back').map((line) => JSON.parse(line) as unknown)).toMatchObject([{ ok: false, error: 'EtcdNotListening' }]);
  expect(readFileSync(path.join(disk, 'member/snap/db'), 'utf8')).toBe('old');
  expect(readdirSync(disk).sort()).toEqual(['member', 'member.lifeboat-r1-failed']);
});
