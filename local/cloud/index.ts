import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startLocalNames } from '../dns';
import type { LocalNames } from '../dns';
import { freePort } from '../free-port';
import { alarmsOfStack } from './alarm-definition';
import type { AlarmVerdict } from './alarm-evaluator';
import { evaluateAlarms } from './alarm-evaluator';
import type { FunctionCall } from './call-log';
import { parseCallLog } from './call-log';
import type { ClientConfig } from './clients';
import { clientConfig } from './clients';
import type { DeployOptions, SynthesizedStack } from './deploy';
import { deployApp } from './deploy';
import type { DeployedStack } from './deployed-stack';
import { readStack } from './deployed-stack';
import { ACCOUNT_ID, REGION, startEmulator } from './emulator';
import type { StateMachine } from './executions';
import { failTask, stateMachine, succeedTask } from './executions';
import type { FaultProxy } from './fault-proxy';
import { startFaultProxy } from './fault-proxy';
import type { FunctionClock } from './function-clock';
import { functionClock } from './function-clock';
import type { ProcessRecord } from './function-processes';
import { killProcesses, peakRssMiB, processRecords, processesOf } from './function-processes';
import type { InvokeResult } from './invoke';
import { functionLogs, invoke } from './invoke';
import type { MetricPoint } from './metrics';
import { recordedMetrics } from './recorded-metrics';
import type { StackOutputs } from './template';
import type { Topic } from './topic';
import { topic } from './topic';

export type { AlarmState, AlarmVerdict } from './alarm-evaluator';
export type { FunctionCall } from './call-log';
export type { ClientConfig } from './clients';
export type { DeployOptions } from './deploy';
export type { DeployedStack } from './deployed-stack';
export type { Execution, ExecutionEnd, StateMachine, VisitedState } from './executions';
export type { Fault, FaultProxy } from './fault-proxy';
export type { FunctionClock } from './function-clock';
export type { ProcessRecord } from './function-processes';
export type { InvokeResult } from './invoke';
export type { MetricPoint } from './metrics';
export type { StackOutputs } from './template';
export type { PublishedMessage, Topic } from './topic';

/** An AWS account and region on this machine, with IAM enforced for functions. */
export interface LocalCloud {
  /** Where callers reach it, without the fault proxy. */
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** Everything it writes: logs, assemblies, call log. Deleted by `stop` unless it was given by the caller. */
  readonly folder: string;
  /** Tells the emulator which nodes Systems Manager reaches; local/nodes writes it. */
  readonly nodesFile: string;
  /** Stands between the functions and the cloud. */
  readonly faults: FaultProxy;
  /** Answers for the names in its hosted zones. */
  readonly names: LocalNames;
  /** What load balancers find of their targets, by the id of the target; one that is not named is healthy. */
  setTargetHealth(states: Readonly<Record<string, 'unhealthy' | 'initial' | 'draining'>>): void;
  /** S3's copying from bucket to bucket: what is written meanwhile waits, and is late. */
  readonly replication: { pause(): void; resume(): void };
  /** The time by which functions live. */
  readonly clock: FunctionClock;
  /** For any @aws-sdk client: `new S3Client(cloud.clientConfig())`; of another region than the cloud's when one is named. */
  clientConfig(region?: string): ClientConfig;
  deployApp(options: DeployOptions): Promise<{ readonly outputs: StackOutputs }>;
  /** A deployed stack as CDK synthesized it, and the names that its resources got. */
  stack(stackName: string): Promise<DeployedStack>;
  /** Synchronous; the default time limit is 15 minutes, the longest that a function may run. */
  invoke(functionName: string, payload?: unknown, options?: { readonly timeoutMs?: number }): Promise<InvokeResult>;
  logs(functionName: string): Promise<string[]>;
  stateMachine(arn: string): StateMachine;
  topic(arn: string): Topic;
  /** Answers a task that waits for its token. */
  succeedTask(token: string, output: unknown): Promise<void>;
  failTask(token: string, error: string, cause: string): Promise<void>;
  /** Every authorized call of the roles of functions and state machines so far. */
  calls(): FunctionCall[];
  /** What CloudWatch would hold by now of the functions: their own metrics, Lambda's errors, and the depth of queues at this moment. */
  metrics(): Promise<MetricPoint[]>;
  /** The state in which CloudWatch would have the alarms of a deployed stack, by name. */
  alarms(stackName: string, options?: AlarmOptions): Promise<ReadonlyMap<string, AlarmVerdict>>;
  /** MiB, or undefined when the function never ran. */
  peakRssMiB(functionName: string): number | undefined;
  /** What the processes of a function held after each call. */
  processRecords(functionName: string): ProcessRecord[];
  /** Ids of the processes of a function that live, those that wait for a call among them. */
  processesOf(functionName: string): number[];
  /** Kills the processes of a function, those that wait for a call among them; how many there were. */
  killFunction(functionName: string): number;
  stop(): Promise<void>;
}

export interface AlarmOptions {
  /** @default - this moment */
  readonly now?: Date;
  /** When the alarms begin to be evaluated. @default - the time of the first point */
  readonly since?: Date;
  /** Given what was recorded, to be moved in time where a clock was accelerated. @default - as it was recorded */
  readonly points?: (recorded: readonly MetricPoint[]) => readonly MetricPoint[];
}

export interface LocalCloudOptions {
  /** @default - a new temporary folder, deleted when the cloud is stopped */
  readonly folder?: string;
  /** @default - a free one */
  readonly port?: number;
  /** Whether functions pass the fault proxy; benchmarks do without, so that both sides talk to the same endpoint. @default true */
  readonly faultProxy?: boolean;
  /** Whether schedules start functions; without them nothing runs that was not asked for. @default true */
  readonly schedules?: boolean;
  /** By what the waits of state machines (Wait states, and between attempts) are multiplied. @default 1 */
  readonly waitScale?: number;
}

const LONGEST_INVOCATION_MS = 900_000;

/** Starts an empty cloud in about a second. The CDK bootstrap stack is made by the first deployment. */
export async function startLocalCloud(options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'lifeboat-cloud-'));
  mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freePort());
  const clock = functionClock(path.join(folder, 'clock.json'));
  const faults = await startFaultProxy(port, clock.now);
  const functionEndpoint = options.faultProxy === false ? `http://127.0.0.1:${port}` : faults.endpoint;
  const { schedules = true, waitScale = 1 } = options;
  const names = await startLocalNames(clientConfig(`http://127.0.0.1:${port}`));
  const nameServer = `${names.inside},${names.outside}`;
  const emulator = await startEmulator({ folder, port, functionEndpoint, schedules, waitScale, nameServer, clockFile: clock.file }).catch(
    async (error: unknown) => {
      await faults.stop();
      await names.stop();
      throw error;
    },
  );
  const config = clientConfig(emulator.endpoint);
  const place = { endpoint: emulator.endpoint, folder, bootstraps: new Map<string, Promise<void>>() };
  const stacks = new Map<string, SynthesizedStack>();
  const outputs: Record<string, StackOutputs[string]> = {};
  const stack = (name: string) => readStack({ endpoint: emulator.endpoint, name, outputs }, stacks.get(name));
  const metrics = () => recordedMetrics(config, emulator.runLog);
  return {
    endpoint: emulator.endpoint,
    region: REGION,
    accountId: ACCOUNT_ID,
    folder,
    nodesFile: emulator.nodesFile,
    faults,
    names,
    setTargetHealth: (states) => writeFileSync(emulator.targetHealth, JSON.stringify(states)),
    clock,
    replication: {
      pause: () => writeFileSync(emulator.replicationPause, ''),
      resume: () => rmSync(emulator.replicationPause, { force: true }),
    },
    clientConfig: (other = REGION) => clientConfig(emulator.endpoint, other),
    deployApp: async (deployment) => {
      const deployed = await deployApp(place, deployment);
      for (const [stackName, stack] of deployed.stacks) stacks.set(stackName, stack);
      Object.assign(outputs, deployed.outputs);
      return { outputs: deployed.outputs };
    },
    stack,
    invoke: (functionName, payload, { timeoutMs = LONGEST_INVOCATION_MS } = {}) => invoke(config, functionName, payload, timeoutMs),
    logs: (functionName) => functionLogs(config, functionName),
    stateMachine: (arn) => stateMachine(config, arn),
    topic: (arn) => topic(emulator.messageLog, arn),
    succeedTask: (token, output) => succeedTask(config, token, output),
    failTask: (token, error, cause) => failTask(config, token, error, cause),
    calls: () => parseCallLog(readFileSync(emulator.callLog, 'utf8')),
    metrics,
    alarms: async (stackName, { points, since, now }: AlarmOptions = {}) => {
      const definitions = alarmsOfStack(await stack(stackName));
      const recorded = await metrics();
      const verdicts = evaluateAlarms(definitions, points?.(recorded) ?? recorded, { since, now: now ?? new Date() });
      return new Map(verdicts.map((verdict) => [verdict.name, verdict]));
    },
    peakRssMiB: (functionName) => peakRssMiB(emulator.memoryFolder, functionName),
    processRecords: (functionName) => processRecords(emulator.memoryFolder, functionName),
    processesOf: (functionName) => processesOf(emulator.processFolder, functionName),
    killFunction: (functionName) => killProcesses(emulator.processFolder, functionName),
    stop: async () => {
      await emulator.stop();
      await faults.stop();
      await names.stop();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
