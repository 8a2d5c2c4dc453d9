import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../../lib/config/config-error';
import { jsonSchemaText } from '../../../lib/config/json-schema';
import { loadConfig } from '../../../lib/config/load-config';

const ROOT = join(__dirname, '..', '..', '..');

test('the JSON Schema in the repository is the one that the schema makes: npm run schema', () => {
  expect(readFileSync(join(ROOT, 'lib', 'config', 'lifeboat.schema.json'), 'utf8')).toBe(jsonSchemaText());
});

test('the JSON Schema knows every key and refuses others', () => {
  const schema = JSON.parse(jsonSchemaText()) as {
    additionalProperties: boolean;
    properties: { clusters: { items: { properties: object } } };
  };

  expect(schema.additionalProperties).toBe(false);
  expect(Object.keys(schema.properties.clusters.items.properties)).toEqual(
    expect.arrayContaining(['name', 'network', 'nodes', 'etcd', 'api', 'backup', 'certificates', 'alarms']),
  );
});

test.each([
  ['demo', ['demo']],
  ['production', ['prod-eu', 'prod-us']],
])('the %s example describes %j and points editors to the JSON Schema', (example, names) => {
  const path = join(ROOT, 'examples', `${example}.lifeboat.json`);
  const { $schema } = JSON.parse(readFileSync(path, 'utf8')) as { $schema: string };

  expect(loadConfig(path).clusters.map(({ name }) => name)).toEqual(names);
  expect(join(ROOT, 'examples', $schema)).toBe(join(ROOT, 'lib', 'config', 'lifeboat.schema.json'));
});

describe('a file on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('that does not exist is a mistake that says how to name another', () => {
    const path = join(folder, 'none.json');

    expect(() => loadConfig(path)).toThrow(ConfigError);
    expect(() => loadConfig(path)).toThrow(/ENOENT.*-c config=path\/to\/lifeboat\.json/);
  });

  test('that is wrong is named in the message', () => {
    const path = join(folder, 'wrong.json');
    writeFileSync(path, '{ "clusters": [] }');

    expect(() => loadConfig(path)).toThrow(`${path} has 1 mistake\nclusters: is empty`);
  });
});
