import { Resolver } from 'node:dns/promises';
import type { ClientConfig } from '../cloud/clients';
import { emulatedZones } from './emulated-zones';
import { startNameServer } from './server';

/** Names of the local cloud: the emulated zones, answered by a real name server. */
export interface LocalNames {
  /** What a resolver inside the VPC says: private zones first. `127.0.0.1:port`. */
  readonly inside: string;
  /** What the name servers of public zones say. */
  readonly outside: string;
  /** From now on the name of a load balancer leads to these addresses. */
  balancer(dnsName: string, addresses: readonly string[]): void;
  /** Addresses that a name leads to, asked as a client would; empty where there are none. */
  addressesOf(name: string): Promise<string[]>;
  /** As `dig` shows them: name, TTL, type and value. */
  dig(name: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** As the delegation sets of Route 53 are called. */
const isNameServer = (name: string): boolean => /^ns-\d+\.awsdns-\d+\.[a-z.]+$/i.test(name.replace(/\.$/, ''));

export async function startLocalNames(config: ClientConfig): Promise<LocalNames> {
  const balancers = new Map<string, readonly string[]>();
  const zones = emulatedZones(config);
  const shared = { balancers: () => balancers, isNameServer };
  const inside = await startNameServer({ ...shared, zones });
  const outside = await startNameServer({
    ...shared,
    zones: async () => (await zones()).filter(({ visibility }) => visibility === 'public'),
  });
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([inside.address]);
  return {
    inside: inside.address,
    outside: outside.address,
    balancer: (dnsName, addresses) => void balancers.set(dnsName.toLowerCase().replace(/\.$/, ''), addresses),
    addressesOf: (name) => resolver.resolve4(name).catch(() => []),
    dig: async (name) => {
      const found = await resolver.resolve4(name, { ttl: true }).catch(() => []);
      return found.map(({ address, ttl }) => `${name}. ${ttl} IN A ${address}`).sort();
    },
    stop: async () => {
      await inside.stop();
      await outside.stop();
    },
  };
}
