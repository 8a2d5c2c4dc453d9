/** What a TXT record of external-dns says (external-dns, docs/registry/txt.md). */
export interface Heritage {
  readonly owner: string;
  /** `ingress/default/web` and the like. */
  readonly resource: string;
}

/** The owner that a cluster is known by. external-dns leaves alone whatever has another owner than its own, so nobody else need know of us. */
export const ownerOf = (cluster: string): string => `kube-lifeboat/${cluster}`;

/** The text that claims a record, quoted as Route 53 wants it. */
export const heritageText = (cluster: string): string =>
  `"heritage=external-dns,external-dns/owner=${ownerOf(cluster)},external-dns/resource=lifeboat/${cluster}/api"`;

/** Quoted strings of one value are one text (RFC 7208, 3.3, as for all TXT), and a quote or a backslash within is escaped. */
const textOf = (value: string): string =>
  [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inner = '']) => inner.replaceAll(/\\(.)/g, '$1')).join('') || value;

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
