import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ClientConfig } from '../cloud/clients';

/** Makes a network load balancer in the emulated account. It balances nothing: where its name leads to is for `names.balancer` to say. */
export async function makeLoadBalancer(
  config: ClientConfig,
  { name, port, targets }: { readonly name: string; readonly port: number; readonly targets: readonly string[] },
): Promise<{ readonly arn: string; readonly dnsName: string }> {
  const client = new ElasticLoadBalancingV2Client(config);
  const balancer = new CreateLoadBalancerCommand({
    Name: name,
    Type: 'network',
    Scheme: 'internal',
    Subnets: ['subnet-0123456789abcdef0'],
  });
  const { LoadBalancers } = await client.send(balancer);
  const { LoadBalancerArn = '', DNSName = '' } = LoadBalancers?.[0] ?? {};
  const group = new CreateTargetGroupCommand({ Name: name, Protocol: 'TCP', Port: port, TargetType: 'ip', VpcId: 'vpc-0123456789abcdef0' });
  const TargetGroupArn = (await client.send(group)).TargetGroups?.[0]?.TargetGroupArn ?? '';
  await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: targets.map((Id) => ({ Id, Port: port })) }));
  const DefaultActions = [{ Type: 'forward' as const, TargetGroupArn }];
  await client.send(new CreateListenerCommand({ LoadBalancerArn, Port: port, Protocol: 'TCP', DefaultActions }));
  return { arn: LoadBalancerArn, dnsName: DNSName };
}
