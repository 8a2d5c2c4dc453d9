import { GetHostedZoneCommand, ListHostedZonesCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { recordOf } from '../../lambdas/aws/route53-zone';
import type { ClientConfig } from '../cloud/clients';
import type { ServedZone } from './answer';

/** The zones of the emulated Route 53 as they are now. */
export function emulatedZones(config: ClientConfig): () => Promise<readonly ServedZone[]> {
  const client = new Route53Client(config);
  return () => readZones(client);
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
