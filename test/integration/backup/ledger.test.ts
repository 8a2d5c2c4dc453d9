import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Manifest } from '../../../lambdas/contract/manifest';
import { manifestKey } from '../../../lambdas/contract/s3-keys';
import { waitUntil } from '../../../local/child-process';
import type { Fault } from '../../../local/cloud';
import { startEtcdCluster } from '../../../local/etcd/cluster';
import { startLedgerWorld } from './ledger-world';
import type { LedgerWorld, Watch } from './ledger-world';

jest.setTimeout(240_000);

describe('watch-members, deployed', () => {
  let world: LedgerWorld;
  beforeAll(async () => {
    world = await startLedgerWorld({ megabytes: 10 });
  });
  afterAll(() => world.stop());
  afterEach(() => world.cloud.faults.clear());

  test('raises the ledger to what was written, and tells how the members are', async () => {
    const revision = await world.write(30);

    const { result, metrics } = await world.watch();

    expect(result).toMatchObject({
      outcome: 'watched',
      members: { healthy: 3, voting: 3, unreachable: 0, quorum: true },
      revision,
      ledger: { state: 'current' },
    });
    expect((await world.ledger()).lineages[result.lineage!]).toMatchObject({ revision });
    expect(metrics).toMatchObject({ MembersHealthy: 3, MemberUnreachable: 0, EtcdQuorum: 1, LedgerCurrent: 1 });
    expect(metrics['DbSize']).toBeGreaterThan(1_000_000);
    expect(metrics['DbQuotaUsed']).toBeCloseTo((metrics['DbSize']! / (8 * 1024 ** 3)) * 100, 0);
    expect(await world.write(1)).toBe(revision + 1);
  });

  test('a snapshot raises the ledger too, and names the newest verified one, whose age is told', async () => {
    const revision = await world.write(10);
    await world.lifeboat.takeSnapshot();

    const manifest = (await world.lifeboat.snapshots()).at(-1)!;
    expect(manifest.revision).toBeGreaterThanOrEqual(revision);
    const { ceiling, newestVerified } = await world.ledger();
    expect(ceiling).toBeGreaterThanOrEqual(manifest.revision);
    expect(newestVerified).toEqual({ id: manifest.id, takenAt: manifest.takenAt, revision: manifest.revision, lineage: manifest.lineage });
    const { metrics } = await world.watch();
    expect(metrics['VerifiedSnapshotAge']).toBeGreaterThan(0);
    expect(metrics['VerifiedSnapshotAge']).toBeLessThan(240);
  });

  test('several at once, while the cluster is written to, lose no maximum (peer failure 15)', async () => {
    await world.watch();
    const writing = world.write(400);

    const runs = await Promise.all(Array.from({ length: 5 }, () => world.watch()));
    await writing;

    expect(runs.map(({ result }) => result.ledger.state)).toEqual(Array.from({ length: 5 }, () => 'current'));
    const { ceiling } = await world.ledger();
    expect(ceiling).toBeGreaterThanOrEqual(Math.max(...runs.map(({ result }) => result.revision!)));
  });

  describe('heals a ledger that', () => {
    const forgotten = 50_000_000;
    /** A snapshot of a history that is over: only its manifest knows how far that came. */
    async function forget(): Promise<void> {
      const { s3, bucket, cluster } = world.lifeboat;
      await world.lifeboat.takeSnapshot();
      const [real] = (await world.lifeboat.snapshots()) as [Manifest];
      const id = '20200101T000000Z-00000000';
      const manifest = { ...real, id, lineage: 'f0f0', revision: forgotten, takenAt: '2020-01-01T00:00:00.000Z', verified: false };
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: manifestKey(cluster, id), Body: JSON.stringify(manifest) }));
    }
    beforeAll(forget);

    test.each<[string, () => Promise<void>]>([
      ['was deleted', () => world.removeLedger()],
      ['was cut off in the middle', async () => world.putLedger(JSON.stringify(await world.ledger()).slice(0, 200))],
      ['is empty', () => world.putLedger('')],
      ['is larger than any ledger', () => world.putLedger(JSON.stringify({ padding: 'x'.repeat(2_000_000) }))],
    ])('%s, from the manifests and what the members say (peer failure 36)', async (_what, harm) => {
      await world.watch();
      await harm();
      const revision = await world.write(5);

      const { result, metrics } = await world.watch();

      expect(metrics['LedgerCurrent']).toBe(1);
      const { ceiling, lineages, newestVerified } = await world.ledger();
      expect(ceiling).toBe(forgotten);
      expect(lineages['f0f0']).toMatchObject({ revision: forgotten });
      expect(lineages[result.lineage!]!.revision).toBeGreaterThanOrEqual(revision);
      expect(newestVerified).toBeDefined();
    });

    test('is an older copy that somebody put back: it only rises', async () => {
      await world.watch();
      const old = JSON.stringify(await world.ledger());
      const revision = await world.write(20);
      await world.watch();
      await world.putLedger(old);

      const { result } = await world.watch();

      expect((await world.ledger()).lineages[result.lineage!]!.revision).toBeGreaterThanOrEqual(revision);
    });
  });

  describe('when S3 has a bad minute', () => {
    const refused = (status: number, code: string): Fault => ({ kind: 'status', status, code });
    test.each<[string, Fault]>([
      ['another writer came first', refused(412, 'PreconditionFailed')],
      ['another writer writes at the same moment', refused(409, 'ConditionalRequestConflict')],
      ['the answer to its write is lost', { kind: 'lose-answer' }],
      ['it is asked to slow down', refused(503, 'SlowDown')],
    ])('it goes on, although %s', async (_what, fault) => {
      await world.watch();
      const revision = await world.write(5);
      world.cloud.faults.inject({ operation: 'PutObject', key: '/ledger.json', fault });

      const { result, metrics } = await world.watch();

      expect(result.ledger).toMatchObject({ state: 'current' });
      expect(metrics['LedgerCurrent']).toBe(1);
      expect((await world.ledger()).lineages[result.lineage!]!.revision).toBeGreaterThanOrEqual(revision);
    });

    test.each(['GetObject', 'PutObject'])(
      'it tells of the members all the same when every %s fails, and leaves nothing in the dead-letter queue',
      async (operation) => {
        world.cloud.faults.inject({ operation, key: '/ledger.json', times: 1_000, fault: refused(503, 'SlowDown') });
        await world.write(1);

        const { result, metrics, events } = await world.watch();

        expect(result).toMatchObject({ outcome: 'watched', ledger: { state: 'failed' } });
        expect(metrics).toMatchObject({ MembersHealthy: 3, EtcdQuorum: 1, LedgerCurrent: 0 });
        expect(metrics).not.toHaveProperty(operation === 'GetObject' ? 'VerifiedSnapshotAge' : 'nothing');
        expect(events).toContainEqual(
          expect.objectContaining({ message: 'ledger-failed', because: expect.stringMatching(/ledger\.json/) as string }),
        );
        expect(await deadLetters(world)).toBe(0);
      },
    );
  });

  test('members that are behind the ledger of their own lineage are told of by both numbers, and lower nothing (peer failure 1)', async () => {
    const { result } = await world.watch();
    const before = await world.ledger();
    const { revision } = before.lineages[result.lineage!]!;
    const ahead = { ...before.lineages[result.lineage!]!, revision: revision + 1_000 };
    await world.putLedger(JSON.stringify({ ...before, lineages: { ...before.lineages, [result.lineage!]: ahead } }));

    const { result: after, metrics, events } = await world.watch();

    expect(metrics).toMatchObject({ LedgerCurrent: 0, EtcdQuorum: 1 });
    const numbers = new RegExp(`are at revision ${after.revision!}, the ledger has seen them at ${revision + 1_000}`);
    expect(events).toContainEqual(
      expect.objectContaining({ message: 'revision-fell-back', because: expect.stringMatching(numbers) as string }),
    );
    expect((await world.ledger()).lineages[result.lineage!]).toMatchObject({ revision: revision + 1_000 });
    await world.putLedger(JSON.stringify(before));
  });

  test('another cluster behind the endpoints, of etcd 3.5 and far below, is told of; its quota comes from its metrics', async () => {
    await world.watch();
    const other = await startEtcdCluster({ members: 1, release: '3.5' });
    try {
      await world.pointAt(other.endpoints);
      await world.lifeboat.putSecret(other.credentials);

      const { result, events } = await world.watch();

      expect(result).toMatchObject({ outcome: 'watched', members: { healthy: 1, voting: 1 } });
      expect(events).toContainEqual(expect.objectContaining({ message: 'lineage-opened', below: true, lineage: result.lineage }));
      // On a busy machine the metrics may take longer than a run waits for them; the next run asks again.
      const percent = (one: Watch) => (one.metrics['DbSize']! / (8 * 1024 ** 3)) * 100;
      await waitUntil('the quota is told', 30_000, async () => {
        const one = await world.watch();
        return Math.abs((one.metrics['DbQuotaUsed'] ?? Infinity) - percent(one)) < 0.001;
      });
    } finally {
      await world.pointAt(world.etcd.endpoints);
      await world.lifeboat.putSecret(world.etcd.credentials);
      await other.stop();
    }
  });

  test.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['nobody is there', () => world.pointAt(['https://127.0.1.9:2379', 'https://127.0.1.8:2379']), 'unreachable', /ECONNREFUSED/],
    ['the secret was never filled', () => world.lifeboat.putSecret({ ca: '', cert: '', key: '' }), 'unreachable', /put-secret-value/],
  ])('when %s it ends in good order and tells what it still knows', async (_what, harm, outcome, because) => {
    await world.lifeboat.takeSnapshot();
    await harm();
    try {
      const { result, metrics } = await world.watch();

      expect(result).toMatchObject({ outcome, because: expect.stringMatching(because) as string });
      expect(metrics).toMatchObject({ MembersHealthy: 0, EtcdQuorum: 0, LedgerCurrent: 1 });
      expect(metrics['MemberUnreachable']).toBeGreaterThan(1);
      expect(metrics['VerifiedSnapshotAge']).toBeGreaterThan(0);
      expect(metrics).not.toHaveProperty('RevisionsPerMinute');
      expect(await deadLetters(world)).toBe(0);
    } finally {
      await world.pointAt(world.etcd.endpoints);
      await world.lifeboat.putSecret(world.etcd.credentials);
    }
  });

  test('one member down, then two: the metrics say which day it is, and the ledger stays', async () => {
    const [, second, third] = world.etcd.members;
    const revision = await world.write(5);
    await world.watch();

    await third!.kill();
    expect((await world.watch()).metrics).toMatchObject({ MembersHealthy: 2, MemberUnreachable: 1, EtcdQuorum: 1, LedgerCurrent: 1 });
    await second!.kill();
    const { result, metrics } = await world.watch();

    second!.start();
    third!.start();
    await Promise.all(world.etcd.members.map((member) => member.ready()));
    expect(result).toMatchObject({ outcome: 'watched', members: { voting: 3, unreachable: 2, quorum: false } });
    expect(metrics).toMatchObject({ MemberUnreachable: 2, EtcdQuorum: 0, LedgerCurrent: 1 });
    expect((await world.ledger()).lineages[result.lineage!]!.revision).toBeGreaterThanOrEqual(revision);
  });

  test('nothing it logs holds key material', async () => {
    await world.watch();

    // The emulator writes what a function printed a moment after it has answered.
    let logs = '';
    await waitUntil('the metrics are in the log', 10_000, async () => {
      logs = (await world.cloud.logs(world.lifeboat.watchMembersFunction)).join('\n');
      return logs.includes('MembersHealthy');
    });
    expect(logs).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
    expect(logs).not.toContain(world.etcd.credentials.key.split('\n')[1]);
  });
});

async function deadLetters({ cloud }: LedgerWorld): Promise<number> {
  const sqs = new SQSClient(cloud.clientConfig());
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  const counts = await Promise.all(
    QueueUrls.map((QueueUrl) => sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }))),
  );
  sqs.destroy();
  expect(counts).toHaveLength(1);
  return Number(counts[0]?.Attributes?.['ApproximateNumberOfMessages']);
}
