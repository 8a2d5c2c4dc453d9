import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from '../child-process';
import { packageProgram, projectRoot } from '../tools';
import { clientConfig, commandEnvironment } from './clients';
import { ACCOUNT_ID, REGION } from './emulator';
import { makeLocalAssembly } from './filter';
import { reconcile } from './reconcile';
import type { Leftover, StackOutputs } from './template';
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

export interface Deployed {
  readonly outputs: StackOutputs;
  /** By stack name. */
  readonly stacks: ReadonlyMap<string, SynthesizedStack>;
}

/** A stack as CDK synthesized it, before it was filtered for the emulator. */
export interface SynthesizedStack {
  readonly region: string;
  readonly templateFile: string;
}

export interface Workplace {
  readonly endpoint: string;
  readonly folder: string;
  /** What is under way or done, by region. */
  readonly bootstraps: Map<string, Promise<void>>;
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

/** Makes the bucket and the roles that `cdk deploy` expects in each region, once. */
async function bootstrap(place: Workplace, region: string): Promise<void> {
  const begun = place.bootstraps.get(region) ?? cdk(place, place.folder, ['bootstrap', `aws://${ACCOUNT_ID}/${region}`], DEPLOY_MS);
  place.bootstraps.set(region, begun);
  await begun;
}

interface AssembledStack {
  readonly name: string;
  readonly region: string;
  /** The template's file, without its suffix. */
  readonly file: string;
}

/** The stacks of an assembly; one that says no region is deployed into that of the local cloud. */
function stacksIn(assembly: string): AssembledStack[] {
  const manifest: unknown = JSON.parse(readFileSync(path.join(assembly, 'manifest.json'), 'utf8'));
  const artifacts = isRecord(manifest) && isRecord(manifest['artifacts']) ? manifest['artifacts'] : {};
  return Object.entries(artifacts).flatMap(([id, artifact]) => {
    if (!isRecord(artifact) || artifact['type'] !== 'aws:cloudformation:stack') return [];
    const properties = isRecord(artifact['properties']) ? artifact['properties'] : {};
    const file = typeof properties['templateFile'] === 'string' ? properties['templateFile'] : `${id}.template.json`;
    const [, region = 'unknown-region'] = /^aws:\/\/[^/]+\/(.+)$/.exec(String(artifact['environment'])) ?? [];
    return [
      {
        name: typeof properties['stackName'] === 'string' ? properties['stackName'] : id,
        region: region === 'unknown-region' ? REGION : region,
        file: file.replace(/\.template\.json$/, ''),
      },
    ];
  });
}

function readOutputs(file: string): StackOutputs {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as StackOutputs) : {};
}

async function isDeployed(endpoint: string, { name, region }: AssembledStack): Promise<boolean> {
  const client = new CloudFormationClient(clientConfig(endpoint, region));
  try {
    await client.send(new DescribeStacksCommand({ StackName: name }));
    return true;
  } catch {
    return false;
  } finally {
    client.destroy();
  }
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
  const assembled = stacksIn(local);
  for (const region of new Set([REGION, ...assembled.map((stack) => stack.region)])) await bootstrap(place, region);
  const outputsFile = path.join(work, 'outputs.json');
  const stacks = options.stacks ?? ['--all'];
  const settings = [
    '--app',
    local,
    '--require-approval',
    'never',
    '--method',
    'direct',
    '--concurrency',
    '4',
    '--outputs-file',
    outputsFile,
  ];
  await cdk(place, work, ['deploy', ...stacks, ...settings, '--output', path.join(work, 'deployed')], DEPLOY_MS);
  const outputs = readOutputs(outputsFile);
  const unmade: Leftover[] = [];
  for (const stack of assembled)
    if (await isDeployed(place.endpoint, stack))
      unmade.push(...(await reconcile({ endpoint: place.endpoint, outputs, ...stack }, leftovers.get(stack.file) ?? [])));
  writeFileSync(path.join(work, 'not-made.json'), JSON.stringify(unmade, undefined, 2));
  const deployed = assembled.map(({ name, region, file }): [string, SynthesizedStack] => [
    name,
    { region, templateFile: path.join(synthesized, `${file}.template.json`) },
  ]);
  return { outputs, stacks: new Map(deployed) };
}
