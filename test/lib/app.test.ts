// bin/app.ts as the CDK command starts it: a process of its own, told by the environment where to write and what to read.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import cdk from '../../cdk.json';

const ROOT = join(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-app-'));
afterAll(() => rmSync(folder, { recursive: true }));

function app(config: string | undefined, cwd = ROOT) {
  const outdir = mkdtempSync(join(folder, 'out-'));
  const context = { ...cdk.context, 'aws:cdk:bundling-stacks': [], ...(config !== undefined && { config }) };
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs'), join(ROOT, 'bin', 'app.ts')],
    {
      cwd,
      env: { PATH: process.env.PATH, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) },
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  return { status, stderr, templates: readdirSync(outdir).filter((name) => name.endsWith('.template.json')) };
}

test('makes a stack of every cluster of the named file, and one of every copy in another region', () => {
  const { status, templates } = app('examples/production.lifeboat.json');

  expect(status).toBe(0);
  expect(templates.sort()).toEqual([
    'Lifeboat-prod-eu.template.json',
    'Lifeboat-prod-us.template.json',
    'LifeboatReplica-prod-eu.template.json',
  ]);
}, 60_000);

test('tells the mistakes of a config, without a stack trace, and fails', () => {
  const path = join(folder, 'wrong.json');
  writeFileSync(path, '{ "clusters": [{ "name": "Prod", "etcd": { "endpoints": ["http://a:2379"] } }] }');

  const { status, stderr, templates } = app(path);

  expect(status).toBe(1);
  expect(templates).toEqual([]);
  expect(stderr.trim().split('\n')).toEqual([
    `${path} has 2 mistakes`,
    expect.stringMatching(/^clusters\[0\]\.name: "Prod" is not a cluster name/),
    'clusters[0].etcd.endpoints[0]: "http://a:2379" is not https; use "https://a:2379"',
  ]);
}, 60_000);

test('reads lifeboat.json where it is started when no file is named', () => {
  expect(app(undefined, folder).stderr).toMatch(/^lifeboat\.json has 1 mistake\ncannot be read/);
}, 60_000);
