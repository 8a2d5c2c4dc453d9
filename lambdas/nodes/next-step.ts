import { z } from 'zod';
import type { NodeCommandName } from '../contract/node-commands';
import type { NodeOutcome, Reading } from './read-result';

/** What a runbook remembers of one document on one node while it waits for it. */
export const Attempt = z.object({
  commandId: z.string(),
  /** ISO 8601: when it was sent for the first time. */
  since: z.iso.datetime(),
  /** ISO 8601: when nobody knew for the first time how it ended. */
  troubleSince: z.iso.datetime().optional(),
});
export type Attempt = Readonly<z.infer<typeof Attempt>>;

export type NextStep<C extends NodeCommandName> =
  | { readonly next: 'read' | 'send'; readonly waitSeconds: number; readonly because: string; readonly attempt: Attempt }
  | { readonly next: 'cancel'; readonly because: string }
  | { readonly next: 'over'; readonly outcome: NodeOutcome<C> };

export interface Patience {
  /** How long a document may run, seconds. Its agent ends it then; one whose agent is gone would run for ever. */
  readonly runSeconds: number;
  /** How long a node is waited for that does not answer, seconds. */
  readonly silenceSeconds: number;
}

/**
 * An execution has room for 25,000 events (docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html), and each look at each node takes a
 * dozen: the longer a document has run, the less often it is looked at, so that an hour takes about a hundred looks.
 */
const lookAgain = (ranSeconds: number): number => Math.min(60, Math.max(1, Math.round(ranSeconds / 10)));
/** A node that was rebooted needs a while until its agent answers. */
const SEND_AGAIN_SECONDS = 5;

/**
 * What to do after an answer of Systems Manager. Every document continues where it was stopped, so one whose end nobody knows is sent again:
 * its node was rebooted, or its agent was away. What a document itself calls a failure is final, except that another one still runs.
 */
export function nextStep<C extends NodeCommandName>(
  reading: Reading<C>,
  attempt: Attempt,
  { runSeconds, silenceSeconds }: Patience,
  now: Date,
): NextStep<C> {
  const secondsSince = (time: string): number => (now.getTime() - Date.parse(time)) / 1000;
  if (reading.outcome === 'running') {
    const { because } = reading;
    if (secondsSince(attempt.since) > runSeconds + silenceSeconds) return { next: 'cancel', because };
    return { next: 'read', waitSeconds: lookAgain(secondsSince(attempt.since)), because, attempt };
  }
  const busy = reading.outcome === 'failed' && reading.error === 'NodeBusy';
  if (!busy && reading.outcome !== 'garbled' && reading.outcome !== 'undeliverable') return { next: 'over', outcome: reading };
  const troubleSince = attempt.troubleSince ?? now.toISOString();
  if (secondsSince(troubleSince) + SEND_AGAIN_SECONDS > silenceSeconds) return { next: 'over', outcome: reading };
  const because = reading.outcome === 'failed' ? reading.message : reading.because;
  return { next: 'send', waitSeconds: SEND_AGAIN_SECONDS, because, attempt: { ...attempt, troubleSince } };
}
