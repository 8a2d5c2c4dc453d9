import type { HistoryEvent } from '@aws-sdk/client-sfn';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { waitUntil } from '../child-process';
import type { ClientConfig } from './clients';

/** How an execution ended. */
export interface ExecutionEnd {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  /** Parsed; only one that succeeded has it. */
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

/** One stay in a state of the machine itself: what goes on inside of Map and Parallel states is not told. */
export interface VisitedState {
  readonly state: string;
  readonly enteredAt: Date;
  /** Missing while the execution is in the state, and when it ended there. */
  readonly exitedAt?: Date;
}

export interface Execution {
  readonly arn: string;
  readonly name: string;
  /**
   * Waits until it has ended; 60 seconds unless told otherwise.
   *
   * @throws with the states that it went through when it goes on after the time limit
   */
  wait(options?: { readonly timeoutMs?: number }): Promise<ExecutionEnd>;
  /** Waits until it enters a state, or ends; 60 seconds unless told otherwise. */
  enters(state: string, options?: { readonly timeoutMs?: number }): Promise<void>;
  hasEnded(): Promise<boolean>;
  /** Ends it as ABORTED. */
  stop(): Promise<void>;
  /** Lets one that failed, timed out or was stopped go on from the state that it was in. */
  redrive(): Promise<void>;
  /** The states that it went through, in order; one that was redriven is in it twice. */
  history(): Promise<VisitedState[]>;
  /** What the states that it entered were given, newest first. */
  inputs(): Promise<unknown[]>;
}

export interface StateMachine {
  readonly arn: string;
  start(input: unknown, name?: string): Promise<Execution>;
  /** One that somebody else started. */
  execution(arn: string): Execution;
}

const LONGEST_WAIT_MS = 60_000;

const run = async <T>(config: ClientConfig, work: (client: SFNClient) => Promise<T>): Promise<T> => {
  const client = new SFNClient(config);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
};

export const stateMachine = (config: ClientConfig, arn: string): StateMachine => ({
  arn,
  start: async (input, name) => {
    const started = await run(config, (client) =>
      client.send(new StartExecutionCommand({ stateMachineArn: arn, input: JSON.stringify(input), name })),
    );
    return execution(config, started.executionArn ?? '');
  },
  execution: (execArn) => execution(config, execArn),
});

/** One that goes on or has ended, by its ARN. */
function execution(config: ClientConfig, arn: string): Execution {
  const history = () => run(config, async (client) => visitedStates(await allEvents(client, arn)));
  const hasEnded = () =>
    run(config, async (client) => (await client.send(new DescribeExecutionCommand({ executionArn: arn }))).status !== 'RUNNING');
  return {
    arn,
    name: arn.split(':').at(-1) ?? '',
    wait: ({ timeoutMs = LONGEST_WAIT_MS } = {}) => run(config, (client) => waitForEnd(client, arn, timeoutMs, history)),
    enters: async (state, { timeoutMs = LONGEST_WAIT_MS } = {}) => {
      const entered = async () => (await history()).some((visited) => visited.state === state);
      await waitUntil(`${arn} enters ${state}`, timeoutMs, async () => (await entered()) || hasEnded(), 50);
    },
    hasEnded,
    stop: async () => {
      await run(config, (client) => client.send(new StopExecutionCommand({ executionArn: arn })));
    },
    redrive: async () => {
      await run(config, (client) => client.send(new RedriveExecutionCommand({ executionArn: arn })));
    },
    history,
    inputs: () => run(config, async (client) => inputsOf(await allEvents(client, arn))),
  };
}

async function waitForEnd(client: SFNClient, arn: string, timeoutMs: number, history: Execution['history']): Promise<ExecutionEnd> {
  const read = () => client.send(new DescribeExecutionCommand({ executionArn: arn }));
  await waitUntil(`the execution ${arn} ends`, timeoutMs, async () => (await read()).status !== 'RUNNING').catch(async (error: unknown) => {
    const states = (await history()).map(({ state }) => state).join(' > ');
    throw new Error(`${error instanceof Error ? error.message : String(error)}; it went through ${states}`, { cause: error });
  });
  const { status, output, error, cause } = await read();
  if (status !== 'SUCCEEDED' && status !== 'FAILED' && status !== 'TIMED_OUT' && status !== 'ABORTED')
    throw new Error(`the execution ${arn} is ${status} after it has ended`);
  return {
    status,
    ...(output === undefined ? {} : { output: JSON.parse(output) as unknown }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  };
}

async function allEvents(client: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, nextToken }));
    events.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return events;
}

function visitedStates(events: readonly HistoryEvent[]): VisitedState[] {
  const visited: VisitedState[] = [];
  for (const { timestamp = new Date(0), stateEnteredEventDetails: entered, stateExitedEventDetails: exited } of events) {
    if (entered?.name !== undefined) visited.push({ state: entered.name, enteredAt: timestamp });
    const last = visited.at(-1);
    if (exited?.name !== undefined && last !== undefined) visited.splice(-1, 1, { ...last, exitedAt: timestamp });
  }
  return visited;
}

const inputsOf = (events: readonly HistoryEvent[]): unknown[] =>
  events
    .flatMap(({ stateEnteredEventDetails: entered }) => (entered?.input === undefined ? [] : [JSON.parse(entered.input) as unknown]))
    .reverse();

/** Answers a task that waits for its token. */
export async function succeedTask(config: ClientConfig, taskToken: string, output: unknown): Promise<void> {
  await run(config, (client) => client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) })));
}

export async function failTask(config: ClientConfig, taskToken: string, error: string, cause: string): Promise<void> {
  await run(config, (client) => client.send(new SendTaskFailureCommand({ taskToken, error, cause })));
}
