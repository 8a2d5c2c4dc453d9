import { isValid, parse, parseCIDR } from 'ipaddr.js';

/** What a certificate is for (RFC 5280, 4.2.1.6): each name once, in one order, addresses as they are written shortest. */
export interface Names {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

/** @param names DNS names and addresses, mixed */
export function namesOf(names: readonly string[]): Names {
  const ips = names.filter((name) => isValid(name)).map((ip) => parse(ip).toString());
  const dns = names.filter((name) => !isValid(name)).map((name) => name.toLowerCase());
  return { dns: distinct(dns), ips: distinct(ips) };
}

/** The names of `wanted` that `there` does not have. */
export function missingNames(wanted: Names, there: Names): string[] {
  const given = namesOf([...there.dns, ...there.ips]);
  return [...wanted.dns.filter((name) => !given.dns.includes(name)), ...wanted.ips.filter((ip) => !given.ips.includes(ip))];
}

/**
 * The first address of a subnet, which is that of the service `kubernetes`.
 *
 * @throws RangeError naming what is no subnet
 */
export function firstAddressOf(cidr: string): string {
  try {
    const [address, bits] = parseCIDR(cidr.trim());
    const bytes = address.toByteArray().map((byte, index) => byte & (0xff << Math.max(0, Math.min(8, (index + 1) * 8 - bits))) & 0xff);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) | 1;
    return address.kind() === 'ipv4' ? bytes.join('.') : parse(groupsOf(bytes).join(':')).toString();
  } catch (cause) {
    throw new RangeError(`"${cidr}" is no subnet such as 10.96.0.0/12`, { cause });
  }
}

/** Whether an address stands for all addresses of a machine. */
export const isUnspecified = (address: string): boolean => isValid(address) && parse(address).range() === 'unspecified';

const groupsOf = (bytes: readonly number[]): string[] =>
  Array.from({ length: bytes.length / 2 }, (_, group) => (((bytes[2 * group] ?? 0) << 8) | (bytes[2 * group + 1] ?? 0)).toString(16));
const distinct = (names: readonly string[]): string[] => [...new Set(names)].sort();
