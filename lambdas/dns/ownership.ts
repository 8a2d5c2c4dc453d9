/** What a TXT record of external-dns says (external-dns, docs/registry/txt.md). */
export interface Heritage {
  readonly owner: string;
  /** `ingress/default/web` and the like. */
  readonly resource: string;
}

/**
 * The owner that a cluster is known by. external-dns leaves alone whatever has another owner than its own, so nobody else need know of us.
 *
 * A heritage of our own would keep it off, too, but as nobody's: it would name nobody when it passes over the record, and where the record is lost
 * and its note is not, it would try in vain to create both, every minute.
 */
export const ownerOf = (cluster: string): string => `kube-lifeboat/${cluster}`;

/** The text that claims a record, quoted as Route 53 wants it. external-dns reads the first text of a set alone, and strings as they are: it is one. */
export const heritageText = (cluster: string): string =>
  `"heritage=external-dns,external-dns/owner=${ownerOf(cluster)},external-dns/resource=lifeboat/${cluster}/api"`;

/** Quoted strings of one value are one text (RFC 7208, 3.3, as for all TXT); within, a backslash escapes a character or an octet in octal. */
const textOf = (value: string): string =>
  [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
    .map(([, inner = '']) =>
      inner.replaceAll(/\\(?:([0-3][0-7]{2})|(.))/g, (_escape, octal: string | undefined, character: string | undefined) =>
        octal === undefined ? (character ?? '') : String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .join('') || value;

/** Undefined for a TXT of any other purpose. Labels come in any order; unknown ones are no matter. */
export function heritageOf(value: string): Heritage | undefined {
  const labels = new Map(
    textOf(value)
      .trim()
      .split(',')
      .map((label) => {
        const at = label.indexOf('=');
        return [label.slice(0, at).trim(), label.slice(at + 1).trim()] as const;
      }),
  );
  if (labels.get('heritage') !== 'external-dns') return undefined;
  return { owner: labels.get('external-dns/owner') ?? '', resource: labels.get('external-dns/resource') ?? '' };
}

/** Nonce, tag and the packed text of the shortest claim: 12 + 16 + some 60 bytes (external-dns, endpoint/crypto.go), in base64. */
const SHORTEST_SEALED = 100;

/**
 * Whether it may be a claim that external-dns encrypted (`--txt-encrypt-enabled`): base64 and nothing else, as long as one is. Only in a name in
 * which nothing but claims lie; elsewhere it may as well be a token by which somebody proves that a name is his.
 */
export function isSealed(value: string): boolean {
  const text = textOf(value);
  return text.length >= SHORTEST_SEALED && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
