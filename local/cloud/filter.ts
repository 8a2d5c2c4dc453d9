import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filterTemplate } from './filter-template';
import type { Leftover, Template } from './template';
import { isRecord } from './template';

const BOOTSTRAP = path.join(__dirname, 'bootstrap.cjs');

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const sha256 = (...parts: readonly (string | Buffer)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

interface Asset {
  readonly hash: string;
  readonly path: string;
  readonly packaging: string;
}

function assetsOf(manifest: string): Asset[] {
  const content = readJson(manifest);
  const files = isRecord(content) && isRecord(content['files']) ? content['files'] : {};
  return Object.entries(files).flatMap(([hash, file]) => {
    const source = isRecord(file) ? file['source'] : undefined;
    if (!isRecord(source) || typeof source['path'] !== 'string') return [];
    return [{ hash, path: source['path'], packaging: String(source['packaging']) }];
  });
}

/** An asset is uploaded once per key: changed content under its old key would never arrive. */
function giveNewKey(folder: string, before: string, after: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    if (text.includes(before)) writeFileSync(file, text.replaceAll(new RegExp(`${before}(?=\\.zip|\\.json|":)`, 'g'), after));
  }
}

const isNodeFunction = (folder: string): boolean =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((file) => /(^|\/)index\.(c|m)?js$/.test(file));

function addBootstrap(folder: string, asset: Asset): void {
  const source = path.join(folder, asset.path);
  if (asset.packaging !== 'zip' || !isNodeFunction(source)) return;
  const target = path.join(source, 'bootstrap');
  copyFileSync(BOOTSTRAP, target);
  chmodSync(target, 0o755);
  giveNewKey(folder, asset.hash, sha256(asset.hash, readFileSync(BOOTSTRAP)));
}

function filterTemplateFile(file: string): readonly Leftover[] {
  const { template, leftovers } = filterTemplate(readJson(file) as Template);
  writeFileSync(file, JSON.stringify(template));
  return leftovers;
}

/**
 * Turns a synthesized assembly into one that the emulator can deploy.
 *
 * @returns what the emulator cannot make from each template, by template file name without its suffix
 */
export function makeLocalAssembly(assembly: string, output: string): ReadonlyMap<string, readonly Leftover[]> {
  cpSync(assembly, output, { recursive: true });
  const files = readdirSync(output);
  const leftovers = new Map(
    files
      .filter((file) => file.endsWith('.template.json'))
      .map((file) => [file.replace(/\.template\.json$/, ''), filterTemplateFile(path.join(output, file))]),
  );
  for (const manifest of files.filter((file) => file.endsWith('.assets.json')).map((file) => path.join(output, file))) {
    for (const asset of assetsOf(manifest)) addBootstrap(output, asset);
    // Templates are assets too, and come last: the keys inside them changed just now.
    for (const { hash, path: file } of assetsOf(manifest).filter(({ path: file }) => file.endsWith('.template.json')))
      giveNewKey(output, hash, sha256(readFileSync(path.join(output, file))));
  }
  return leftovers;
}
