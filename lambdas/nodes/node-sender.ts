import type { NodeCommandName } from '../contract/node-commands';
import type { Reading } from './read-result';

export interface Sent {
  readonly commandId: string;
  readonly instanceId: string;
}

/** Sends documents to nodes and reads what became of them. */
export interface NodeSender {
  /** undefined when the node is not one that Systems Manager reaches. */
  send(command: NodeCommandName, instanceId: string, parameters: Readonly<Record<string, string>>): Promise<Sent | undefined>;
  read<C extends NodeCommandName>(command: C, sent: Sent): Promise<Reading<C>>;
  /** Whether Systems Manager knows the node and hears of its agent. */
  isOnline(instanceId: string): Promise<boolean>;
  /** Asks the agent to end a document; it may have ended by then, and an agent that is away does not hear it. */
  cancel(sent: Sent): Promise<void>;
}
