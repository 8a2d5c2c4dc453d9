import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ElasticLoadBalancingV2Client, Listener } from '@aws-sdk/client-elastic-load-balancing-v2';
import { messageOf } from '../contract/lifeboat-error';
import { DnsFailed } from '../dns/errors';
import type { Balancer, BalancerTarget } from '../dns/find-target';

/**
 * A network load balancer, as it says itself: the zone of its name differs by region and kind, and no table of those is ever complete.
 *
 * @throws DnsFailed, also when there is none
 */
export async function balancerOf(client: ElasticLoadBalancingV2Client, arn: string, port: number): Promise<Balancer> {
  try {
    const { LoadBalancers = [] } = await client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
    const [found] = LoadBalancers;
    if (found?.DNSName === undefined || found.CanonicalHostedZoneId === undefined) throw new Error('there is none');
    return {
      dnsName: found.DNSName,
      zoneId: found.CanonicalHostedZoneId,
      dualstack: found.IpAddressType === 'dualstack',
      active: found.State?.Code === 'active' || found.State?.Code === 'active_impaired',
      targets: await targetsOf(client, arn, port),
    };
  } catch (error) {
    throw new DnsFailed(`cannot look at the load balancer ${arn}: ${messageOf(error)}`, { cause: error });
  }
}

async function targetsOf(client: ElasticLoadBalancingV2Client, arn: string, port: number): Promise<BalancerTarget[]> {
  const listeners: Listener[] = [];
  let Marker: string | undefined;
  do {
    const page = await client.send(new DescribeListenersCommand({ LoadBalancerArn: arn, Marker }));
    listeners.push(...(page.Listeners ?? []));
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  const groups = new Set(
    listeners
      .filter((listener) => listener.Port === port)
      .flatMap(({ DefaultActions = [] }) =>
        DefaultActions.flatMap(({ TargetGroupArn, ForwardConfig }) => [
          ...(TargetGroupArn === undefined ? [] : [TargetGroupArn]),
          ...(ForwardConfig?.TargetGroups ?? []).flatMap((group) => group.TargetGroupArn ?? []),
        ]),
      ),
  );
  const found = await Promise.all(
    [...groups].map(async (TargetGroupArn) => {
      const { TargetHealthDescriptions = [] } = await client.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
      return TargetHealthDescriptions.map(({ Target, TargetHealth }) => ({
        id: Target?.Id ?? '',
        port: Target?.Port ?? port,
        healthy: TargetHealth?.State === 'healthy',
      }));
    }),
  );
  return found.flat();
}
