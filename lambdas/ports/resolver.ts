import { Resolver } from 'node:dns/promises';

const OPTIONS = { timeout: 2_000, tries: 2 };
/** The name is not there, or has no record of that type: an answer, and not a failure (RFC 1035, 4.1.1; RFC 2308, 2.2). */
const NOWHERE: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Addresses that a name leads to, IPv4 and IPv6; empty when it leads nowhere.
 *
 * @param servers addresses of the name servers to ask. @default - the resolver of where this runs: in a VPC, the one that knows its private zones
 * @throws when no server answered
 */
export async function resolveName(name: string, servers?: readonly string[]): Promise<readonly string[]> {
  const resolver = new Resolver(OPTIONS);
  if (servers !== undefined) resolver.setServers([...servers]);
  const ask = (question: Promise<string[]>): Promise<string[]> =>
    question.catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && NOWHERE.has(error.code)) return [];
      throw error;
    });
  const [four, six] = await Promise.all([ask(resolver.resolve4(name)), ask(resolver.resolve6(name))]);
  return [...four, ...six];
}

/** The same by the name servers of a public zone themselves, past every cache. @throws when none of them answered */
export async function resolveAt(name: string, nameServers: readonly string[]): Promise<readonly string[]> {
  const servers = await Promise.allSettled(nameServers.map((server) => resolveName(server)));
  const addresses = servers.flatMap((each) => (each.status === 'fulfilled' ? each.value.filter((address) => !address.includes(':')) : []));
  if (addresses.length === 0) throw new Error(`no name server of the zone (${nameServers.join(', ')}) can be found`);
  return resolveName(name, addresses);
}
