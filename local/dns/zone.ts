import { randomUUID } from 'node:crypto';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  DeleteResourceRecordSetProtectionsCommand,
  ListResourceRecordSetProtectionsCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { ClientConfig } from '../cloud/clients';

/** A hosted zone as somebody else sees it, who may do what he likes in it. */
export interface LocalZone {
  readonly id: string;
  /** Every record set but those of the zone itself. */
  records(): Promise<ResourceRecordSet[]>;
  change(action: 'UPSERT' | 'DELETE', ...records: ResourceRecordSet[]): Promise<void>;
  /** Lifts every protection of a name. */
  unprotect(name: string): Promise<void>;
}

/** Makes a hosted zone in the emulated Route 53. */
export async function createZone(config: ClientConfig, name: string, visibility: 'public' | 'private'): Promise<LocalZone> {
  const client = new Route53Client(config);
  const { HostedZone } = await client.send(
    new CreateHostedZoneCommand({
      Name: name,
      CallerReference: randomUUID(),
      ...(visibility === 'private' && {
        HostedZoneConfig: { PrivateZone: true },
        VPC: { VPCId: 'vpc-0123456789abcdef0', VPCRegion: 'eu-central-1' },
      }),
    }),
  );
  const id = HostedZone?.Id?.replace('/hostedzone/', '') ?? '';
  return {
    id,
    records: async () => {
      const { ResourceRecordSets = [] } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: id, MaxItems: 300 }));
      return ResourceRecordSets.filter(({ Type }) => Type !== 'NS' && Type !== 'SOA');
    },
    unprotect: async (name) => {
      const listed = await client.send(new ListResourceRecordSetProtectionsCommand({ HostedZoneId: id, StartRecordName: name }));
      const Protections = (listed.ResourceRecordSetProtections ?? [])
        .filter(({ RecordName }) => RecordName === `${name}.`)
        .map(({ RecordName, RecordType }) => ({ RecordName, RecordType }));
      if (Protections.length > 0) await client.send(new DeleteResourceRecordSetProtectionsCommand({ HostedZoneId: id, Protections }));
    },
    change: async (Action, ...records) => {
      const Changes = records.map((ResourceRecordSet) => ({ Action, ResourceRecordSet }));
      await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: id, ChangeBatch: { Changes } }));
    },
  };
}
