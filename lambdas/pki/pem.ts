import { BundleDamaged } from './errors';

export interface PemBlock {
  /** `CERTIFICATE`, `RSA PRIVATE KEY` … */
  readonly label: string;
  readonly der: Buffer;
}

const BOUNDARY = /-----(BEGIN|END) ([A-Z0-9 ]*)-----/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function printPem({ label, der }: PemBlock): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/**
 * All blocks of a text, in their order; what stands between them is ignored, as by everybody.
 *
 * Go skips a block that it cannot decode without a word (encoding/pem), so that a bundle just trusts less: here it is an error.
 *
 * @throws BundleDamaged that tells which block is bad, and nothing of what is inside
 */
export function pemBlocks(text: string, what = 'the text'): readonly PemBlock[] {
  const total = text.match(/-----BEGIN /g)?.length ?? 0;
  const blocks: PemBlock[] = [];
  const bad = (why: string): never => {
    throw new BundleDamaged(`${what} is damaged: block ${blocks.length + 1} of ${total} ${why}: restore it from the file it came from`);
  };
  let open: { readonly label: string; readonly lines: string[] } | undefined;
  for (const line of text.split(/\r?\n/)) {
    const [boundary, kind, label = ''] = BOUNDARY.exec(line) ?? [];
    if (boundary === undefined) {
      open?.lines.push(line.trim());
      continue;
    }
    if (line.trimEnd() !== boundary) bad(`has other text on the line of its ${kind}`);
    if (kind === 'BEGIN') {
      if (open !== undefined) bad('has no end');
      open = { label, lines: [] };
      continue;
    }
    if (open?.label !== label) return bad(open === undefined ? 'ends before it begins' : 'ends under another label than it begins');
    const body = open.lines.join('');
    if (body === '' || !BASE64.test(body)) bad('is not base64');
    blocks.push({ label, der: Buffer.from(body, 'base64') });
    open = undefined;
  }
  if (open !== undefined) bad('has no end');
  return blocks;
}
