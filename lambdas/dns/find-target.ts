import { isPrivate } from './private-address';
import type { ApiRecordSettings, ProbeTarget } from '../contract/api-record';
import type { Desired } from './plan-record';

export interface BalancerTarget {
  /** Of an instance, or an address. */
  readonly id: string;
  readonly port: number;
  readonly healthy: boolean;
}

export interface Balancer {
  readonly dnsName: string;
  readonly zoneId: string;
  readonly dualstack: boolean;
  readonly active: boolean;
  readonly targets: readonly BalancerTarget[];
}

export interface ClusterNode {
  readonly instanceId: string;
  readonly address: string;
  /** Whether Systems Manager has heard of it in the last minutes. */
  readonly online: boolean;
}

export interface TargetEdges {
  readonly balancer: (arn: string, port: number) => Promise<Balancer>;
  readonly nodes: () => Promise<readonly ClusterNode[]>;
}

/** A place to look at, and what somebody else says of it. */
export interface Candidate extends ProbeTarget {
  /** Whether only the prober beside the cluster reaches it. */
  readonly inside: boolean;
  readonly awayElsewhere: boolean;
}

export type FoundTarget =
  | {
      readonly kind: 'alias';
      readonly desired: Desired;
      /** Behind the balancer, where they can be told: their certificates are what clients see. */
      readonly candidates: readonly Candidate[];
      /** Targets that the balancer itself finds healthy. */
      readonly healthy: number;
    }
  /** Which of them belong into the record is for `judgeTargets` to say. */
  | { readonly kind: 'addresses'; readonly candidates: readonly Candidate[] };

/**
 * What the name may lead to.
 *
 * @throws DnsFailed and NodesUnreachable when nobody could say, which is not the same as nothing
 */
export async function findTarget({ balancer, nodes }: TargetEdges, { target, port }: ApiRecordSettings): Promise<FoundTarget> {
  const candidate = (host: string, awayElsewhere = false, at = port): Candidate => ({
    host,
    port: at,
    inside: isPrivate(host),
    awayElsewhere,
  });
  switch (target.kind) {
    case 'addresses':
      return { kind: 'addresses', candidates: target.addresses.map((address) => candidate(address)) };
    case 'healthy-nodes': {
      const found = (await nodes()).filter(({ address }) => address !== '');
      return { kind: 'addresses', candidates: found.map(({ address, online }) => candidate(address, !online)) };
    }
    case 'load-balancer': {
      const found = await balancer(target.arn, port);
      const known = found.targets.some(({ id }) => isInstance(id)) ? await nodes() : [];
      const behind = found.targets.flatMap(({ id, port: at, healthy }) => {
        const address = isInstance(id) ? known.find(({ instanceId }) => instanceId === id)?.address : id;
        return address === undefined || address === '' ? [] : [candidate(address, !healthy, at)];
      });
      return {
        kind: 'alias',
        desired: { kind: 'alias', dnsName: found.dnsName, zoneId: found.zoneId, dualstack: found.dualstack },
        candidates: behind,
        healthy: found.active ? found.targets.filter(({ healthy }) => healthy).length : 0,
      };
    }
  }
}

const isInstance = (id: string): boolean => /^i-[0-9a-f]+$/.test(id);
