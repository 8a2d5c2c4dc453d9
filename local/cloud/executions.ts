import {
  DescribeExecutionCommand,
  RedriveExecutionCommand,
  SFNClient,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
  paginateGetExecutionHistory,
} from '@aws-sdk/client-sfn';
import { waitUntil } from '../child-process';
import type { ClientConfig } from './clients';

/** How an execution ended. */
export interface ExecutionEnd {
  readonly status: string;
  readonly output: unknown;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

/** One run of a deployed state machine. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  /** Waits until it has ended, however. */
  end(options?: { readonly timeoutMs?: number }): Promise<ExecutionEnd>;
  /** Waits until it enters a state, or ends. */
  enters(state: string, options?: { readonly timeoutMs?: number }): Promise<void>;
  /** The states that it entered so far, those inside of maps too. */
  states(): Promise<string[]>;
  /** Everything that its history holds, as text. */
  history(): Promise<string>;
  stop(): Promise<void>;
  /** Continues it from the state that it had entered last. */
  redrive(): Promise<void>;
}

/** A deployed state machine, and the answers that its executions wait for. */
export interface StateMachineDoor {
  start(input: unknown, name?: string): Promise<Execution>;
  succeedTask(token: string, output: unknown): Promise<void>;
  failTask(token: string, error: string, cause: string): Promise<void>;
}

const LONGEST_MS = 600_000;

export function openStateMachine(config: ClientConfig, stateMachineArn: string): StateMachineDoor {
  const client = new SFNClient(config);
  return {
    start: async (input, name) => {
      const { executionArn = '' } = await client.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input), name }));
      return openExecution(client, executionArn);
    },
    succeedTask: async (taskToken, output) => {
      await client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }));
    },
    failTask: async (taskToken, error, cause) => {
      await client.send(new SendTaskFailureCommand({ taskToken, error, cause }));
    },
  };
}

function openExecution(client: SFNClient, executionArn: string): Execution {
  const describe = () => client.send(new DescribeExecutionCommand({ executionArn }));
  const hasEnded = async () => (await describe()).status !== 'RUNNING';
  const events = async () => {
    const found = [];
    for await (const { events = [] } of paginateGetExecutionHistory({ client }, { executionArn })) found.push(...events);
    return found;
  };
  const states = async () => (await events()).flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []);
  return {
    arn: executionArn,
    name: executionArn.split(':').at(-1) ?? '',
    end: async ({ timeoutMs = LONGEST_MS } = {}) => {
      await waitUntil(`execution ${executionArn} ends`, timeoutMs, hasEnded, 100);
      const { status = '', output, error, cause } = await describe();
      return { status, output: output === undefined ? undefined : (JSON.parse(output) as unknown), error, cause };
    },
    enters: (state, { timeoutMs = LONGEST_MS } = {}) =>
      waitUntil(`${executionArn} enters ${state}`, timeoutMs, async () => (await states()).includes(state) || hasEnded(), 50),
    states,
    history: async () => JSON.stringify(await events()),
    stop: async () => {
      await client.send(new StopExecutionCommand({ executionArn }));
    },
    redrive: async () => {
      await client.send(new RedriveExecutionCommand({ executionArn }));
    },
  };
}
