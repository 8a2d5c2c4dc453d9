import { makeLoadBalancer } from '../../../local/dns/load-balancer';
import { DnsWorld, NAME } from './world';

jest.setTimeout(180_000);

describe('the record of a balancer, kept by the deployed functions', () => {
  let world: DnsWorld;
  let dnsName: string;
  beforeAll(async () => {
    world = await DnsWorld.start({
      target: async ({ cloud, nodes, apiPort }) => {
        const targets = nodes.nodes.map(({ host }) => host);
        const made = await makeLoadBalancer(cloud.clientConfig(), { name: 'api', port: apiPort, targets });
        cloud.names.balancer(made.dnsName, targets);
        dnsName = made.dnsName;
        return { loadBalancerArn: made.arn };
      },
    });
  });
  afterAll(() => world.stop());
  afterEach(() => world.cloud.setTargetHealth({}));

  test('is an alias by the zone that the balancer itself names, and follows its addresses without a change', async () => {
    await world.sync();

    expect(await world.sync()).toMatchObject({ action: 'none', answers: true, answering: 3 });
    expect(await world.record('A')).toEqual([`${dnsName}.`]);
    expect(await world.resolved()).toEqual(world.hosts);
    world.cloud.names.balancer(dnsName, [world.hosts[1] ?? '']);
    expect(await world.resolved()).toEqual([world.hosts[1]]);
    expect(await world.sync()).toMatchObject({ action: 'none', answers: true });
    world.cloud.names.balancer(dnsName, world.hosts);
  });

  test('is not written while the balancer finds nothing healthy, and what is there stays', async () => {
    await world.sync();
    await world.tamper('127.0.1.2');
    world.cloud.setTargetHealth(Object.fromEntries(world.hosts.map((host) => [host, 'unhealthy'])));

    expect(await world.sync()).toMatchObject({ action: 'hold', because: 'nothing-answers', answering: 0 });
    expect(await world.resolved()).toEqual(['127.0.1.2']);

    world.cloud.setTargetHealth({ [world.hosts[0] ?? '']: 'unhealthy' });
    expect(await world.sync()).toMatchObject({ action: 'write', because: 'drifted', answering: 2, answers: true });
    expect(await world.record('A')).toEqual([`${dnsName}.`]);
  });

  test('leads where the name itself is looked at, and at every target behind it', async () => {
    await world.sync();

    const { looked, resolved } = await world.sync();

    expect(looked.map(({ host, answers, carriesName }) => `${host} ${answers} ${carriesName}`).sort()).toEqual(
      world.hosts.map((host) => `${host} true true`),
    );
    expect(resolved).toEqual(world.hosts);
    expect(NAME).toMatch(/^api\./);
  });
});
