import { NO_STATE } from '../../lambdas/contract/api-record';
import type { ApiRecordSettings, ApiRecordState, ProbeRequest, SyncEvent } from '../../lambdas/contract/api-record';
import { DnsFailed } from '../../lambdas/dns/errors';
import type { CurrentZone, RecordSet } from '../../lambdas/dns/plan-record';
import { syncRecord } from '../../lambdas/dns/sync-record';
import type { SyncEdges, SyncReport } from '../../lambdas/dns/sync-record';
import type { ZoneCall } from '../../lambdas/dns/who-changed';
import { sameName } from '../../lambdas/dns/record-name';
import type { Protectable } from '../../lambdas/dns/zone';
import { addressesAt, applyChanges } from './zone-model';

export const NAME = 'api.k8s.example.com';
export const START = new Date('2026-11-26T12:00:00Z').getTime();
export const HOSTS = ['10.0.1.10', '10.0.2.10', '10.0.3.10'];

/** A zone, three API servers and somebody who looks at them; every effect is noted. */
export class World {
  time = START;
  zone: CurrentZone = { name: 'k8s.example.com.', visibility: 'private', records: [] };
  protections: Protectable[] = [];
  state: ApiRecordState = NO_STATE;
  alive = new Set(HOSTS);
  nameless = new Set<string>();
  lockedBy: string | undefined;
  syncAfter = 1;
  broken: 'list' | 'change' | 'protect' | undefined;
  faster = false;
  readonly calls: string[] = [];
  readonly told = new Map<string, number>();
  readonly warned = new Set<string>();
  /** What CloudTrail knows, and how often it was asked. */
  trail: ZoneCall[] = [];
  trailBroken = false;
  asked = 0;
  settings: ApiRecordSettings = {
    ...{ name: NAME, zoneId: 'Z1', visibility: 'private', port: 6443 },
    target: { kind: 'addresses', addresses: HOSTS },
  };

  private readonly look = async ({ targets, resolve }: ProbeRequest) => {
    const led = addressesAt(this.zone, NAME);
    const answers = targets.map(({ host, port }) => {
      const at = host === NAME ? led.find((address) => this.alive.has(address)) : host;
      const answer = at !== undefined && this.alive.has(at);
      return {
        host,
        port,
        answers: answer,
        because: answer ? '200' : 'ECONNREFUSED',
        ...(answer && { carriesName: !this.nameless.has(at) }),
      };
    });
    return { answers, ...(resolve && { resolved: led }) };
  };

  edges(): SyncEdges {
    let asked = 0;
    const failing = (what: World['broken']) => {
      if (this.broken === what) throw new DnsFailed(`cannot ${what}: Throttling`);
    };
    return {
      zone: {
        describe: async () => ({ name: this.zone.name, visibility: this.zone.visibility, nameServers: ['ns-1.awsdns-1.com'] }),
        recordsAt: async (names) => {
          failing('list');
          return this.zone.records.filter((record) => names.some((name) => sameName(name, record.name)));
        },
        change: async (changes) => {
          this.calls.push(`change ${changes.map(({ action, record }) => `${action} ${record.type}`).join(', ')}`);
          failing('change');
          for (const { record } of changes)
            if (this.protections.some(({ name, type }) => sameName(name, record.name) && type === record.type))
              throw new DnsFailed('protected');
          this.zone = applyChanges(this.zone, changes);
          return 'C1';
        },
        isInSync: async () => ++asked >= this.syncAfter,
        protectedAt: async () => this.protections,
        protect: async (records) => {
          failing('protect');
          this.calls.push('protect');
          this.protections.push(...records);
        },
        unprotect: async () => {
          this.calls.push('unprotect');
          this.protections = [];
        },
      },
      state: {
        read: async () => ({ state: this.state, version: 'v' }),
        write: async (state) => {
          if (this.faster) return false;
          this.state = state;
          return true;
        },
      },
      balancer: () => Promise.reject(new Error('there is none')),
      nodes: async () => [],
      lookInside: this.look,
      lookOutside: this.look,
      lockedBy: async () => this.lockedBy,
      ownRole: 'sync-role',
      trail: async (from, to) => {
        this.asked++;
        if (this.trailBroken) throw new DnsFailed('cannot look up events of CloudTrail: AccessDenied');
        return this.trail.filter(({ at }) => new Date(at) >= from && new Date(at) <= to);
      },
      telemetry: {
        log: () => undefined,
        warn: (event) => void this.warned.add(event),
        count: (metric, value) => void this.told.set(metric, value),
      },
      now: () => new Date(this.time),
      wait: async (milliseconds) => void (this.time += milliseconds),
      until: new Date(this.time + 20_000),
    };
  }

  async sync(event: Partial<SyncEvent> = {}): Promise<SyncReport> {
    this.time += 60_000;
    this.told.clear();
    return syncRecord(this.edges(), 'prod', this.settings, { adopt: false, ...event });
  }
}

export const a = (...values: string[]): RecordSet => ({ name: NAME, type: 'A', ttl: 30, values });
