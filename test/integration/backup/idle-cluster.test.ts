import { clientOf, startWorld } from './world';
import type { World } from './world';

jest.setTimeout(180_000);

describe.each(['3.6', '3.5'] as const)('a cluster of etcd %s that nobody writes to', (release) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ megabytes: 10, release });
  });
  afterAll(() => world.stop());

  test('is verified although its members repeat a hash that the compaction at its last revision left behind', async () => {
    const client = clientOf(world.etcd);
    const { header } = await client.kv.range({ key: Buffer.from('/registry/'), count_only: true });
    await client.kv.compact({ revision: header.revision, physical: true });
    client.close();

    await world.lifeboat.takeSnapshot();

    const manifest = (await world.lifeboat.snapshots()).at(-1);
    expect(manifest).toMatchObject({ revision: Number(header.revision), compactRevision: Number(header.revision), verified: true });
    expect(manifest?.hashKv.members.map(({ answer }) => answer.outcome)).toEqual(['equal', 'equal', 'equal']);
  });
});
