import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { endProcess, sleep, tailOf } from '../child-process';
import { packageProgram, pythonPath } from '../tools';
import { PROCESS_FOLDER } from './function-processes';

/** Any twelve digits: used as an access key they are the root of that account. */
export const ACCOUNT_ID = '111111111111';
export const REGION = 'eu-central-1';

const READY_WITHIN_MS = 20_000;
/** With a hung invocation the emulator never ends by itself. */
const GRACE_MS = 4_000;

export interface EmulatorOptions {
  /** Folder for everything that this emulator writes. */
  readonly folder: string;
  /** Free port of 127.0.0.1 to listen on. */
  readonly port: number;
  /** See function-clock.ts. */
  readonly clockFile: string;
  /** What functions get as AWS_ENDPOINT_URL. */
  readonly functionEndpoint: string;
  /** Whether schedules start what they are for. */
  readonly schedules: boolean;
  /** Addresses of the name server inside the VPC and of that of public zones, with a comma between them. */
  readonly nameServer: string;
  /** By what the waits of state machines are multiplied. */
  readonly waitScale: number;
}

export interface Emulator {
  readonly endpoint: string;
  readonly logFile: string;
  /** One JSON line per call of a role, see emulator.py. */
  readonly callLog: string;
  /** One JSON line per attempt to run a function, see emulator.py. */
  readonly runLog: string;
  /** One JSON line per message that was published to a topic; there need not be any. */
  readonly messageLog: string;
  /** One `<function>.jsonl` per function, see bootstrap.cjs. */
  readonly memoryFolder: string;
  /** The nodes that Systems Manager reaches; there need not be any. */
  readonly nodesFile: string;
  /** By the id of a target the state that its balancer finds it in; there need not be any. */
  readonly targetHealth: string;
  /** While this file exists S3 copies nothing from bucket to bucket. */
  readonly replicationPause: string;
  /** One empty `<function>.<pid>` per process of a function that lives, or was killed. */
  readonly processFolder: string;
  stop(): Promise<void>;
}

/**
 * The whole environment: functions inherit it, so nothing of the caller's own may be in it, least of all AWS settings.
 * The first folder on PATH gives the functions Node 24.
 */
function environmentOf(options: EmulatorOptions, files: Omit<Emulator, 'endpoint' | 'stop' | 'logFile'>): NodeJS.ProcessEnv {
  return {
    PATH: [path.dirname(packageProgram('node')), '/usr/local/bin', '/usr/bin', '/bin'].join(path.delimiter),
    HOME: options.folder,
    TMPDIR: path.join(options.folder, 'tmp'),
    LANG: 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(options.port),
    AWS_ENDPOINT_URL: options.functionEndpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    MINISTACK_ACCOUNT_ID: ACCOUNT_ID,
    MINISTACK_REGION: REGION,
    AUTH: 'true',
    // Listeners that this project has no use for; some of them ignore BIND_HOST.
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LIFEBOAT_SCHEDULES: options.schedules ? 'on' : 'off',
    SFN_WAIT_SCALE: String(options.waitScale),
    LIFEBOAT_LIFELINE: '1',
    LIFEBOAT_CALL_LOG: files.callLog,
    LIFEBOAT_RUN_LOG: files.runLog,
    LIFEBOAT_MESSAGE_LOG: files.messageLog,
    LIFEBOAT_LOCAL_MEMORY_DIR: files.memoryFolder,
    LIFEBOAT_NODES_FILE: files.nodesFile,
    LIFEBOAT_TARGET_HEALTH: files.targetHealth,
    LIFEBOAT_LOCAL_DNS: options.nameServer,
    LIFEBOAT_REPLICATION_PAUSE: files.replicationPause,
    [PROCESS_FOLDER]: files.processFolder,
    LIFEBOAT_LOCAL_CLOCK: options.clockFile,
  };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

async function waitUntilReady(child: ChildProcess, endpoint: string, logFile: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await answers(endpoint))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline)
      throw new Error(`the AWS emulator ${ended ? 'ended' : 'did not get ready'}, its log ${logFile} says:\n${tailOf(logFile)}`);
    await sleep(50);
  }
}

/** Starts the emulator on loopback and waits until it answers. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const files = {
    logFile: path.join(options.folder, 'emulator.log'),
    callLog: path.join(options.folder, 'calls.jsonl'),
    runLog: path.join(options.folder, 'runs.jsonl'),
    messageLog: path.join(options.folder, 'messages.jsonl'),
    memoryFolder: path.join(options.folder, 'memory'),
    nodesFile: path.join(options.folder, 'nodes.json'),
    targetHealth: path.join(options.folder, 'target-health.json'),
    replicationPause: path.join(options.folder, 'replication-is-paused'),
    processFolder: path.join(options.folder, 'processes'),
  };
  for (const folder of [files.memoryFolder, files.processFolder, path.join(options.folder, 'tmp')]) mkdirSync(folder, { recursive: true });
  const log = openSync(files.logFile, 'a');
  const child = spawn(pythonPath(), [path.join(__dirname, 'emulator.py')], {
    cwd: options.folder,
    env: environmentOf(options, files),
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const endpoint = `http://127.0.0.1:${options.port}`;
  const stop = () => endProcess(child, GRACE_MS);
  try {
    await waitUntilReady(child, endpoint, files.logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, ...files, stop };
}
