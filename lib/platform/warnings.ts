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
  return [...ignoredSections(cluster), ...unheardAlarms(cluster), ...unreachableMembers(cluster)];
}

/** What nothing acts on must not pass for protection. */
function ignoredSections({ api }: ClusterConfig): Warning[] {
  if (api === undefined) return [];
  const message = `this version keeps no DNS record: it tries ${api.name} after a restore and puts it into certificates, and leaves api.target alone`;
  return [{ id: 'lifeboat:ignored-sections', message }];
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

const isPrivate = (host: string): boolean => isIPv4(host) && PRIVATE.test(host);
