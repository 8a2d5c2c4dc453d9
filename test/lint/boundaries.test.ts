import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

interface Finding {
  readonly rule: string | null;
  readonly message: string;
}

const uses = (module: string) => `import { thing } from '${module}';\nexport const use = thing;\n`;
const does = (expression: string) => `export const use = () => ${expression};\n`;

const IMPORTS = 'no-restricted-imports';
const PROPERTIES = 'no-restricted-properties';
const SYNTAX = 'no-restricted-syntax';

const SDK = 'only handlers and lambdas/aws talk to AWS';
const ETCD = 'only lambdas/etcd/client speaks to etcd';
const FORGE = 'only lambdas/pki handles certificates by node-forge';
const CDK = 'run-time code cannot know CDK';
const WORLD = 'this room is plain data in, data out';
const SYNTH = 'run-time code cannot import synth-time code';
const CLOCK = 'take the clock as an argument';

const PURE = 'lambdas/backup/retention.ts';
const HANDLER = 'lambdas/backup/prune-snapshots.handler.ts';
const AWS = 'lambdas/aws/s3-snapshot-store.ts';
const CLIENT = 'lambdas/etcd/client/etcd-reader.ts';
const SNAPSHOT = 'lambdas/etcd/snapshot/disk-spool.ts';
const PKI = 'lambdas/pki/issue.ts';
const NODES = 'lambdas/nodes/run-document.ts';
const CONTRACT = 'lambdas/contract/env.ts';
const LIB = 'lib/backup/backup.ts';

const refused: [what: string, file: string, text: string, rule: string, message: string][] = [
  ['the AWS SDK in a decision', PURE, uses('@aws-sdk/client-s3'), IMPORTS, SDK],
  ['powertools in a decision', PURE, uses('@aws-lambda-powertools/logger'), IMPORTS, SDK],
  ['the AWS SDK in the contract', CONTRACT, uses('@aws-sdk/client-s3'), IMPORTS, SDK],
  ['the AWS SDK in the etcd client', CLIENT, uses('@aws-sdk/client-s3'), IMPORTS, SDK],
  ['the AWS SDK in the snapshot file', SNAPSHOT, uses('@aws-sdk/lib-storage'), IMPORTS, SDK],
  ['the AWS SDK in pki', PKI, uses('@aws-sdk/client-secrets-manager'), IMPORTS, SDK],
  ['the AWS SDK at synth time', LIB, uses('@aws-sdk/client-s3'), IMPORTS, SDK],
  ['etcd3 in a decision', PURE, uses('etcd3'), IMPORTS, ETCD],
  ['gRPC in a decision', PURE, uses('@grpc/grpc-js'), IMPORTS, ETCD],
  ['etcd3 in a handler', HANDLER, uses('etcd3'), IMPORTS, ETCD],
  ['etcd3 in the snapshot file', SNAPSHOT, uses('etcd3'), IMPORTS, ETCD],
  ['etcd3 in the AWS edge', AWS, uses('etcd3/lib/rpc'), IMPORTS, ETCD],
  ['etcd3 beside the client', 'lambdas/etcd/cluster-view.ts', uses('etcd3'), IMPORTS, ETCD],
  ['etcd3 at synth time', LIB, uses('etcd3'), IMPORTS, ETCD],
  ['node-forge in a decision', 'lambdas/certificates/plan.ts', uses('node-forge'), IMPORTS, FORGE],
  ['node-forge in a handler', 'lambdas/certificates/rotate.handler.ts', uses('node-forge'), IMPORTS, FORGE],
  ['node-forge in the AWS edge', AWS, uses('node-forge'), IMPORTS, FORGE],
  ['node-forge in the contract', CONTRACT, uses('node-forge'), IMPORTS, FORGE],
  ['node-forge in the etcd client', CLIENT, uses('node-forge'), IMPORTS, FORGE],
  ['a part of node-forge in the edge to nodes', NODES, uses('node-forge/lib/pki'), IMPORTS, FORGE],
  ['node-forge at synth time', LIB, uses('node-forge'), IMPORTS, FORGE],
  ['CDK in a decision', PURE, uses('aws-cdk-lib'), IMPORTS, CDK],
  ['CDK in a handler', HANDLER, uses('aws-cdk-lib/aws-s3'), IMPORTS, CDK],
  ['constructs in the contract', CONTRACT, uses('constructs'), IMPORTS, CDK],
  ['CDK in an edge', AWS, uses('aws-cdk-lib'), IMPORTS, CDK],
  ['synth-time code in a decision', PURE, uses('../../lib/config/schema'), IMPORTS, SYNTH],
  ['synth-time code in a handler', HANDLER, uses('../../lib/config/schema'), IMPORTS, SYNTH],
  ['synth-time code in an edge', CLIENT, uses('../../../lib/config/schema'), IMPORTS, SYNTH],
  ['the local cloud in a decision', PURE, uses('../../local/tools'), IMPORTS, SYNTH],
  ['files in a decision', PURE, uses('node:fs'), IMPORTS, WORLD],
  ['files by promises in a decision', PURE, uses('node:fs/promises'), IMPORTS, WORLD],
  ['files under their old name in a decision', PURE, uses('fs'), IMPORTS, WORLD],
  ['processes in a decision', PURE, uses('child_process'), IMPORTS, WORLD],
  ['the network in a decision', PURE, uses('node:https'), IMPORTS, WORLD],
  ['names in a decision', PURE, uses('node:dns/promises'), IMPORTS, WORLD],
  ['the process in a decision', PURE, uses('node:process'), IMPORTS, WORLD],
  ['files in pki', PKI, uses('node:fs'), IMPORTS, WORLD],
  ['files in the contract', CONTRACT, uses('node:fs'), IMPORTS, WORLD],
  ['a room in the contract', CONTRACT, uses('../backup/retention'), IMPORTS, 'the contract knows nobody'],
  ['the environment in a decision', PURE, does('process.env.HOME'), PROPERTIES, 'only handlers read the environment'],
  [
    'the environment taken apart in a decision',
    PURE,
    'const { env } = process;\nexport const use = env;\n',
    PROPERTIES,
    'only handlers read the environment',
  ],
  ['the environment in the contract', CONTRACT, does('process.env.HOME'), PROPERTIES, 'only handlers read the environment'],
  ['the environment at synth time', LIB, does('process.env.HOME'), PROPERTIES, 'only handlers read the environment'],
  ['the clock in a decision', PURE, does('Date.now()'), PROPERTIES, CLOCK],
  ['the date in a decision', PURE, does('new Date()'), SYNTAX, CLOCK],
  ['the date as text in a decision', PURE, does('Date()'), SYNTAX, CLOCK],
  ['the date in the snapshot file', SNAPSHOT, does('new Date()'), SYNTAX, CLOCK],
  ['the date in pki', PKI, does('new Date()'), SYNTAX, CLOCK],
  ['the date at synth time', LIB, does('new Date()'), SYNTAX, CLOCK],
  ['chance in a decision', PURE, does('Math.random()'), PROPERTIES, 'take the source of randomness as an argument'],
  ['a hidden import in a decision', PURE, does("import('node:fs')"), SYNTAX, 'import at the top'],
  ['the console in a decision', PURE, does("console.log('x')"), 'no-console', 'console'],
  ['a feature at synth time', LIB, uses('../../lambdas/backup/retention'), IMPORTS, 'synth-time code imports only contract from lambdas'],
  ['an edge at synth time', LIB, uses('../../lambdas/aws/environment'), IMPORTS, 'synth-time code imports only contract from lambdas'],
  [
    'a room that begins like the contract at synth time',
    LIB,
    uses('../../lambdas/contracts/env'),
    IMPORTS,
    'synth-time code imports only contract',
  ],
  [
    'a handler of more than 60 lines',
    HANDLER,
    Array.from({ length: 61 }, (_, i) => `export const a${i} = ${i};`).join('\n'),
    'max-lines',
    'File has too many lines',
  ],
];

const allowed: [what: string, file: string, text: string][] = [
  ['a date that is given, in a decision', PURE, 'export const use = (at: number) => new Date(at);\n'],
  ['hashing in a decision', PURE, uses('node:crypto')],
  ['the contract in a decision', PURE, uses('../contract/env')],
  ['the AWS SDK in the AWS edge', AWS, uses('@aws-sdk/client-s3')],
  ['the AWS SDK in the edge to nodes', NODES, uses('@aws-sdk/client-ssm')],
  ['the AWS SDK in a handler', HANDLER, uses('@aws-sdk/client-s3')],
  ['the environment in a handler', HANDLER, does('process.env.HOME')],
  ['the environment in the AWS edge', AWS, does('process.env.HOME')],
  ['the clock in a handler', HANDLER, does('[new Date(), Date.now()]')],
  ['the clock in the etcd client', CLIENT, does('Date.now()')],
  ['etcd3 in the etcd client', CLIENT, uses('etcd3')],
  ['gRPC in the etcd client', CLIENT, uses('@grpc/grpc-js')],
  ['TLS in the etcd client', CLIENT, uses('node:tls')],
  ['files in the snapshot file', SNAPSHOT, uses('node:fs/promises')],
  ['node-forge in pki', PKI, uses('node-forge')],
  ['node-forge in the certificates of the local etcd', 'local/etcd/certificates.ts', uses('node-forge')],
  ['node-forge in a test', 'test/pki/lint.test.ts', uses('node-forge')],
  ['CDK at synth time', LIB, uses('aws-cdk-lib')],
  ['the contract at synth time', LIB, uses('../../lambdas/contract/env')],
  ['files at synth time', LIB, uses('node:fs')],
  ['a module whose name ends in lib in a decision', PURE, uses('./lib')],
  ['everything in the command line', 'cli/backup.ts', uses('@aws-sdk/client-s3') + does('new Date()')],
];

const lint = (): Finding[][] => {
  const cases = [...refused, ...allowed].map(([, file, text]) => ({ file: join(ROOT, file), text }));
  const child = spawnSync(process.execPath, [join(__dirname, 'lint-texts.mjs')], {
    cwd: ROOT,
    input: JSON.stringify(cases),
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(`eslint could not run: ${child.stderr}`);
  return JSON.parse(child.stdout) as Finding[][];
};

let findings: Finding[][];
beforeAll(() => {
  findings = lint();
}, 60_000);

test.each(refused.map(([what, file, , rule, message], index) => [what, file, rule, message, index] as const))(
  'refuses %s (%s)',
  (_what, _file, rule, message, index) => {
    expect(findings[index]).toEqual([{ rule, message: expect.stringContaining(message) as string }]);
  },
);

test.each(allowed.map(([what, file], index) => [what, file, index + refused.length] as const))('allows %s (%s)', (_what, _file, index) => {
  expect(findings[index]).toEqual([]);
});
