import { GetHostedZoneCommand, ListHostedZonesCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { ClientConfig } from '../cloud/clients';
import type { ServedZone } from './answer';

/** Short enough that nobody notices, long enough that a burst of questions is one reading. */
const FRESH_MS = 100;

/** The zones of the emulated Route 53. */
export function emulatedZones(config: ClientConfig): () => Promise<readonly ServedZone[]> {
  const client = new Route53Client(config);
  let last: { readonly at: number; readonly zones: Promise<readonly ServedZone[]> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > FRESH_MS) last = { at: Date.now(), zones: readZones(client) };
    return last.zones;
  };
}

async function readZones(client: Route53Client): Promise<ServedZone[]> {
  const { HostedZones = [] } = await client.send(new ListHostedZonesCommand({}));
  return Promise.all(
    HostedZones.map(async ({ Id = '', Name = '' }) => {
      const { HostedZone } = await client.send(new GetHostedZoneCommand({ Id }));
      const { ResourceRecordSets = [] } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: Id, MaxItems: 300 }));
      const visibility = HostedZone?.Config?.PrivateZone === true ? 'private' : 'public';
      return { name: Name, visibility, records: ResourceRecordSets.map(recordOf) };
    }),
  );
}

const recordOf = ({ Name = '', Type, TTL, ResourceRecords = [], AliasTarget }: ResourceRecordSet) => ({
  name: Name,
  type: String(Type),
  values: ResourceRecords.map(({ Value = '' }) => Value),
  ...(TTL !== undefined && { ttl: TTL }),
  ...(AliasTarget?.DNSName !== undefined && {
    alias: {
      dnsName: AliasTarget.DNSName,
      zoneId: AliasTarget.HostedZoneId ?? '',
      evaluateTargetHealth: AliasTarget.EvaluateTargetHealth === true,
    },
  }),
});
