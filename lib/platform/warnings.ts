import { isIPv4 } from 'node:net';
import type { ClusterConfig } from '../config/schema';

export interface Warning {
  /** What an operator acknowledges it by. */
  readonly id: string;
  readonly message: string;
}

/** RFC 1918: addresses that nothing outside their own network reaches. */
const PRIVATE = /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./;

/** What is right as a config and still may not be what the operator wants. */
export function warningsOf(cluster: ClusterConfig): Warning[] {
  return [...unheardAlarms(cluster), ...unreachableMembers(cluster), ...publicNodes(cluster)];
}

function unheardAlarms({ alarms }: ClusterConfig): Warning[] {
  if (alarms !== undefined) return [];
  const message = 'alarms are made and tell nobody; give alarms.email or alarms.topicArn';
  return [{ id: 'lifeboat:unheard-alarms', message }];
}

function unreachableMembers({ etcd: { endpoints }, network }: ClusterConfig): Warning[] {
  const unreachable = endpoints.filter((endpoint) => isPrivate(new URL(endpoint).hostname));
  if (network !== undefined || unreachable.length === 0) return [];
  const message = `functions outside a VPC cannot reach the private address of ${unreachable.join(', ')}; give a network section`;
  return [{ id: 'lifeboat:unreachable-members', message }];
}

/** Nodes are known by the addresses that they have in their own network. */
function publicNodes({ api }: ClusterConfig): Warning[] {
  if (api?.visibility !== 'public' || api.target.kind !== 'healthy-nodes') return [];
  const message = `${api.name} is in a public zone and healthyNodes gives it the nodes' private addresses, which only their own network reaches; give a balancer or addresses, or a private zone`;
  return [{ id: 'lifeboat:public-nodes', message }];
}

const isPrivate = (host: string): boolean => isIPv4(host) && PRIVATE.test(host);
