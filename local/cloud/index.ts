import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../free-port';
import type { FunctionCall } from './call-log';
import { parseCallLog } from './call-log';
import type { ClientConfig } from './clients';
import { clientConfig } from './clients';
import type { DeployOptions, StackOutputs } from './deploy';
import { bootstrap, deployApp } from './deploy';
import { ACCOUNT_ID, REGION, startEmulator } from './emulator';
import type { FaultProxy } from './fault-proxy';
import { startFaultProxy } from './fault-proxy';
import type { FunctionClock } from './function-clock';
import { functionClock } from './function-clock';
import type { ProcessRecord } from './function-processes';
import { killProcesses, peakRssMiB, processRecords } from './function-processes';
import type { InvokeResult } from './invoke';
import { functionLogs, invoke } from './invoke';

export type { FunctionCall } from './call-log';
export type { ClientConfig } from './clients';
export type { DeployOptions, StackOutputs } from './deploy';
export type { Fault, FaultProxy } from './fault-proxy';
export type { FunctionClock } from './function-clock';
export type { ProcessRecord } from './function-processes';
export type { InvokeResult } from './invoke';

/** An AWS account and region on this machine, with IAM enforced for functions. */
export interface LocalCloud {
  /** Where callers reach it, without the fault proxy. */
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** Everything it writes: logs, assemblies, call log. Deleted by `stop` unless it was given by the caller. */
  readonly folder: string;
  /** Stands between the functions and the cloud. */
  readonly faults: FaultProxy;
  /** The time by which functions live. */
  readonly clock: FunctionClock;
  /** For any @aws-sdk client: `new S3Client(cloud.clientConfig())`. */
  clientConfig(): ClientConfig;
  deployApp(options: DeployOptions): Promise<{ readonly outputs: StackOutputs }>;
  /** Synchronous; the default time limit is 15 minutes, the longest that a function may run. */
  invoke(functionName: string, payload?: unknown, options?: { readonly timeoutMs?: number }): Promise<InvokeResult>;
  logs(functionName: string): Promise<string[]>;
  /** Every authorized call of the functions' roles so far. */
  calls(): FunctionCall[];
  /** MiB, or undefined when the function never ran. */
  peakRssMiB(functionName: string): number | undefined;
  /** What the processes of a function held after each call. */
  processRecords(functionName: string): ProcessRecord[];
  /** Kills the processes of a function, those that wait for a call among them; how many there were. */
  killFunction(functionName: string): number;
  stop(): Promise<void>;
}

export interface LocalCloudOptions {
  /** @default - a new temporary folder, deleted when the cloud is stopped */
  readonly folder?: string;
  /** @default - a free one */
  readonly port?: number;
  /** Whether functions pass the fault proxy; benchmarks do without, so that both sides talk to the same endpoint. @default true */
  readonly faultProxy?: boolean;
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
  const emulator = await startEmulator({ folder, port, functionEndpoint, clockFile: clock.file }).catch(async (error: unknown) => {
    await faults.stop();
    throw error;
  });
  const config = clientConfig(emulator.endpoint);
  const place = { endpoint: emulator.endpoint, folder };
  let bootstrapped: Promise<void> | undefined;
  return {
    endpoint: emulator.endpoint,
    region: REGION,
    accountId: ACCOUNT_ID,
    folder,
    faults,
    clock,
    clientConfig: () => config,
    deployApp: async (deployment) => {
      await (bootstrapped ??= bootstrap(place));
      return { outputs: await deployApp(place, deployment) };
    },
    invoke: (functionName, payload, { timeoutMs = LONGEST_INVOCATION_MS } = {}) => invoke(config, functionName, payload, timeoutMs),
    logs: (functionName) => functionLogs(config, functionName),
    calls: () => parseCallLog(readFileSync(emulator.callLog, 'utf8')),
    peakRssMiB: (functionName) => peakRssMiB(emulator.memoryFolder, functionName),
    processRecords: (functionName) => processRecords(emulator.memoryFolder, functionName),
    killFunction: (functionName) => killProcesses(emulator.processFolder, functionName),
    stop: async () => {
      await emulator.stop();
      await faults.stop();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
