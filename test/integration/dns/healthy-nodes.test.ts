import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncReport } from '../../../lambdas/dns/sync-record';
import { servedCertificate } from '../../../lambdas/ports/served-certificate';
import { judgeCalls } from '../../support/permissions/judge';
import { rightsOf } from '../../support/permissions/stack-rights';
import { exceptions } from '../permissions/exceptions';
import { DnsWorld, NAME } from './world';

jest.setTimeout(180_000);

describe('the record of healthy nodes, kept by the deployed functions', () => {
  let world: DnsWorld;
  let first: SyncReport;
  beforeAll(async () => {
    world = await DnsWorld.start();
    first = await world.sync();
  });
  afterAll(() => world.stop());

  const ours = `"heritage=external-dns,external-dns/owner=kube-lifeboat/demo,external-dns/resource=lifeboat/demo/api"`;

  test('is made when there is none, with the note whose it is, under protection, and then left alone', async () => {
    expect(first).toMatchObject({ action: 'write', because: 'missing', answers: true, answering: 3 });

    expect(await world.record('A')).toEqual(world.hosts);
    expect(await world.record('TXT', `a-${NAME}`)).toEqual([ours]);
    expect(await world.resolved()).toEqual(world.hosts);
    await expect(
      world.zone.change('UPSERT', { Name: NAME, Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.66' }] }),
    ).rejects.toThrow(/is protected \(kube-lifeboat demo/);

    const before = world.cloud.calls().filter(({ action }) => action === 'route53:ChangeResourceRecordSets').length;
    expect(await world.sync()).toMatchObject({ action: 'none', answers: true, resolved: world.hosts });
    expect(world.cloud.calls().filter(({ action }) => action === 'route53:ChangeResourceRecordSets')).toHaveLength(before);
  });

  test('loses a dead node with the second look, and has it again with the second that it answers', async () => {
    const [dead = '', ...others] = world.hosts;
    await world.node(1).powerOff();

    expect(await world.sync()).toMatchObject({ action: 'none', answering: 2 });
    expect(await world.sync()).toMatchObject({ action: 'write', because: 'target-changed', answers: true });
    expect(await world.resolved()).toEqual(others);

    await world.bringBack(1);
    expect(await world.resolved()).toEqual([dead, ...others]);
  });

  test('is healed within a minute when somebody changes it, who is told of once', async () => {
    await world.tamper('192.0.2.66');
    expect(await world.resolved()).toEqual(['192.0.2.66']);

    expect(await world.sync()).toMatchObject({ action: 'write', because: 'drifted', answers: true });

    expect(await world.resolved()).toEqual(world.hosts);
    const somebody = { who: `arn:aws:iam::${world.cloud.accountId}:root`, what: 'UPSERT A 192.0.2.66' };
    expect(await world.sync()).toMatchObject({ action: 'none', changedBy: [somebody] });
    expect(await world.sync()).toMatchObject({ action: 'none', changedBy: [] });
  });

  test('waits while a runbook works on the nodes, and follows when that one asks', async () => {
    await world.tamper('192.0.2.66');
    const release = await world.lock('restore-7');

    expect(await world.sync()).toMatchObject({ action: 'hold', because: 'locked' });
    expect(await world.sync({ onBehalfOf: 'restore-7' })).toMatchObject({ action: 'write', answers: true });
    await release();
  });

  test('stays with the one who has noted that it is his, until it is adopted', async () => {
    const note = { Name: `cname-${NAME}`, Type: 'TXT' as const, TTL: 300 };
    const his = '"heritage=external-dns,external-dns/owner=cluster-1,external-dns/resource=service/default/api"';
    await world.zone.change('UPSERT', { ...note, ResourceRecords: [{ Value: his }] });
    await world.tamper('192.0.2.66');

    expect(await world.sync()).toMatchObject({ action: 'refuse', because: 'foreign-owner' });
    expect(await world.resolved()).toEqual(['192.0.2.66']);
    expect(await world.sync({ adopt: true })).toMatchObject({ action: 'write', because: 'adopted', answers: true });
    expect(await world.record('TXT', note.Name)).toEqual([expect.stringContaining('owner=kube-lifeboat/') as string]);
    expect(await world.sync()).toMatchObject({ action: 'none', answers: true });
  });

  test('has rights that are enough, all used, and no wider than they must be', async () => {
    for (const address of ['192.0.2.66', '192.0.2.67']) {
      await world.tamper(address);
      expect(await world.sync()).toMatchObject({ action: 'write' });
    }
    // Newer than what the simulator of IAM knows; and listing machines has no rights on single ones.
    const known = ({ action }: { readonly action: string }) => !action.includes('Protections');
    const rights = rightsOf(await world.cloud.stack('Lifeboat-demo'));
    const functions = rights.functions
      .filter(({ label }) => label.startsWith('ApiRecord'))
      .map((each) => ({ ...each, grants: each.grants.filter(known) }));
    const place = { account: world.cloud.accountId, region: world.cloud.region };

    const findings = await judgeCalls(place, { ...rights, functions }, world.cloud.calls().filter(known), exceptions);

    expect(functions).toHaveLength(2);
    expect(findings.filter(({ line }) => !/ApiRecordProbeApi: made no call|on \* only where \* is \*/.test(line))).toEqual([]);
  });

  test('a client that resolves and connects all the time never finds nothing, while nodes die and come back', async () => {
    const ca = world.nodes.authorities.cluster.cert;
    const found: { readonly led: number; readonly served: boolean }[] = [];
    const stopped = new AbortController();
    const client = (async () => {
      while (!stopped.signal.aborted) {
        const led = await world.resolved();
        // As a client does: the next address when one does not take the connection. Whether etcd has a leader just now is another matter.
        const tried = await Promise.all(led.map((host) => servedCertificate({ host, port: world.apiPort, ca, serverName: NAME })));
        found.push({ led: led.length, served: tried.some(({ sha256 }) => sha256 !== undefined) });
        await sleep(50);
      }
    })();
    for (const number of [1, 2, 3]) {
      await world.node(number).powerOff();
      for (let look = 0; look < 2; look++) await world.sync();
      expect(await world.resolved()).not.toContain(world.node(number).host);
      await world.bringBack(number);
    }
    stopped.abort();
    await client;

    expect(found.length).toBeGreaterThan(20);
    expect(found.filter(({ led, served }) => led === 0 || !served)).toEqual([]);
  });
});
