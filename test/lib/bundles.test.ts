// Unit tests never see a bundle: a protocol file that is missing beside it, or a package that does not bundle, shows only here.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdk from '../../cdk.json';
import { loadConfig } from '../../lib/config/load-config';
import { LifeboatStack } from '../../lib/platform/lifeboat-stack';
import { acknowledgeWarnings } from './synth';

interface Bundle {
  readonly name: string;
  readonly folder: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface FunctionResource {
  readonly Properties: {
    readonly Code: { readonly S3Key: string };
    readonly Handler: string;
    readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
  };
}

const folder = mkdtempSync(join(tmpdir(), 'lifeboat-bundles-'));
let bundles: Bundle[];

beforeAll(() => {
  bundles = synthesize();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const API = {
  ...{ name: 'api.example.com', zoneId: 'Z0123456789ABCDEFGHIJ', visibility: 'private' as const, port: 6443 },
  target: { kind: 'healthy-nodes' },
} as const;

/** Every function of the demo, of a replica and of a record, with the folder that becomes its code. */
function synthesize(): Bundle[] {
  const app = new App({ outdir: folder, context: cdk.context });
  const [cluster] = loadConfig(join(__dirname, '..', '..', 'examples', 'demo.lifeboat.json')).clusters;
  const backup = { ...cluster!.backup, replica: { region: 'eu-west-1' } };
  const stack = new LifeboatStack(app, { ...cluster!, region: 'eu-central-1', backup, api: API });
  acknowledgeWarnings(stack);
  const functions = Template.fromStack(stack).findResources('AWS::Lambda::Function') as unknown as Record<string, FunctionResource>;
  const { files } = JSON.parse(readFileSync(join(folder, `${stack.stackName}.assets.json`), 'utf8')) as {
    files: Record<string, { source: { path: string } }>;
  };
  return Object.entries(functions).map(([name, { Properties }]) => {
    const variables = Object.entries(Properties.Environment.Variables);
    return {
      name,
      folder: join(folder, files[Properties.Code.S3Key.replace('.zip', '')]!.source.path),
      handler: Properties.Handler,
      environment: Object.fromEntries(variables.map(([key, value]) => [key, typeof value === 'string' ? value : `deployed-${key}`])),
    };
  });
}

/** Loads a bundle as Lambda does, in a process that knows nothing but what the template sets, and says what its handler is. */
function load({ folder: task, handler, environment }: Bundle): string {
  const [module = '', name = ''] = handler.split('.');
  const script = `process.stdout.write(process.version + ' ' + typeof require(${JSON.stringify(join(task, module))})[${JSON.stringify(name)}])`;
  const env = { AWS_REGION: 'eu-central-1', AWS_LAMBDA_FUNCTION_NAME: 'test', ...environment };
  return execFileSync(process.execPath, ['-e', script], { cwd: task, env, encoding: 'utf8', stdio: 'pipe', timeout: 30_000 });
}

test('the tests run on the Node that the functions run on', () => {
  expect(process.version).toMatch(/^v24\./);
});

test('there are functions to look at', () => {
  expect(bundles.map(({ name }) => name)).toEqual([
    expect.stringMatching(/^BackupTakeSnapshot/),
    expect.stringMatching(/^WatchWatchMembers/),
    expect.stringMatching(/^MaterializeMaterializeSnapshot/),
    expect.stringMatching(/^NodesNodeCommand/),
    expect.stringMatching(/^ApiRecordProbeApi/),
    expect.stringMatching(/^ApiRecordSyncApiRecord/),
    expect.stringMatching(/^RestoreFindNodes/),
    expect.stringMatching(/^RestorePlanRestore/),
    expect.stringMatching(/^RestoreAskApproval/),
    expect.stringMatching(/^RestoreControlPlaneLock/),
    expect.stringMatching(/^RestorePromiseRevisions/),
    expect.stringMatching(/^RestoreCheckEtcd/),
    expect.stringMatching(/^RestoreReportRestore/),
    expect.stringMatching(/^ReplaceMemberFindReplacement/),
    expect.stringMatching(/^ReplaceMemberChangeMembers/),
    expect.stringMatching(/^ReplaceMemberTellReplacement/),
    expect.stringMatching(/^RetentionPruneSnapshots/),
    expect.stringMatching(/^DrillDrillInFunction/),
    expect.stringMatching(/^ReplicaWatchWatchReplica/),
  ]);
});

test('every function loads from its bundle alone', () => {
  expect(bundles.map((bundle) => [bundle.name, load(bundle)])).toEqual(bundles.map(({ name }) => [name, `${process.version} function`]));
});

test('every bundle brings its source map, which names sources from the repository on and does not repeat them', () => {
  for (const { folder: task, handler } of bundles) {
    const map = JSON.parse(readFileSync(join(task, `${handler.split('.')[0]!}.js.map`), 'utf8')) as {
      sources: string[];
      sourcesContent?: unknown;
    };

    expect(map.sources).toContainEqual(expect.stringMatching(/^lambdas\/.*\.handler\.ts$/));
    // Or the hash of an asset depends on the folder that it was made in.
    expect(map.sources.filter((source) => !/^(lambdas|node_modules)\//.test(source))).toEqual([]);
    expect(map.sourcesContent).toBeUndefined();
  }
});

test('a bundle that speaks to etcd does not load without its protocol files', () => {
  const [takeSnapshot] = bundles.filter(({ handler }) => handler === 'lib/index.handler');
  const copy = join(folder, 'without-proto');
  cpSync(takeSnapshot!.folder, copy, { recursive: true });
  expect(existsSync(join(copy, 'proto', 'rpc.proto'))).toBe(true);
  rmSync(join(copy, 'proto'), { recursive: true });

  expect(() => load({ ...takeSnapshot!, folder: copy })).toThrow('rpc.proto');
});
