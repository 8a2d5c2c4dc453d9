import type { SyncReport } from '../../../lambdas/dns/sync-record';
import { S3Lock } from '../../../lambdas/aws/s3-lock';
import { startLocalCloud } from '../../../local/cloud';
import type { LocalCloud } from '../../../local/cloud';
import { deployLifeboat } from '../../../local/deployment';
import type { Deployment } from '../../../local/deployment';
import { createZone } from '../../../local/dns/zone';
import type { LocalZone } from '../../../local/dns/zone';
import { freePort } from '../../../local/free-port';
import { startLocalNodes } from '../../../local/nodes';
import type { LocalNode, LocalNodes } from '../../../local/nodes';

export const ZONE = 'k8s.example.com';
export const NAME = `api.${ZONE}`;
const MINUTE_MS = 60_000;

export interface DnsWorldOptions {
  readonly visibility?: 'public' | 'private';
  /** What of the config says where the name leads; it may need what is there already. @default - healthy nodes */
  readonly target?: (world: { readonly cloud: LocalCloud; readonly nodes: LocalNodes; readonly apiPort: number }) => Promise<object>;
}

/** Control-plane nodes whose API servers carry the name, a hosted zone, and the deployed app that keeps the record. */
export class DnsWorld {
  private constructor(
    readonly cloud: LocalCloud,
    readonly nodes: LocalNodes,
    readonly lifeboat: Deployment,
    readonly zone: LocalZone,
    readonly apiPort: number,
  ) {}

  static async start({ visibility = 'private', target = async () => ({ healthyNodes: true }) }: DnsWorldOptions = {}): Promise<DnsWorld> {
    const cloud = await startLocalCloud({ schedules: false });
    const apiPort = await freePort('127.0.1.1');
    const nodes = await startLocalNodes({ cloud, apiPort, controlPlane: { host: NAME, port: apiPort } });
    const zone = await createZone(cloud.clientConfig(), ZONE, visibility);
    const api = { name: NAME, zoneId: zone.id, visibility, port: apiPort, target: await target({ cloud, nodes, apiPort }) };
    const lifeboat = await deployLifeboat(cloud, { endpoints: nodes.endpoints, api });
    await lifeboat.putSecret(nodes.credentials);
    for (const node of nodes.nodes) await node.apiserverReady();
    return new DnsWorld(cloud, nodes, lifeboat, zone, apiPort);
  }

  node(number: number): LocalNode {
    const node = this.nodes.nodes[number - 1];
    if (node === undefined) throw new RangeError(`there is no node ${number}`);
    return node;
  }

  get hosts(): string[] {
    return this.nodes.nodes.map(({ host }) => host);
  }

  /** One run, as its schedule starts it; a minute after the one before. */
  async sync(event: object = {}, after = MINUTE_MS): Promise<SyncReport> {
    this.cloud.clock.advance(after);
    const answer = await this.cloud.invoke(this.lifeboat.syncApiRecordFunction ?? '', event);
    if (answer.outcome === 'failed') throw new Error(`${answer.error.name}: ${answer.error.message}`);
    return answer.result as SyncReport;
  }

  /** What a client is told. */
  resolved(): Promise<string[]> {
    return this.cloud.names.addressesOf(NAME).then((found) => found.sort());
  }

  async record(type: string, name = NAME): Promise<string[] | undefined> {
    const found = (await this.zone.records()).find(({ Name, Type }) => Name === `${name}.` && Type === type);
    return (
      found?.ResourceRecords?.map(({ Value = '' }) => Value).sort() ??
      (found?.AliasTarget?.DNSName ? [found.AliasTarget.DNSName] : undefined)
    );
  }

  /** Starts a node again, and looks as often as it takes until its address is in the record. */
  async bringBack(number: number): Promise<void> {
    await this.node(number).reboot();
    await this.node(number).apiserverReady();
    expect(await this.sync()).toMatchObject({ action: 'none' });
    expect(await this.sync()).toMatchObject({ action: 'write', answers: true });
    expect(await this.resolved()).toEqual(this.hosts);
  }

  /** Somebody else makes it lead elsewhere, and has lifted the protection before. */
  async tamper(...addresses: string[]): Promise<void> {
    await this.zone.unprotect(NAME);
    await this.zone.change('UPSERT', { Name: NAME, Type: 'A', TTL: 300, ResourceRecords: addresses.map((Value) => ({ Value })) });
  }

  /** A runbook works on the nodes, until what it gives back is called. */
  async lock(holder: string): Promise<() => Promise<void>> {
    const { s3, bucket, cluster } = this.lifeboat;
    const now = this.cloud.clock.now;
    const held = await new S3Lock(s3, { bucket, cluster, name: 'control-plane', ttlMs: 3_600_000 }, now).acquire(holder);
    if (!held.acquired) throw new Error(`${held.holder} has it`);
    return held.release;
  }

  async stop(): Promise<void> {
    await this.nodes.stop();
    await this.cloud.stop();
  }
}
