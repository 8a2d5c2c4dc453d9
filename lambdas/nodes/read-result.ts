import { NodeCommands, NodeFailure } from '../contract/node-commands';
import type { NodeCommandName, NodeResultOf } from '../contract/node-commands';

/** What Systems Manager says of one document on one node: GetCommandInvocation, or the same fields in a state machine. */
export interface Invocation {
  readonly status: string;
  readonly statusDetails: string;
  /** -1 while it has not run. */
  readonly responseCode: number;
  /** The first 24,000 characters. */
  readonly stdout: string;
  readonly stderr: string;
}

/** How a document ended on a node. */
export type NodeOutcome<C extends NodeCommandName> =
  | { readonly outcome: 'done'; readonly result: NodeResultOf<C> }
  /** The document says so itself: what is wrong, and what to do. */
  | { readonly outcome: 'failed'; readonly error: NodeFailure['error']; readonly message: string; readonly fix: string }
  /** It may have done anything up to its end: ask `facts`. */
  | { readonly outcome: 'timed-out'; readonly because: string }
  /** Its node went away while it ran: ask `facts` when it is back. The agent may go on with it then. */
  | { readonly outcome: 'lost'; readonly because: string }
  /** It never ran. */
  | { readonly outcome: 'undeliverable'; readonly because: string }
  /** It ended without a result, as when the node was rebooted: ask `facts`. */
  | { readonly outcome: 'garbled'; readonly because: string };

/** `delivered`: whether the agent has taken it. */
export type Reading<C extends NodeCommandName> =
  NodeOutcome<C> | { readonly outcome: 'running'; readonly delivered: boolean; readonly because: string };

/** Delivery that has not been given up yet counts as running: https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html */
const UNDERWAY: ReadonlySet<string> = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);
const NOT_TAKEN_YET: ReadonlySet<string> = new Set(['Pending', 'Delayed']);
const NEVER_RAN: ReadonlySet<string> = new Set(['Undeliverable', 'Terminated', 'DeliveryTimedOut', 'InvalidPlatform', 'AccessDenied']);
const CUT_SHORT: ReadonlySet<string> = new Set(['TimedOut', 'ExecutionTimedOut', 'Cancelled', 'Canceled']);

/** The longest end of an output that a message holds. */
const TAIL = 300;

/** Judges one answer of Systems Manager. A result that the document printed is worth more than any status. */
export function readInvocation<C extends NodeCommandName>(command: C, invocation: Invocation): Reading<C> {
  const { status, stdout } = invocation;
  // AWS writes some of them with blanks: `Delivery Timed Out`.
  const details = (invocation.statusDetails || status).replaceAll(' ', '');
  if (UNDERWAY.has(status))
    return { outcome: 'running', delivered: !NOT_TAKEN_YET.has(status) && !NOT_TAKEN_YET.has(details), because: status };
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  const printed = jsonOf(line);
  const failure = NodeFailure.safeParse(printed);
  if (failure.success && failure.data.command === command) {
    const { error, message, fix } = failure.data;
    return { outcome: 'failed', error, message, fix };
  }
  const shown = line === '' ? invocation.stderr.trimEnd().slice(-TAIL) : line.slice(-TAIL);
  if (isSuccessOf(command, printed)) {
    const result = NodeCommands[command].result.safeParse(printed);
    if (result.success) return { outcome: 'done', result: result.data as NodeResultOf<C> };
    const fields = result.error.issues.map((issue) => issue.path.join('.')).join(', ');
    return {
      outcome: 'garbled',
      because: `${command} printed a result whose ${fields} does not fit: deploy the stack and its documents again`,
    };
  }
  if (NEVER_RAN.has(details))
    return { outcome: 'undeliverable', because: `${command} was not delivered (${details}): see that the agent runs` };
  if (CUT_SHORT.has(details) || CUT_SHORT.has(status)) return { outcome: 'timed-out', because: `${command} was cut short (${details})` };
  return {
    outcome: 'garbled',
    because: `${command} ended as ${details} (${invocation.responseCode}) without a result; its last words: ${shown}`,
  };
}

function isSuccessOf(command: string, printed: unknown): boolean {
  return (
    typeof printed === 'object' &&
    printed !== null &&
    'ok' in printed &&
    printed.ok === true &&
    'command' in printed &&
    printed.command === command
  );
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // a line that is not JSON is judged like none
  }
}
