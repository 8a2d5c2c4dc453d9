// What is wrong with an address and what to do about it, or undefined. Each message follows the value it is about.
import { isIP, isIPv4 } from 'node:net';

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const LONGEST_NAME = 253;

/** A lower-case name of at least two labels, without the closing dot: what a record in a zone is called (RFC 1123, 2.1). */
export function fqdnMistake(name: string): string | undefined {
  if (isIP(name) !== 0) return 'is an IP address; use a DNS name such as api.k8s.example.com';
  if (name.endsWith('.')) return `ends in a dot; use ${JSON.stringify(name.replace(/\.+$/, ''))}`;
  if (name !== name.toLowerCase()) return `has upper-case letters; use ${JSON.stringify(name.toLowerCase())}`;
  const labels = name.split('.');
  const right = name.length <= LONGEST_NAME && labels.length >= 2 && labels.every((label) => LABEL.test(label));
  return right ? undefined : 'is not a fully qualified domain name; use a name such as api.k8s.example.com';
}

/** An address that an A record can hold. */
export function ipv4Mistake(address: string): string | undefined {
  if (isIPv4(address)) return undefined;
  return isIP(address) === 0
    ? 'is not an IPv4 address; use an address such as 203.0.113.10'
    : 'is an IPv6 address, which an A record cannot hold; use an IPv4 address such as 203.0.113.10';
}

/** What a certificate can name beside its own: an address or a DNS name. */
export function subjectAlternativeNameMistake(name: string): string | undefined {
  return isIP(name) === 0 && fqdnMistake(name) !== undefined
    ? 'is neither an IP address nor a lower-case DNS name; use 203.0.113.10 or api.example.com'
    : undefined;
}

/** A client URL of one etcd member: `https://host:port` and nothing else, as in etcd's --advertise-client-urls. */
export function endpointMistake(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return 'is not a URL; use https://host:2379';
  const url = new URL(endpoint);
  if (url.protocol !== 'https:') return `is not https; use ${JSON.stringify(`https://${url.host || 'host:2379'}`)}`;
  if (url.username !== '' || url.password !== '') return 'carries a user or a password; use https://host:2379 and a client certificate';
  const port = /^https:\/\/(?:\[[0-9a-fA-F:.]+\]|[^/?#:@[\]]+):(\d{1,5})(.*)$/.exec(endpoint);
  if (port === null || Number(port[1]) === 0) return `has no port; use ${JSON.stringify(`https://${url.hostname}:2379`)}`;
  return port[2] === ''
    ? undefined
    : `has ${JSON.stringify(port[2])} after the port; use ${JSON.stringify(`https://${url.hostname}:${port[1] ?? ''}`)}`;
}
