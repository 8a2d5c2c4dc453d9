import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from '../child-process';
import { packageProgram, projectRoot } from '../tools';
import { clientConfig, commandEnvironment } from './clients';
import { ACCOUNT_ID, REGION } from './emulator';
import { makeLocalAssembly } from './filter';
import { reconcile } from './reconcile';
import type { Leftover } from './template';
import { isRecord } from './template';

const SYNTH_MS = 180_000;
const DEPLOY_MS = 240_000;
/** No questions home, no update notices, no colours. */
const QUIET = { CDK_DISABLE_CLI_TELEMETRY: 'true', NO_COLOR: '1', CI: 'true' };

export interface DeployOptions {
  /** The command of the CDK app, run in the project's folder: `npx tsx bin/app.ts`. */
  readonly app: string;
  /** @default - the app gets no `config` context */
  readonly configPath?: string;
  /** @default - all stacks of the app */
  readonly stacks?: readonly string[];
}

/** Outputs by stack name, as in `cdk deploy --outputs-file`. */
export type StackOutputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Deployed {
  readonly outputs: StackOutputs;
  /** Files by stack name: the templates as CDK synthesized them, before they were filtered for the emulator. */
  readonly templates: ReadonlyMap<string, string>;
}

export interface Workplace {
  readonly endpoint: string;
  readonly folder: string;
}

/** Runs the CDK command line against the local cloud, with nothing of the caller's own AWS settings. */
function cdk(place: Workplace, cwd: string, args: readonly string[], timeoutMs: number): Promise<void> {
  const home = path.join(place.folder, 'home');
  mkdirSync(home, { recursive: true });
  return runCommand(packageProgram('cdk'), [...args, '--no-notices'], {
    cwd,
    env: {
      PATH: [path.dirname(packageProgram('node')), process.env['PATH']].join(path.delimiter),
      HOME: home,
      // tsx keeps compiled files in the temporary folder: shared, so that a second run starts faster.
      TMPDIR: process.env['TMPDIR'],
      LANG: 'C.UTF-8',
      ...QUIET,
      ...commandEnvironment(place.endpoint),
    },
    log: path.join(place.folder, 'cdk.log'),
    timeoutMs,
  });
}

/** Makes the bucket and the roles that `cdk deploy` expects in each account and region. */
export const bootstrap = (place: Workplace): Promise<void> =>
  cdk(place, place.folder, ['bootstrap', `aws://${ACCOUNT_ID}/${REGION}`], DEPLOY_MS);

/** The stack's name in CloudFormation, by its template's file name. */
function stackNames(assembly: string): ReadonlyMap<string, string> {
  const manifest: unknown = JSON.parse(readFileSync(path.join(assembly, 'manifest.json'), 'utf8'));
  const artifacts = isRecord(manifest) && isRecord(manifest['artifacts']) ? manifest['artifacts'] : {};
  return new Map(
    Object.entries(artifacts).flatMap(([id, artifact]): [string, string][] => {
      if (!isRecord(artifact) || artifact['type'] !== 'aws:cloudformation:stack') return [];
      const properties = isRecord(artifact['properties']) ? artifact['properties'] : {};
      const file = typeof properties['templateFile'] === 'string' ? properties['templateFile'] : `${id}.template.json`;
      return [[file.replace(/\.template\.json$/, ''), typeof properties['stackName'] === 'string' ? properties['stackName'] : id]];
    }),
  );
}

function readOutputs(file: string): StackOutputs {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as StackOutputs) : {};
}

async function isDeployed(client: CloudFormationClient, stackName: string): Promise<boolean> {
  try {
    await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return true;
  } catch {
    return false;
  }
}

async function reconcileAll(endpoint: string, assembly: string, leftovers: ReadonlyMap<string, readonly Leftover[]>): Promise<Leftover[]> {
  const client = new CloudFormationClient(clientConfig(endpoint));
  const unmade: Leftover[] = [];
  try {
    for (const [file, stackName] of stackNames(assembly))
      if (await isDeployed(client, stackName)) unmade.push(...(await reconcile(endpoint, stackName, leftovers.get(file) ?? [])));
  } finally {
    client.destroy();
  }
  return unmade;
}

/**
 * Synthesizes the app unchanged, filters the assembly for the emulator, deploys it, and makes what the emulator's
 * CloudFormation could not. Works in folders of its own: a CDK command run in the app's folder synthesizes again.
 */
export async function deployApp(place: Workplace, options: DeployOptions): Promise<Deployed> {
  const work = mkdtempSync(path.join(place.folder, 'deploy-'));
  const synthesized = path.join(work, 'synthesized');
  const local = path.join(work, 'assembly');
  const context = options.configPath === undefined ? [] : ['--context', `config=${path.resolve(options.configPath)}`];
  await cdk(place, projectRoot, ['synth', '--quiet', '--app', options.app, '--output', synthesized, ...context], SYNTH_MS);
  const leftovers = makeLocalAssembly(synthesized, local);
  const outputs = path.join(work, 'outputs.json');
  const stacks = options.stacks ?? ['--all'];
  const settings = ['--app', local, '--require-approval', 'never', '--method', 'direct', '--concurrency', '4', '--outputs-file', outputs];
  await cdk(place, work, ['deploy', ...stacks, ...settings, '--output', path.join(work, 'deployed')], DEPLOY_MS);
  const unmade = await reconcileAll(place.endpoint, local, leftovers);
  writeFileSync(path.join(work, 'not-made.json'), JSON.stringify(unmade, undefined, 2));
  const templates = [...stackNames(synthesized)].map(([file, name]) => [name, path.join(synthesized, `${file}.template.json`)] as const);
  return { outputs: readOutputs(outputs), templates: new Map(templates) };
}
