// Written here because `node:net` is the network, which this room must not know.

function ipv4(text: string): readonly number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const parts = match?.slice(1) ?? [];
  // Like Go's netip: a leading zero may mean octal to others.
  if (parts.length !== 4 || parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined;
  return parts.map(Number);
}

/** `last`: only the end of an address may be written as IPv4. */
function groups(text: string, last: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const tail = last && parts.at(-1)?.includes('.') ? ipv4(parts.pop() ?? '') : [];
  if (tail === undefined || parts.some((part) => !/^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  return [...parts.flatMap((part) => [parseInt(part, 16) >> 8, parseInt(part, 16) & 0xff]), ...tail];
}

function ipv6(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  const [head, tail] = [groups(halves[0] ?? '', halves.length === 1), groups(halves[1] ?? '', true)];
  if (!text.includes(':') || halves.length > 2 || head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  // `::` stands for one group of zeros at least.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** 4 or 16 bytes in network order; undefined when the text is no address. An IPv4 address inside IPv6 is IPv4, as for Go's `net.IP.To4`. */
export function parseIp(text: string): Buffer | undefined {
  const bytes = ipv4(text) ?? ipv6(text);
  if (bytes === undefined) return undefined;
  const address = Buffer.from(bytes);
  return address.length === 16 && address.subarray(0, 12).equals(MAPPED) ? address.subarray(12) : address;
}

/** The canonical text of RFC 5952; hexadecimal for bytes that are no address. */
export function printIp(address: Buffer): string {
  if (address.length === 4) return [...address].join('.');
  if (address.length !== 16) return `0x${address.toString('hex')}`;
  const words = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16));
  const zeros = [...words.join(':').matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return words.join(':');
  const text = words.join(':');
  const before = text.slice(0, zeros.index).replace(/:$/, '');
  const after = text.slice(zeros.index + zeros[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
