import { DnsWorld, NAME } from './world';

jest.setTimeout(180_000);

describe('the record of healthy nodes, kept by the deployed functions', () => {
  let world: DnsWorld;
  beforeAll(async () => {
    world = await DnsWorld.start();
  });
  afterAll(() => world.stop());

  const ours = `"heritage=external-dns,external-dns/owner=kube-lifeboat/demo,external-dns/resource=lifeboat/demo/api"`;

  test('is made when there is none, with the note whose it is, under protection, and then left alone', async () => {
    expect(await world.sync()).toMatchObject({ action: 'write', because: 'missing', answers: true, answering: 3 });

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

    await world.node(1).reboot();
    await world.node(1).apiserverReady();
    expect(await world.sync()).toMatchObject({ action: 'none' });
    expect(await world.sync()).toMatchObject({ action: 'write' });
    expect(await world.resolved()).toEqual([dead, ...others]);
  });
});
