import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { proveSnapshot } from '../../../local/demo/prove-snapshot';
import { clientOf, startWorld } from './world';
import type { World } from './world';

jest.setTimeout(180_000);

describe.each(['3.6', '3.5'] as const)('take-snapshot, deployed, with etcd %s', (release) => {
  let world: World;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-test-'));
    world = await startWorld({ megabytes: 20, release });
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('what it lists restores without any token of the old cluster, by the tools of others, into a member that holds the same (peer failures 6, 7, 24)', async () => {
    const answer = await world.lifeboat.takeSnapshot({ trigger: 'manual', note: 'before upgrade' });

    const manifest = (await world.lifeboat.snapshots()).at(-1);
    expect(answer).toMatchObject({ outcome: 'returned', result: { id: manifest?.id, verified: true } });
    const proof = await proveSnapshot(world.cloud, world.lifeboat.bucket, manifest!, folder, '3.6');
    const objects = Object.values(manifest!.inventory).reduce((sum, count) => sum + count, 0);
    expect(proof.status).toMatchObject({ hash: manifest!.statusHash, revision: manifest!.revision, totalKeys: manifest!.totalKeys });
    expect(proof.restored).toEqual({ objects, keys: objects, hashKv: manifest!.hashKv.hash });
    expect(manifest).toMatchObject({ trigger: 'manual', note: 'before upgrade', verified: true, hashKv: { verdict: 'majority' } });
    expect(manifest!.inventory['horizontalpodautoscalers']).toBeGreaterThan(0);
  });

  test('the cluster may compact and write while its members are asked (peer failure 12)', async () => {
    const client = clientOf(world.etcd);
    const done = new AbortController();
    const writes = (async () => {
      for (let n = 0; !done.signal.aborted; n++) {
        const { header } = await client.put(`/registry/configmaps/default/busy-${n % 50}`).value(`value ${n}`);
        if (n % 100 === 99) await client.kv.compact({ revision: header.revision, physical: false });
      }
    })();

    const answers = [];
    for (let round = 0; round < 3; round++) answers.push(await world.lifeboat.takeSnapshot());
    done.abort();
    await writes;
    client.close();

    expect(answers.map((answer) => answer.outcome)).toEqual(['returned', 'returned', 'returned']);
    const manifests = await world.lifeboat.snapshots();
    // A compaction past the file's revision makes the members' answers incomparable: kept, but never called verified.
    for (const { verified, hashKv } of manifests) {
      expect(hashKv.members.map(({ answer }) => answer.outcome)).not.toContain('different');
      expect(verified).toBe(hashKv.verdict === 'majority');
    }
  });

  test('nothing it logs holds key material', async () => {
    await world.lifeboat.takeSnapshot();

    const logs = (await world.cloud.logs(world.lifeboat.takeSnapshotFunction)).join('\n');

    expect(logs).toContain('snapshot-published');
    expect(logs).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
    expect(logs).not.toContain(world.etcd.credentials.key.split('\n')[1]);
  });
});
