import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { DnsWorld, NAME } from './world';

jest.setTimeout(180_000);

/** A network load balancer in the emulated account, whose name leads straight to the API servers. */
async function makeBalancer({
  cloud,
  nodes,
  apiPort,
}: Parameters<NonNullable<NonNullable<Parameters<typeof DnsWorld.start>[0]>['target']>>[0]) {
  const elb = new ElasticLoadBalancingV2Client(cloud.clientConfig());
  const { LoadBalancers } = await elb.send(
    new CreateLoadBalancerCommand({ Name: 'api', Type: 'network', Scheme: 'internal', Subnets: ['subnet-1'] }),
  );
  const { LoadBalancerArn = '', DNSName = '' } = LoadBalancers?.[0] ?? {};
  const { TargetGroups } = await elb.send(
    new CreateTargetGroupCommand({ Name: 'apiservers', Protocol: 'TCP', Port: apiPort, TargetType: 'ip', VpcId: 'vpc-1' }),
  );
  const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? '';
  await elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: nodes.nodes.map(({ host }) => ({ Id: host, Port: apiPort })) }));
  await elb.send(
    new CreateListenerCommand({ LoadBalancerArn, Port: apiPort, Protocol: 'TCP', DefaultActions: [{ Type: 'forward', TargetGroupArn }] }),
  );
  cloud.names.balancer(
    DNSName,
    nodes.nodes.map(({ host }) => host),
  );
  return { loadBalancerArn: LoadBalancerArn, dnsName: DNSName };
}

describe('the record of a balancer, kept by the deployed functions', () => {
  let world: DnsWorld;
  let dnsName: string;
  beforeAll(async () => {
    world = await DnsWorld.start({
      target: async (place) => {
        const made = await makeBalancer(place);
        dnsName = made.dnsName;
        return { loadBalancerArn: made.loadBalancerArn };
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
