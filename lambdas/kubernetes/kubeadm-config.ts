import { isDeepStrictEqual } from 'node:util';
import { YAMLMap, YAMLSeq, parse, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import { KubeadmConfigUnclear } from './errors';

// kubeadm keeps its ClusterConfiguration in the ConfigMap kube-system/kubeadm-config, and every upgrade writes the manifests from it anew.

/** Absolute paths, as the controller-manager sees them in its container. */
export interface SignerFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const CERT_FLAG = 'cluster-signing-cert-file';
const KEY_FLAG = 'cluster-signing-key-file';
/** One signer for each usage excludes the one for all (kubernetes cmd/kube-controller-manager/app/options/csrsigningcontroller.go). */
const USAGE_FLAG = /^cluster-signing-.+-(cert|key)-file$/;
const FIX = 'set both flags in it by hand (kubectl -n kube-system edit configmap kubeadm-config)';

const listed = z.array(z.object({ name: z.string(), value: z.string() }));
const component = <T extends z.ZodType>(extraArgs: T) => z.looseObject({ extraArgs: extraArgs.nullish() }).nullish();
/** v1beta4 has a list, which may name a flag twice, in the place of the map. */
const ClusterConfiguration = z.discriminatedUnion('apiVersion', [
  z.looseObject({
    apiVersion: z.literal('kubeadm.k8s.io/v1beta3'),
    kind: z.literal('ClusterConfiguration'),
    controllerManager: component(z.record(z.string(), z.string())),
  }),
  z.looseObject({
    apiVersion: z.literal('kubeadm.k8s.io/v1beta4'),
    kind: z.literal('ClusterConfiguration'),
    controllerManager: component(listed),
  }),
]);
type ClusterConfiguration = z.infer<typeof ClusterConfiguration>;

/**
 * kubeadm's ClusterConfiguration (`ClusterConfiguration` of the ConfigMap) with the files by which the controller-manager signs, so that the next
 * `kubeadm upgrade` does not lead it back to pki/ca.crt. Comments, order and all that is not known here stay; what says so already is given back
 * as it is.
 *
 * @throws KubeadmConfigUnclear for another kind or version than v1beta3 and v1beta4, several signers, aliases, and all else that would be a guess
 */
export function withSigner(yamlText: string, { certFile, keyFile }: SignerFiles): { readonly text: string; readonly changed: boolean } {
  const wanted = { [CERT_FLAG]: certFile, [KEY_FLAG]: keyFile };
  const before = argsOf(configurationOf(yamlText));
  requireOneSigner(before);
  if (Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(valuesOf(before, name), [value])))
    return { text: yamlText, changed: false };
  const document = documentOf(yamlText);
  for (const [name, value] of Object.entries(wanted)) setArg(document, name, value);
  // A list may stand as far left as its key, as kubeadm writes it, or further in.
  const text = document.toString({ lineWidth: 0, indentSeq: !/^( *)[^\s#-].*:\n\1- /m.test(yamlText) });
  requireNothingElse(yamlText, text, wanted);
  return { text, changed: true };
}

interface Arg {
  readonly name: string;
  readonly value: string;
}

function configurationOf(yamlText: string): ClusterConfiguration {
  const found = read(yamlText, '1.2');
  const parsed = ClusterConfiguration.safeParse(found);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path ?? [];
  const value = path.reduce<unknown>((inside, key) => z.record(z.string(), z.unknown()).safeParse(inside).data?.[String(key)], found);
  throw new KubeadmConfigUnclear(
    `kubeadm-config has ${JSON.stringify(value ?? null).slice(0, 80)} as ${path.join('.') || 'the whole'}, where a ClusterConfiguration of ` +
      `v1beta3 or v1beta4 has something else: ${FIX}`,
  );
}

function argsOf({ apiVersion, controllerManager }: ClusterConfiguration): readonly Arg[] {
  const extraArgs = controllerManager?.extraArgs ?? [];
  if (Array.isArray(extraArgs)) return extraArgs;
  if (apiVersion === 'kubeadm.k8s.io/v1beta4') throw new TypeError('the extraArgs of v1beta4 are a list');
  return Object.entries(extraArgs).map(([name, value]) => ({ name, value }));
}

const valuesOf = (args: readonly Arg[], name: string): string[] => args.filter((arg) => arg.name === name).map(({ value }) => value);

function requireOneSigner(args: readonly Arg[]): void {
  const usage = args.find(({ name }) => USAGE_FLAG.test(name));
  if (usage !== undefined) {
    throw new KubeadmConfigUnclear(
      `kubeadm-config gives the controller-manager several signers (${usage.name}): give each a file of one certificate that is not pki/ca.crt by hand`,
    );
  }
  const twice = [CERT_FLAG, KEY_FLAG].find((name) => valuesOf(args, name).length > 1);
  if (twice !== undefined) throw new KubeadmConfigUnclear(`kubeadm-config names ${twice} more than once: leave the one that counts`);
}

function read(yamlText: string, version: '1.1' | '1.2'): unknown {
  try {
    return parse(yamlText, { version, logLevel: 'error' });
  } catch (error) {
    const [because] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new KubeadmConfigUnclear(`kubeadm-config is not one YAML document (${because}): ${FIX}`, { cause: error });
  }
}

/** Every scalar as it is written: what looks like a number to one version of YAML is a text to another. */
function documentOf(yamlText: string): Document {
  const document = parseDocument(yamlText, { schema: 'failsafe' });
  visit(document, {
    Alias() {
      throw new KubeadmConfigUnclear(`kubeadm-config has aliases, and what one place is given would be so in others: ${FIX}`);
    },
  });
  return document;
}

/** One that is empty may be written as nothing, `{}` or `[]`, on one line, into which nobody wants to read more. */
function childOf<T extends YAMLMap | YAMLSeq>(parent: YAMLMap, key: string, Kind: new () => T): T {
  const found: unknown = parent.get(key, true);
  if (found instanceof Kind) {
    if (found.items.length === 0) found.flow = false;
    return found;
  }
  const made = new Kind();
  parent.set(key, made);
  return made;
}

function setArg(document: Document, name: string, value: string): void {
  if (!(document.contents instanceof YAMLMap)) throw new TypeError('it was read as a map before');
  const manager = childOf(document.contents, 'controllerManager', YAMLMap);
  if (document.get('apiVersion') === 'kubeadm.k8s.io/v1beta3') {
    childOf(manager, 'extraArgs', YAMLMap).set(name, value);
    return;
  }
  const list = childOf(manager, 'extraArgs', YAMLSeq);
  const present = list.items.find((item) => item instanceof YAMLMap && item.get('name') === name);
  if (present instanceof YAMLMap) present.set('value', value);
  else list.add(document.createNode({ name, value }));
}

/** What was written says what it said before but for the two flags, to every reader. */
function requireNothingElse(before: string, after: string, wanted: Readonly<Record<string, string>>): void {
  const others = (args: readonly Arg[]) => args.filter(({ name }) => !Object.hasOwn(wanted, name));
  const args = argsOf(configurationOf(after));
  const same =
    isDeepStrictEqual(others(args), others(argsOf(configurationOf(before)))) &&
    Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(valuesOf(args, name), [value])) &&
    (['1.1', '1.2'] as const).every((version) => isDeepStrictEqual(withoutArgs(read(before, version)), withoutArgs(read(after, version))));
  if (!same) throw new KubeadmConfigUnclear(`kubeadm-config is written in a way that cannot be kept: ${FIX}`);
}

function withoutArgs(configuration: unknown): unknown {
  const { controllerManager, ...rest } = z.looseObject({ controllerManager: z.looseObject({}).nullish() }).parse(configuration);
  const { extraArgs: _, ...manager } = controllerManager ?? {};
  return { ...rest, manager };
}
