import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { etcdProgram } from '../../../local/tools';
import { failure } from '../../support/node-script';
import type { SnapshotOnDisk } from './staged-node';
import { NodeUnderTest, serveByAws, snapshotOnDisk } from './staged-node';

jest.setTimeout(180_000);

describe.each(['3.6', '3.5'] as const)('a node with etcd %s', (release) => {
  let nodes: LocalNodes;
  let snapshot: SnapshotOnDisk;
  let on: NodeUnderTest;
  const manifest = (name = 'etcd.yaml') => path.join(on.node.tree.manifestDir, name);

  beforeAll(async () => {
    nodes = await startLocalNodes({ count: 1, release });
    snapshot = await snapshotOnDisk(nodes.folder, release);
    on = NodeUnderTest.of(nodes, snapshot, 'r1');
  });
  afterAll(() => nodes.stop());
  /** Every test begins on a node that serves, whatever the one before left. */
  beforeEach(async () => {
    on.node.repairPrograms();
    serveByAws(on.node, snapshot.file);
    const { etcd, apiserver } = await on.facts();
    const restoreId = etcd.keptBy ?? apiserver.keptBy;
    if (restoreId !== null) await on.do('roll-back', { restoreId });
  });

  test('facts tells what a restore has to know, and changes nothing', async () => {
    const { tree, name, clientUrl, peerUrl } = on.node;

    const stateDir = path.join(nodes.folder, 'not-there');

    const facts = await on.do('facts', { stateDir });

    expect(facts).toMatchObject({
      busyWith: null,
      etcd: {
        runs: 'static-pod',
        definition: 'in-place',
        keptBy: null,
        running: true,
        servesLiveData: true,
        listening: true,
        name,
        clientUrl,
        peerUrls: peerUrl,
      },
      apiserver: { definition: 'in-place', running: true, ready: true },
      data: { dir: tree.dataDir, exists: true, ownDisk: false },
      etcdutl: { from: 'path', bumpRevision: true },
      tools: { aws: true, flock: true, sha256sum: true },
      strayManifests: [],
    });
    expect(facts.etcd.version).toMatch(new RegExp(`^${release}\\.`));
    expect(facts.data?.freeBytes).toBeGreaterThan(0);
    expect(existsSync(stateDir)).toBe(false);
  });

  test('facts names a forgotten copy of a manifest, which would run as a second etcd', async () => {
    renameSync(manifest(), `${manifest()}.moved`);
    writeFileSync(manifest('.hidden'), readFileSync(`${manifest()}.moved`));
    const copied = await on.facts();
    renameSync(`${manifest()}.moved`, manifest());
    rmSync(manifest('.hidden'));

    expect(copied.strayManifests).toEqual(['etcd.yaml.moved']);
    await on.node.ready();
  });

  describe('stage', () => {
    beforeEach(() => rmSync(path.join(on.node.tree.stateDir, 'restores/r1'), { recursive: true, force: true }));
    test('brings the snapshot, and finds it there the second time', async () => {
      expect(await on.do('stage')).toMatchObject({ was: 'absent', hash: snapshot.parameters.snapshotHash });
      on.node.breakProgram('aws', 'exit 9\n');
      expect(await on.do('stage')).toMatchObject({ was: 'staged', bytes: Number(snapshot.parameters.snapshotBytes) });
    });

    test('fetches it again when what it has was damaged since', async () => {
      await on.do('stage');
      appendFileSync(path.join(on.node.tree.stateDir, 'restores/r1/snapshot.db'), 'x');

      expect(await on.do('stage')).toMatchObject({ was: 'absent' });
    });

    test.each<[what: string, change: Record<string, string>, error: string]>([
      ['another SHA-256', { snapshotSha256: 'a'.repeat(64) }, 'DownloadDiffers'],
      ['another status hash', { snapshotHash: '00000000' }, 'SnapshotDiffers'],
      ['another revision', { snapshotRevision: '7' }, 'SnapshotDiffers'],
      ['no room for it', { snapshotBytes: '900000000000000' }, 'NoSpace'],
      ['another data directory in the config', { dataDir: '/var/lib/other' }, 'DataDirDiffers'],
    ])('refuses %s and leaves nothing', async (_what, change, error) => {
      const outcome = await on.run('stage', change);

      expect(failure(outcome)).toMatchObject({ error, code: 1 });
      expect(existsSync(path.join(on.node.tree.stateDir, 'restores/r1/snapshot.db'))).toBe(false);
      expect((await on.facts()).etcd.running).toBe(true);
    });

    test('says what the download said when S3 refuses', async () => {
      on.node.breakProgram('aws', 'echo "fatal error: (403) Forbidden" >&2\nexit 1\n');

      expect(failure(await on.run('stage'))).toMatchObject({ error: 'DownloadFailed', message: expect.stringContaining('403') as string });
    });

    test('refuses a node without the AWS command line', async () => {
      on.node.breakProgram('aws');

      expect(failure(await on.run('stage'))).toMatchObject({ error: 'ToolMissing' });
    });

    test('refuses a node without etcdutl, naming the version to install', async () => {
      on.node.breakProgram('etcdutl');

      const { error, fix } = failure(await on.run('stage'));

      expect(error).toBe('EtcdutlMissing');
      expect(fix).toContain(`etcdutl ${release}.`);
      expect((await on.facts()).etcdutl).toBeNull();
    });

    test('refuses an etcdutl of another release than etcd', async () => {
      on.node.breakProgram('etcdutl', 'echo "etcdutl version: 3.4.1"\n');

      expect(failure(await on.run('stage'))).toMatchObject({ error: 'EtcdutlVersionDiffers' });
      expect((await on.facts()).etcdutl).toMatchObject({ from: 'other-release', version: '3.4.1' });
    });

    test('refuses an etcdutl that cannot raise the revision, unless the revision shall stay', async () => {
      const real = etcdProgram(release, 'etcdutl');
      on.node.breakProgram('etcdutl', `case "$*" in *--help*) ${real} "$@" | grep -v bump-revision ;; *) exec ${real} "$@" ;; esac\n`);

      expect((await on.facts()).etcdutl?.bumpRevision).toBe(false);
      expect(failure(await on.run('stage'))).toMatchObject({ error: 'BumpUnsupported' });
      expect(await on.do('stage', { bumpRevision: '0' })).toMatchObject({ was: 'absent' });
    });

    test('takes etcdutl out of the image of etcd when the node has none', async () => {
      on.node.breakProgram('etcdutl');
      const image = path.join(nodes.folder, 'image/usr/local/bin');
      mkdirSync(image, { recursive: true });
      copyFileSync(etcdProgram(release, 'etcdutl'), path.join(image, 'etcdutl'));
      const mount = `mkdir -p "\${@: -1}/usr/local/bin" && cp ${image}/etcdutl "\${@: -1}/usr/local/bin/"`;
      const unmount = 'rm -r "${@: -1}/usr"';
      on.node.breakProgram('ctr', `case "$*" in *"images ls"*) echo there ;; *unmount*) ${unmount} ;; *mount*) ${mount} ;; esac\n`);

      expect((await on.facts()).etcdutl).toMatchObject({ from: 'image', bumpRevision: null });
      await on.do('stage');
      expect((await on.facts()).etcdutl).toMatchObject({ from: 'kept', bumpRevision: true });
      rmSync(path.join(on.node.tree.stateDir, 'bin'), { recursive: true });
    });
  });

  describe('restore-data', () => {
    test('refuses while etcd runs, without a staged snapshot, and for members that this is none of', async () => {
      const restore = { restoreId: 'refused' };
      const refusal = async (change = {}) => failure(await on.run('restore-data', { ...restore, ...change })).error;

      expect(await refusal()).toBe('EtcdStillRuns');
      await on.do('stop', restore);
      expect(await refusal()).toBe('NotStaged');
      await on.do('stage', restore);
      expect(await refusal({ initialCluster: 'other=https://127.0.0.1:1' })).toBe('NotInInitialCluster');
      await on.do('start', restore);
      await on.node.ready();
    });

    test('that fails in etcdutl has exchanged nothing', async () => {
      const restore = { restoreId: 'failing' };
      await on.do('stage', restore);
      await on.do('stop', restore);
      const real = etcdProgram(release, 'etcdutl');
      on.node.breakProgram(
        'etcdutl',
        `case "$*" in *"restore /"*) echo "no space left on device" >&2; exit 1 ;; *) exec ${real} "$@" ;; esac\n`,
      );

      const outcome = failure(await on.run('restore-data', restore));

      expect(outcome).toMatchObject({ error: 'RestoreFailed', message: expect.stringContaining('no space left') as string });
      on.node.repairPrograms();
      expect(await on.do('roll-back', restore)).toMatchObject({ found: 'original', now: { data: 'original', etcd: { running: true } } });
    });
  });

  test('another restore keeps its hands off a node that one has stopped', async () => {
    await on.do('stop', { restoreId: 'first' });

    const others = [await on.run('stop'), await on.run('start'), await on.run('roll-back'), await on.run('stage')].map(failure);

    expect(others.map(({ error }) => error)).toEqual(Array(4).fill('OtherRestore'));
    expect(failure(await on.run('clean-up'))).toMatchObject({ error: 'RestoreInProgress' });
    await on.do('start', { restoreId: 'first' });
  });

  test('two documents never run at the same time, and facts names the one that does', async () => {
    on.node.breakProgram('aws', 'sleep 5; exit 1\n');
    const staging = on.run('stage', { restoreId: 'slow' });
    let busy: string | null = null;
    while (busy === null) busy = (await on.facts()).busyWith;

    expect(busy).toBe('stage');
    expect(failure(await on.run('stop', { restoreId: 'slow' }))).toMatchObject({
      error: 'NodeBusy',
      message: expect.stringContaining('stage') as string,
    });
    expect(failure(await staging)).toMatchObject({ error: 'DownloadFailed' });
  });

  test('clean-up keeps the last two data directories and says what they cost', async () => {
    for (const restoreId of ['a', 'b', 'c']) for (const command of ['stage', 'stop', 'restore-data', 'start'] as const) await on.do(command, { restoreId }); // prettier-ignore
    await on.do('roll-back', { restoreId: 'c' });
    for (const command of ['stage', 'stop', 'restore-data', 'start'] as const) await on.do(command, { restoreId: 'd' });

    const { freedBytes, usedBytes, kept } = await on.do('clean-up');

    expect(kept.map(({ restoreId }) => restoreId).sort()).toEqual(['b', 'd']);
    expect(usedBytes).toBe(kept.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(freedBytes).toBeGreaterThan(Number(snapshot.parameters.snapshotBytes));
    expect(readdirSync(path.dirname(on.node.tree.dataDir)).filter((name) => name.includes('.lifeboat-'))).toHaveLength(2);
    expect((await on.facts()).data).toMatchObject({ restoredBy: 'd' });
  });

  test('a roll-back takes back its own restore and no later one, and nothing goes on after it', async () => {
    for (const restoreId of ['older', 'newer'])
      for (const command of ['stage', 'stop', 'restore-data', 'start'] as const) await on.do(command, { restoreId });

    // An execution that is redriven too late must stop nothing, since nobody could start it again.
    for (const command of ['roll-back', 'stop', 'restore-data'] as const)
      expect(failure(await on.run(command, { restoreId: 'older' }))).toMatchObject({
        error: 'OtherRestore',
        message: expect.stringContaining('was made by restore newer, later than older') as string,
      });
    expect(await on.facts()).toMatchObject({ data: { restoredBy: 'newer' }, etcd: { running: true } });

    await on.do('roll-back', { restoreId: 'newer' });
    // Of what the restore left, a clean-up leaves that it was rolled back.
    for (const cleaned of [false, true]) {
      if (cleaned) await on.do('clean-up');
      for (const command of ['stage', 'stop', 'prepare-data', 'restore-data', 'start'] as const)
        expect(failure(await on.run(command, { restoreId: 'newer' }))).toMatchObject({ error: 'RolledBack' });
    }
    expect(await on.facts()).toMatchObject({ data: { restoredBy: 'older' }, etcd: { running: true } });
    expect(await on.do('roll-back', { restoreId: 'newer' })).toMatchObject({ found: 'original' });
    await on.do('roll-back', { restoreId: 'older' });
    expect((await on.facts()).data).not.toMatchObject({ restoredBy: 'older' });
  });

  test('a later restore is known for one also when nothing else is left of the earlier', async () => {
    for (const restoreId of ['forgotten', 'then', 'last'])
      for (const command of ['stage', 'stop', 'restore-data', 'start'] as const) await on.do(command, { restoreId });
    await on.do('clean-up');
    const { data } = await on.facts();
    expect(data?.restoredBefore.slice(-2)).toEqual(['forgotten', 'then']);
    expect(data?.kept.map(({ restoreId }) => restoreId)).not.toContain('forgotten');

    expect(failure(await on.run('roll-back', { restoreId: 'forgotten' }))).toMatchObject({ error: 'OtherRestore' });
    expect(await on.do('roll-back', { restoreId: 'never-here' })).toMatchObject({ found: 'original' });

    expect(await on.facts()).toMatchObject({ data: { restoredBy: 'last' }, etcd: { running: true } });
  });

  test('a roll-back that has nothing to put back leaves the restore to be finished', async () => {
    const restore = { restoreId: 'lost' };
    for (const command of ['stage', 'stop', 'restore-data'] as const) await on.do(command, restore);
    rmSync(`${on.node.tree.dataDir}.lifeboat-lost-old`, { recursive: true });

    expect(failure(await on.run('roll-back', restore))).toMatchObject({ error: 'OldDataGone' });

    expect(await on.do('start', restore)).toMatchObject({ now: { data: 'restored', etcd: { running: true } } });
  });

  test('what somebody started between the two renames is never lost, and the old data comes back', async () => {
    const restore = { restoreId: 'between' };
    await on.do('stage', restore);
    await on.do('stop', restore);
    renameSync(on.node.tree.dataDir, `${on.node.tree.dataDir}.lifeboat-between-old`);
    mkdirSync(on.node.tree.dataDir);
    writeFileSync(path.join(on.node.tree.dataDir, 'theirs'), 'x');

    expect(failure(await on.run('restore-data', restore))).toMatchObject({ error: 'DataUnclear' });
    expect(await on.do('roll-back', restore)).toMatchObject({ found: 'unclear', now: { data: 'original', etcd: { running: true } } });
    expect(existsSync(`${on.node.tree.dataDir}.lifeboat-between-failed/theirs`)).toBe(true);
  });
});
