import { domainToASCII } from 'node:url';
import type { AddressType } from '../contract/api-record';

/**
 * A name as it is compared: lower case, no closing dot, A-labels (RFC 5891), and without the octal escapes by which Route 53 lists what is not a
 * letter, a digit, a hyphen or an underscore (Developer Guide, "DNS domain name format").
 */
export function normalName(name: string): string {
  const plain = name.replaceAll(/\\(\d{3})/g, (_escape, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  const lower = plain.toLowerCase().replace(/\.$/, '');
  // A wildcard or an underscore is no host name, and needs no conversion.
  return /^[\x20-\x7e]*$/.test(lower) ? lower : domainToASCII(lower) || lower;
}

export const sameName = (one: string, other: string): boolean => normalName(one) === normalName(other);

/** Whether a zone is for a name: its own, or one below it. */
export function isWithin(name: string, zone: string): boolean {
  const [inner, outer] = [normalName(name), normalName(zone)];
  return inner === outer || inner.endsWith(`.${outer}`);
}

/** Where the ownership of each type is noted: as external-dns does since 0.18, in a name of its own, so that no other TXT of the name is in the way. */
export const ownershipName = (name: string, type: AddressType): string => `${type.toLowerCase()}-${normalName(name)}`;

/** Every name in which external-dns, in any release, may have noted who owns a name: itself, and one per type, `cname-` for aliases of old. */
export const heritageNames = (name: string): string[] => [
  normalName(name),
  ...['a', 'aaaa', 'cname'].map((type) => `${type}-${normalName(name)}`),
];
