import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filledIn } from '../../support/node-script';
import { StillNode, textOf } from './still-node';

// What the documents read out of manifests, on folders in which nothing runs.
jest.setTimeout(60_000);

let node: StillNode;
beforeEach(() => {
  node = new StillNode();
});
afterEach(() => node.remove());

test('the data directory is where the volume comes from, not where the container sees it', async () => {
  node.write(node.manifest().replace(/(mountPath|data-dir)([:=] ?)\S+\/data\b/g, '$1$2/var/lib/etcd'));

  expect((await node.do('facts')).data).toMatchObject({ dir: node.dataDir, exists: true, restoredBy: null });
});

test('a directory below the mount is below the folder of the node', async () => {
  node.write(
    node
      .manifest()
      .replace(/(mountPath: )\S+\/data\b/, '$1/var/lib/etcd')
      .replace(/--data-dir=\S+/, '--data-dir=/var/lib/etcd/deep'),
  );

  expect((await node.do('facts')).data).toMatchObject({ dir: `${node.dataDir}/deep`, exists: false });
});

test('words in quotes are read as without', async () => {
  node.write(
    node
      .manifest()
      .replace(/- (--name=\S+)/, '- "$1"')
      .replace(/- (--data-dir=\S+)/, "- '$1'"),
  );

  expect(await node.do('facts')).toMatchObject({ etcd: { name: 'master-1' }, data: { dir: node.dataDir } });
});

test.each<[sentence: string, change: (text: string) => string, error: string]>([
  ['etcd without a name', (text) => text.replace(/ +- --name=.*\n/, ''), 'MemberUnclear'],
  ['data on no volume', (text) => text.replace(/mountPath: \S+\/data/, 'mountPath: /elsewhere'), 'MemberUnclear'],
  ['a log outside of the data directory', (text) => text.replace('    - etcd\n', '    - etcd\n    - --wal-dir=/wal\n'), 'SeparateWalDir'],
])('nothing is stopped on a node with %s', async (_sentence, change, error) => {
  node.write(change(node.manifest()));

  expect(await node.refusal('stop')).toMatchObject({ error });
  expect(readdirSync(node.manifestDir)).toEqual(['etcd.yaml']);
});

test('a node without etcd is told so', async () => {
  expect(await node.do('facts')).toMatchObject({ etcd: { runs: 'absent' }, data: null });
  expect(await node.refusal('stop')).toMatchObject({ error: 'EtcdAbsent' });
});

// A mount needs rights that not every machine gives to its users; where it does not, this way is not tried.
const mayMount = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true']).status === 0;
(mayMount ? test : test.skip)('data on a disk of its own is exchanged inside of it, since a mount point cannot be renamed', async () => {
  const disk = path.join(node.folder, 'disk');
  mkdirSync(path.join(disk, 'member/snap'), { recursive: true });
  writeFileSync(path.join(disk, 'member/snap/db'), 'old');
  node.write(node.manifest());
  node.write(node.apiserverManifest(), 'kube-apiserver.yaml');
  // Of a run that was killed between two renames.
  mkdirSync(path.join(disk, 'member.lifeboat-r1-restoring.member/snap'), { recursive: true });
  await node.offerSnapshot();
  const mounted = (...commands: ('stop' | 'stage' | 'restore-data' | 'roll-back' | 'facts')[]): string[] => {
    const scripts = commands.map((command, index) => {
      const script = path.join(node.folder, `${index}-${command}.sh`);
      writeFileSync(script, filledIn(command, node.values));
      return `bash ${script} || true`;
    });
    const all = [`mount --bind ${disk} ${node.dataDir}`, ...scripts].join('\n');
    const options = { env: node.env, encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'bash', '-ec', all], options).trim().split('\n');
  };

  const results = mounted('facts', 'stop', 'stage', 'restore-data', 'facts').map((line) => JSON.parse(line) as unknown);

  expect(results[0]).toMatchObject({ data: { ownDisk: true } });
  expect(results[3]).toMatchObject({ ok: true, now: { data: 'restored' } });
  expect(results[4]).toMatchObject({ data: { restoredBy: 'r1', kept: [{ restoreId: 'r1', kind: 'old' }] } });
  expect(readdirSync(disk).sort()).toEqual(['member', 'member.lifeboat-r1-old']);
  // Nothing runs here, so that the way back ends in waiting for etcd; the data is back before.
  expect(mounted('roll-back').map((line) => JSON.parse(line) as unknown)).toMatchObject([{ ok: false, error: 'EtcdNotListening' }]);
  expect(textOf(path.join(disk, 'member/snap/db'))).toBe('old');
  expect(readdirSync(disk).sort()).toEqual(['member', 'member.lifeboat-r1-failed']);
});
