import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { openEtcd } from '../../../lambdas/etcd/client/etcd-reader';
import { waitUntil } from '../../../local/child-process';
import { createAuthority, issueCertificate } from '../../../local/etcd/certificates';
import type { Certificate } from '../../../local/etcd/certificates';
import { startEtcdCluster } from '../../../local/etcd/cluster';
import { startPretendEtcd } from '../../support/pretend-etcd';
import { startTcpProxy } from '../../support/tcp-proxy';
import { clientOf, startWorld } from './world';
import type { World } from './world';

jest.setTimeout(180_000);

describe('take-snapshot, deployed, when etcd has a bad day, lets it serve on (peer failure 13)', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ megabytes: 20 });
  });
  afterAll(() => world.stop());
  afterEach(async () => {
    await world.pointAt(world.etcd.endpoints);
    await world.lifeboat.putSecret(world.etcd.credentials);
  });

  /** Runs the function, which must fail by name, and shows that nothing else has changed. */
  async function expectFailure(name: string, message: RegExp): Promise<void> {
    const before = await world.traces();

    const answer = await world.lifeboat.takeSnapshot();

    expect(answer).toMatchObject({ outcome: 'failed', error: { name, message: expect.stringMatching(message) as string } });
    expect(await world.traces()).toEqual({ ...before, openUploads: 0 });
    await Promise.all(world.etcd.members.map((member) => member.ready()));
  }

  test('a client certificate that is refused costs a process that looks every minute no sockets', async () => {
    const secret = { ca: world.etcd.authority.cert, ...issueCertificate(createAuthority(), { commonName: 'lifeboat' }) };
    const sockets = () => process.getActiveResourcesInfo().filter((resource) => /TCP|TLS/.test(resource)).length;
    const before = sockets();

    for (let look = 0; look < 10; look++) {
      const etcd = openEtcd(world.etcd.endpoints, secret);
      expect((await etcd.gather()).members.map((member) => !member.reachable && member.kind)).toEqual(['tls', 'tls', 'tls']);
      etcd.close();
    }

    await waitUntil('its sockets are closed', 5_000, async () => sockets() <= before + 1, 50);
  });

  test('nobody is there', async () => {
    await world.pointAt(['https://127.0.1.9:2379', 'https://127.0.1.8:2379']);

    await expectFailure('EtcdUnreachable', /no etcd member can be reached: .*127\.0\.1\.9:2379: .*ECONNREFUSED/);
  });

  test('everybody is there and nobody answers', async () => {
    const [one] = world.etcd.members;
    await world.pointAt([one!.clientUrl]);
    const before = await world.traces();
    one!.pause();

    const answer = await world.lifeboat.takeSnapshot();

    one!.resume();
    await one!.ready();
    expect(answer).toMatchObject({
      outcome: 'failed',
      error: { name: 'EtcdUnreachable', message: expect.stringMatching(/no answer within 5 s/) as string },
    });
    expect(await world.traces()).toEqual(before);
  });

  test('the client certificate in the secret has expired', async () => {
    const expired = issueCertificate(world.etcd.authority, {
      commonName: 'lifeboat',
      usage: 'client',
      notAfter: new Date(Date.now() - 60_000),
    });
    await world.lifeboat.putSecret({ ca: world.etcd.authority.cert, ...expired });

    await expectFailure('EtcdTlsRefused', /the client certificate in the secret expired on 20/);
  });

  test('the client certificate is signed by another CA', async () => {
    await world.lifeboat.putSecret({ ca: world.etcd.authority.cert, ...issueCertificate(createAuthority(), { commonName: 'lifeboat' }) });

    await expectFailure('EtcdTlsRefused', /the server refused the client certificate in the secret/);
  });

  test('the secret holds another CA', async () => {
    await world.lifeboat.putSecret({ ...world.etcd.credentials, ca: createAuthority('some-other-ca').cert });

    await expectFailure('EtcdTlsRefused', /the server certificate is signed by "etcd-ca", which the CA in the secret does not vouch for/);
  });

  test.each<[string, (authority: Certificate, host: string) => Certificate, RegExp]>([
    [
      'has expired',
      (authority, host) => issueCertificate(authority, { commonName: 'm', hosts: [host], notAfter: new Date(Date.now() - 60_000) }),
      /the server certificate expired on 20/,
    ],
    [
      'names another host',
      (authority) => issueCertificate(authority, { commonName: 'm', hosts: ['10.9.8.7'] }),
      /the server certificate names IP Address:10\.9\.8\.7, not 127\.0\.1\.1: reissue it with that SAN/,
    ],
  ])('the server certificate %s', async (_what, serverCertificate, message) => {
    const bad = await startEtcdCluster({ members: 1, serverCertificate });
    try {
      await world.pointAt(bad.endpoints);
      await world.lifeboat.putSecret(bad.credentials);

      await expectFailure('EtcdTlsRefused', message);
    } finally {
      await bad.stop();
    }
  });

  test('the secret was never filled', async () => {
    await world.lifeboat.putSecret({ ca: '', cert: '', key: '' });

    await expectFailure('SecretUnusable', /ca: is not a PEM certificate.*aws secretsmanager put-secret-value/);
  });

  test('the stream is cut half way', async () => {
    const doors = await Promise.all(world.etcd.endpoints.map((endpoint) => startTcpProxy(endpoint, 10_000_000)));
    try {
      await world.pointAt(doors.map(({ endpoint }) => endpoint));

      await expectFailure('SnapshotStreamBroken', /broke off after \d+ bytes/);
    } finally {
      await Promise.all(doors.map((door) => door.stop()));
    }
  });

  const database = () => Buffer.alloc(64 * 1024, 7);
  const withTrailer = (bytes: Buffer) => Buffer.concat([bytes, createHash('sha256').update(bytes).digest()]);
  test.each<[string, () => Buffer, string, RegExp]>([
    ['ends without its trailer (peer failure 11)', database, 'SnapshotTruncated', /without the SHA-256 that etcd appends/],
    [
      'has a trailer that does not fit',
      () => Buffer.concat([database(), Buffer.alloc(32)]),
      'SnapshotTruncated',
      /trailer says SHA-256 0000/,
    ],
    ['is empty (peer failure 25)', () => Buffer.alloc(0), 'SnapshotTruncated', /empty snapshot/],
    ['is no bbolt file, though its trailer fits', () => withTrailer(database()), 'SnapshotDamaged', /is damaged \(\d+ problems, first/],
  ])('the stream %s', async (_what, bytes, name, message) => {
    const pretender = await startPretendEtcd(world.etcd.authority, bytes());
    try {
      await world.pointAt([pretender.endpoint]);

      await expectFailure(name, message);
    } finally {
      pretender.stop();
    }
  });

  test("the function's disk is full", async () => {
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned' });
    // The warm function may write no file larger than this; the kernel then refuses as it does on a full disk.
    const limit = (bytes: string) => {
      for (const pid of world.cloud.processesOf(world.lifeboat.takeSnapshotFunction))
        execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
    };
    limit('9000000');

    await expectFailure('SpoolFull', /is full after \d+ bytes of the snapshot: raise backup\.maxDbSizeGiB/);

    limit('unlimited');
  });

  test('one member is frozen: the others are a majority', async () => {
    const frozen = world.etcd.members[2]!;
    frozen.pause();

    const answer = await world.lifeboat.takeSnapshot();

    frozen.resume();
    await frozen.ready();
    expect(answer).toMatchObject({ outcome: 'returned', result: { verified: true, because: '2 of 3 voting members hold the same data' } });
    const answers = (await world.lifeboat.snapshots()).at(-1)!.hashKv.members;
    expect(answers.map(({ answer: { outcome } }) => outcome).sort()).toEqual(['equal', 'equal', 'unreachable']);
  });

  test('quorum is lost: the snapshot of the last member is kept, but not called verified', async () => {
    const [survivor, ...dead] = world.etcd.members;
    await Promise.all(dead.map((member) => member.kill()));

    const answer = await world.lifeboat.takeSnapshot();

    dead.forEach((member) => member.start());
    await Promise.all(world.etcd.members.map((member) => member.ready()));
    expect(answer).toMatchObject({ outcome: 'returned', result: { verified: false, member: survivor!.name } });
  });

  test('a member with the CORRUPT alarm is not taken from', async () => {
    const client = clientOf(world.etcd);
    const { members } = await client.cluster.memberList({});
    const healthy = await world.lifeboat.takeSnapshot();
    const usual = (healthy as { result: { member: string } }).result.member;
    const memberID = members.find(({ name }) => name === usual)!.ID;
    await client.maintenance.alarm({ action: 'Activate', memberID, alarm: 'Corrupt' });

    const answer = await world.lifeboat.takeSnapshot();

    await client.maintenance.alarm({ action: 'Deactivate', memberID, alarm: 'Corrupt' });
    client.close();
    expect(answer).toMatchObject({ outcome: 'returned' });
    expect((answer as { result: { member: string } }).result.member).not.toBe(usual);
  });
});
