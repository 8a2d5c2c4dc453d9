import { YAMLParseError, parse, stringify } from 'yaml';
import { z } from 'zod';
import { KubeconfigUnreadable } from './errors';
import type { Pair } from './signer';

export interface KubeconfigContent extends Pair {
  /** PEM, of one authority or several. */
  readonly ca: string;
  /** `https://host:port`. */
  readonly server: string;
  readonly cluster: string;
  readonly user: string;
  /** @default `user@cluster`, as kubeadm names it */
  readonly context?: string;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with everything in it, its fields in the order that client-go writes them. */
export function printKubeconfig({ ca, server, cluster, user, cert, key, context = `${user}@${cluster}` }: KubeconfigContent): string {
  const config = {
    apiVersion: 'v1',
    clusters: [{ cluster: { 'certificate-authority-data': encode(ca), server }, name: cluster }],
    contexts: [{ context: { cluster, user }, name: context }],
    'current-context': context,
    kind: 'Config',
    users: [{ name: user, user: { 'client-certificate-data': encode(cert), 'client-key-data': encode(key) } }],
  };
  // Not folded: one line a value, as client-go writes it. No document markers, no anchors.
  return stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Where a kubeconfig has a certificate or a key: in itself, or in a file that its reader opens. */
export type Material = { readonly in: 'kubeconfig'; readonly pem: string } | { readonly in: 'file'; readonly path: string };

export interface Kubeconfig {
  readonly context: string;
  readonly cluster: string;
  readonly user: string;
  readonly server: string;
  /** Undefined where the trust of the machine is used. */
  readonly ca: Material | undefined;
  /** Undefined where the user has a token or a program instead. */
  readonly cert: Material | undefined;
  readonly key: Material | undefined;
}

const text = z.string().min(1);
/** Go skips line breaks inside of base64, as people write it in blocks; empty is as good as absent. */
const data = z
  .string()
  .transform((encoded) => encoded.replaceAll(/[\r\n]/g, ''))
  .pipe(z.base64())
  .optional();
const file = z.string().optional();

const Shape = z.object({
  kind: z.literal('Config').optional(),
  'current-context': text,
  contexts: z.array(z.object({ name: text, context: z.object({ cluster: text, user: text }) })),
  clusters: z.array(
    z.object({ name: text, cluster: z.object({ server: text, 'certificate-authority-data': data, 'certificate-authority': file }) }),
  ),
  users: z.array(
    z.object({
      name: text,
      user: z
        .object({ 'client-certificate-data': data, 'client-certificate': file, 'client-key-data': data, 'client-key': file })
        .nullish(),
    }),
  ),
});

/** What is inside wins over a file, as in client-go (tools/clientcmd). */
function material(inside = '', path = ''): Material | undefined {
  if (inside !== '') return { in: 'kubeconfig', pem: Buffer.from(inside, 'base64').toString('utf8') };
  return path !== '' ? { in: 'file', path } : undefined;
}

/** No cause and no text of the parser: both quote the file, and it holds a key. */
function parseYaml(yaml: string, what: string): unknown {
  try {
    return parse(yaml, { logLevel: 'error' }) as unknown;
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    throw new KubeconfigUnreadable(`${what} is not YAML${line === undefined ? '' : `: see line ${line}`}: restore it or write it anew`);
  }
}

/**
 * What the current context of a kubeconfig leads to.
 *
 * @throws KubeconfigUnreadable that names the field, and never quotes the file
 */
export function readKubeconfig(yaml: string, what = 'the kubeconfig'): Kubeconfig {
  const parsed = Shape.safeParse(parseYaml(yaml, what));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new KubeconfigUnreadable(
      `${what} cannot be used: ${issue?.path.join('.') || 'the whole'} is missing or of another kind than kubectl reads`,
    );
  }
  const config = parsed.data;
  const missing = (kind: string, name: string): never => {
    throw new KubeconfigUnreadable(`${what} has no ${kind} "${name}", to which its current context leads`);
  };
  const name = config['current-context'];
  const { context } = config.contexts.find((one) => one.name === name) ?? missing('context', name);
  const { cluster } = config.clusters.find((one) => one.name === context.cluster) ?? missing('cluster', context.cluster);
  const { user } = config.users.find((one) => one.name === context.user) ?? missing('user', context.user);
  return {
    context: name,
    cluster: context.cluster,
    user: context.user,
    server: cluster.server,
    ca: material(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: material(user?.['client-certificate-data'], user?.['client-certificate']),
    key: material(user?.['client-key-data'], user?.['client-key']),
  };
}
