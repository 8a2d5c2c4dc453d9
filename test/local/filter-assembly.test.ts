import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeLocalAssembly } from '../../local/cloud/filter';

const CODE = 'a'.repeat(64);
const LAYER = 'b'.repeat(64);
const TEMPLATE = 'c'.repeat(64);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-filter-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, content: unknown): void => {
  const target = path.join(folder, 'synthesized', file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, typeof content === 'string' ? content : JSON.stringify(content));
};
const asset = (hash: string, source: object, suffix: string) => ({
  [hash]: { source, destinations: { here: { objectKey: `${hash}.${suffix}` } } },
});

function synthesized(): string {
  write(`asset.${CODE}/lib/index.js`, 'exports.handler = () => 1');
  write(`asset.${LAYER}/data.txt`, 'no code');
  write('Stack.template.json', {
    Resources: {
      Work: { Type: 'AWS::Lambda::Function', Properties: { Runtime: 'nodejs24.x', Code: { S3Key: `${CODE}.zip` } } },
      Layer: { Type: 'AWS::Lambda::LayerVersion', Properties: { Content: { S3Key: `${LAYER}.zip` } } },
      Document: { Type: 'AWS::SSM::Document', Properties: { Name: 'restore' } },
    },
  });
  write('Stack.assets.json', {
    files: {
      ...asset(CODE, { path: `asset.${CODE}`, packaging: 'zip' }, 'zip'),
      ...asset(LAYER, { path: `asset.${LAYER}`, packaging: 'zip' }, 'zip'),
      ...asset(TEMPLATE, { path: 'Stack.template.json', packaging: 'file' }, 'json'),
    },
  });
  write('manifest.json', { artifacts: { Stack: { properties: { stackTemplateAssetObjectUrl: `s3://assets/${TEMPLATE}.json` } } } });
  return path.join(folder, 'synthesized');
}

const textOf = (assembly: string): string =>
  readdirSync(assembly)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readFileSync(path.join(assembly, file), 'utf8'))
    .join('\n');

describe('makeLocalAssembly', () => {
  test('adds an executable runtime to functions, and to nothing else', () => {
    const output = path.join(folder, 'local');

    makeLocalAssembly(synthesized(), output);

    expect(statSync(path.join(output, `asset.${CODE}/bootstrap`)).mode & 0o111).toBe(0o111);
    expect(readdirSync(path.join(output, `asset.${LAYER}`))).toEqual(['data.txt']);
  });

  test('gives what changed a new key everywhere, and only that', () => {
    const output = path.join(folder, 'local');

    makeLocalAssembly(synthesized(), output);

    const text = textOf(output);
    expect(text).not.toMatch(new RegExp(`${CODE}\\.zip|"${CODE}"|${TEMPLATE}\\.json|"${TEMPLATE}"`));
    expect(text).toContain(`"path":"asset.${CODE}"`);
    expect(text).toContain(`${LAYER}.zip`);
    const keys = [...text.matchAll(/([0-9a-f]{64})\.(?:zip|json)/g)].map(([, key]) => key);
    // code: function, asset's destination; template: asset's destination, manifest; layer: twice
    expect(new Set(keys).size).toBe(3);
    expect(keys).toHaveLength(6);
  });

  test('leaves the synthesized assembly alone and tells what is left over by stack', () => {
    const source = synthesized();
    const before = textOf(source);

    const leftovers = makeLocalAssembly(source, path.join(folder, 'local'));

    expect(textOf(source)).toBe(before);
    expect(leftovers.get('Stack')?.map(({ type }) => type)).toEqual(['AWS::SSM::Document']);
  });
});
