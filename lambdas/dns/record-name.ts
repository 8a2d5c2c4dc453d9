import { domainToASCII } from 'node:url';
import type { AddressType } from '../contract/api-record';

/** One octet, as zone files escape it (RFC 1035, 5.1) but in octal, as Route 53 does; or after a backslash; or as it is. A dot by itself separates. */
const OCTET = /\\([0-3][0-7]{2})|\\(.)|([^.\u0080-\uffff])/gs;
/** What Route 53 lists as it is; every other octet it lists in octal (Developer Guide, "DNS domain name format"). */
const PLAIN = /[a-z0-9_*-]/;

/**
 * A name as it is compared: lower case, no closing dot, A-labels (RFC 5891), and escaped only where Route 53 escapes. An escaped dot stays one,
 * because it separates nothing: `a\056b` is one label, and another name than `a.b`.
 */
export function normalName(name: string): string {
  const plain = name
    .replaceAll(OCTET, (_octet, octal?: string, escaped?: string, bare?: string) => spelt(octal, escaped ?? bare ?? ''))
    .toLowerCase()
    .replace(/\.$/, '');
  // A wildcard or an underscore is no host name, and needs no conversion.
  return /^[\x20-\x7e]*$/.test(plain) ? plain : domainToASCII(plain) || plain;
}

function spelt(octal: string | undefined, character: string): string {
  const lower = (octal === undefined ? character : String.fromCharCode(Number.parseInt(octal, 8))).toLowerCase();
  return PLAIN.test(lower) ? lower : `\\${(lower.codePointAt(0) ?? 0).toString(8).padStart(3, '0')}`;
}

export const sameName = (one: string, other: string): boolean => normalName(one) === normalName(other);

/** Whether a zone is for a name: its own, or one below it. */
export function isWithin(name: string, zone: string): boolean {
  const [inner, outer] = [normalName(name), normalName(zone)];
  return inner === outer || inner.endsWith(`.${outer}`);
}

const LONGEST_LABEL = 63;
const LONGEST_NAME = 253;

/**
 * Where the ownership of each type is noted: as external-dns does since 0.18, in a name of its own, so that no other TXT of the name is in the way.
 *
 * Such a name is none where the label, or the whole of it, would be too long, and it lies outside the zone where the API's name is the zone's own,
 * as in a zone that is made for one name. There it is the name itself, where external-dns noted it before and still looks. A wildcard has no such
 * name either: `a-*` is none, and `api.` of the config never is one.
 */
export function ownershipName(name: string, type: AddressType, zone: string): string {
  const own = normalName(name);
  const noted = `${type.toLowerCase()}-${own}`;
  return isName(noted) && !sameName(own, zone) ? noted : own;
}

/** Every name in which external-dns, in any release, may have noted who owns a name: itself, and one per type, `cname-` for aliases of old. */
export function heritageNames(name: string): string[] {
  const own = normalName(name);
  return [own, ...['a', 'aaaa', 'cname'].map((type) => `${type}-${own}`).filter(isName)];
}

/** Whether what was made by a prefix is short enough, and no wildcard was in it: an asterisk is one only where it is the whole of a label. */
const isName = (noted: string): boolean =>
  noted.length <= LONGEST_NAME &&
  noted.split('.').every((label) => label.length <= LONGEST_LABEL && (label === '*' || !label.includes('*')));

/** The names above one within its zone: records of type NS there lead questions for it away, to a zone of its own. */
export function namesAbove(name: string, zone: string): string[] {
  const own = normalName(name);
  if (!isWithin(own, zone)) return [];
  const labels = own.split('.');
  return labels.slice(1).flatMap((_, index) => {
    const above = labels.slice(index + 1).join('.');
    return isWithin(above, zone) && !sameName(above, zone) ? [above] : [];
  });
}
