import { BadLeafInput } from './errors';
import { parseIp, printIp } from './ip-address';

/** What a server may be called by: lower-case DNS names and canonical addresses, each once. */
export interface AltNames {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const NAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/** As kubeadm validates certSANs (RFC 1123, a wildcard only as the first label); a last label of digits alone is a mistyped address. */
export const isDnsName = (name: string): boolean => name.length <= 253 && NAME.test(name) && !/(?:^|\.)\d+$/.test(name);

function nameOf(text: string): string {
  const name = text.toLowerCase();
  if (isDnsName(name)) return name;
  const hint = /[^\0-\x7f]/.test(text)
    ? ': give it as punycode (xn--…)'
    : ': give a DNS name without a dot at its end, or an IP address without port';
  throw new BadLeafInput(`"${text}" can be neither DNS name nor IP address of a certificate${hint}`);
}

/**
 * Sorts names by their kind and drops repetitions, in the order given.
 *
 * @throws BadLeafInput that names the first one that no client could match
 */
export function altNamesOf(texts: readonly string[]): AltNames {
  const dns = new Set<string>();
  const ips = new Set<string>();
  for (const text of texts) {
    const address = parseIp(text);
    if (address === undefined) dns.add(nameOf(text));
    else ips.add(printIp(address));
  }
  return { dns: [...dns], ips: [...ips] };
}
