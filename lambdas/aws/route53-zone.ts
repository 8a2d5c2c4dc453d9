import {
  ChangeResourceRecordSetsCommand,
  CreateResourceRecordSetProtectionsCommand,
  DeleteResourceRecordSetProtectionsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListResourceRecordSetProtectionsCommand,
  ListResourceRecordSetsCommand,
} from '@aws-sdk/client-route-53';
import type { RRType, ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { messageOf } from '../contract/lifeboat-error';
import { DnsFailed } from '../dns/errors';
import type { RecordChange, RecordSet } from '../dns/plan-record';
import { sameName } from '../dns/record-name';
import type { Protectable, Zone, ZoneFacts } from '../dns/zone';

/** Records of one name: of one type each, but for those with routing of their own. */
const PAGE = 100;

/** One hosted zone, by its id: zones of the same name, public and private, are never mixed up. Every method throws DnsFailed. */
export class Route53Zone implements Zone {
  private facts?: ZoneFacts;

  constructor(
    private readonly client: Route53Client,
    private readonly id: string,
  ) {}

  /** They never change, so they are asked for once a process. */
  async describe(): Promise<ZoneFacts> {
    this.facts ??= await this.call('describe', async () => {
      const { HostedZone, DelegationSet } = await this.client.send(new GetHostedZoneCommand({ Id: this.id }));
      return {
        name: HostedZone?.Name ?? '',
        visibility: HostedZone?.Config?.PrivateZone === true ? 'private' : 'public',
        nameServers: DelegationSet?.NameServers ?? [],
      };
    });
    return this.facts;
  }

  async recordsAt(names: readonly string[]): Promise<RecordSet[]> {
    const found: RecordSet[] = [];
    // One after the other: an account has five requests a second (Route 53 quotas), and others work in the zone too.
    for (const name of names) found.push(...(await this.recordsOf(name)));
    return found;
  }

  /** Route 53 lists from a name on, and goes on with the names behind it. */
  private async recordsOf(name: string): Promise<RecordSet[]> {
    const found: ResourceRecordSet[] = [];
    let from: { name: string | undefined; type?: RRType | undefined; id?: string | undefined } = { name };
    for (;;) {
      const page = await this.call('list', () =>
        this.client.send(
          new ListResourceRecordSetsCommand({
            HostedZoneId: this.id,
            StartRecordName: from.name,
            StartRecordType: from.type,
            StartRecordIdentifier: from.id,
            MaxItems: PAGE,
          }),
        ),
      );
      const sets = page.ResourceRecordSets ?? [];
      const own = sets.filter(({ Name = '' }) => sameName(Name, name));
      found.push(...own);
      if (page.IsTruncated !== true || own.length < sets.length) return found.map(recordOf);
      from = { name: page.NextRecordName, type: page.NextRecordType, id: page.NextRecordIdentifier };
    }
  }

  change(changes: readonly RecordChange[], comment: string): Promise<string> {
    return this.call('change', async () => {
      const Changes = changes.map(({ action, record }) => ({ Action: action, ResourceRecordSet: resourceOf(record) }));
      // 256 characters at most (API_ChangeBatch).
      const ChangeBatch = { Changes, Comment: comment.slice(0, 256) };
      const { ChangeInfo } = await this.client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: this.id, ChangeBatch }));
      return ChangeInfo?.Id?.replace(/^\/change\//, '') ?? '';
    });
  }

  isInSync(changeId: string): Promise<boolean> {
    return this.call('ask for a change of', async () => {
      const { ChangeInfo } = await this.client.send(new GetChangeCommand({ Id: changeId }));
      return ChangeInfo?.Status === 'INSYNC';
    });
  }

  async protectedAt(names: readonly string[]): Promise<Protectable[]> {
    const found: Protectable[] = [];
    for (const name of names) {
      const { ResourceRecordSetProtections = [] } = await this.call('list the protections of', () =>
        this.client.send(new ListResourceRecordSetProtectionsCommand({ HostedZoneId: this.id, StartRecordName: name, MaxResults: PAGE })),
      );
      found.push(
        ...ResourceRecordSetProtections.filter(({ RecordName = '' }) => sameName(RecordName, name)).map(
          ({ RecordName = '', RecordType }) => ({
            name: RecordName,
            type: String(RecordType),
          }),
        ),
      );
    }
    return found;
  }

  async protect(records: readonly Protectable[], comment: string): Promise<void> {
    await this.call('protect records of', () =>
      this.client.send(
        new CreateResourceRecordSetProtectionsCommand({
          HostedZoneId: this.id,
          Protections: records.map(({ name, type }) => ({ RecordName: name, RecordType: type as RRType, Comment: comment })),
        }),
      ),
    );
  }

  async unprotect(records: readonly Protectable[]): Promise<void> {
    await this.call('lift the protection of records of', () =>
      this.client.send(
        new DeleteResourceRecordSetProtectionsCommand({
          HostedZoneId: this.id,
          Protections: records.map(({ name, type }) => ({ RecordName: name, RecordType: type as RRType })),
        }),
      ),
    );
  }

  private async call<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw new DnsFailed(`cannot ${what} hosted zone ${this.id}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** A record set as AWS lists it, in the words of the plan. */
export function recordOf({
  Name = '',
  Type,
  TTL,
  ResourceRecords = [],
  AliasTarget,
  SetIdentifier,
  MultiValueAnswer,
}: ResourceRecordSet): RecordSet {
  const identifier = SetIdentifier ?? (MultiValueAnswer === true ? 'multivalue' : undefined);
  return {
    name: Name,
    type: String(Type),
    values: ResourceRecords.map(({ Value = '' }) => Value),
    ...(TTL !== undefined && { ttl: TTL }),
    ...(identifier !== undefined && { setIdentifier: identifier }),
    ...(AliasTarget && {
      alias: {
        dnsName: AliasTarget.DNSName ?? '',
        zoneId: AliasTarget.HostedZoneId ?? '',
        evaluateTargetHealth: AliasTarget.EvaluateTargetHealth === true,
      },
    }),
  };
}

const resourceOf = ({ name, type, ttl, values, alias }: RecordSet): ResourceRecordSet => ({
  Name: name,
  Type: type as RRType,
  ...(alias === undefined
    ? { TTL: ttl, ResourceRecords: values.map((Value) => ({ Value })) }
    : { AliasTarget: { DNSName: alias.dnsName, HostedZoneId: alias.zoneId, EvaluateTargetHealth: alias.evaluateTargetHealth } }),
});
