import { z } from 'zod';
import type { NodeCommandName } from '../contract/node-commands';
import type { NodeOutcome, Reading } from './read-result';

/** What a runbook remembers of one document on one node while it waits for it. */
export const Attempt = z.object({
  commandId: z.string(),
  /** ISO 8601: when it was sent, for the last time. */
  since: z.iso.datetime(),
  /** How long it may run by what it was asked to do, seconds. */
  runSeconds: z.number().nonnegative(),
  /** ISO 8601: when nobody knew for the first time how it ended. */
  troubleSince: z.iso.datetime().optional(),
  /** ISO 8601: since when its node is away while it runs; it is over when the node is back. */
  awaySince: z.iso.datetime().optional(),
});
export type Attempt = Readonly<z.infer<typeof Attempt>>;

/** `cancel`: nobody waits any more for the copy that was sent, and its agent may still be about to run it. */
export type NextStep<C extends NodeCommandName> =
  | {
      readonly next: 'read' | 'send';
      readonly waitSeconds: number;
      readonly because: string;
      readonly attempt: Attempt;
      readonly cancel: boolean;
    }
  | { readonly next: 'over'; readonly outcome: NodeOutcome<C>; readonly cancel: boolean };

export interface Circumstances {
  /** How long a node is waited for that does not answer, seconds. */
  readonly silenceSeconds: number;
  /** Whether Systems Manager counts its agent among those that answer. That becomes wrong only minutes after the agent fell silent. */
  readonly online: boolean;
  readonly now: Date;
}

/**
 * An execution has room for 25,000 events (docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html), and each look at each node takes a
 * dozen: the longer a document has run, the less often it is looked at, so that an hour takes about a hundred looks.
 */
const lookAgain = (ranSeconds: number): number => Math.min(60, Math.max(1, Math.round(ranSeconds / 10)));
/** A node that was rebooted needs a while until its agent answers. */
const SEND_AGAIN_SECONDS = 5;
/** An agent takes a document within seconds, or it is not there. AWS itself goes on trying for this and the time limit of the document together. */
export const DELIVERY_SECONDS = 60;

/**
 * What to do after an answer of Systems Manager. Every document continues where it was stopped, so one whose end nobody knows is sent again:
 * its node was rebooted, or its agent was away. What a document itself calls a failure is final, except that another one still runs.
 */
export function nextStep<C extends NodeCommandName>(reading: Reading<C>, before: Attempt, around: Circumstances): NextStep<C> {
  if (reading.outcome === 'running') return whileItRuns(reading, before, around);
  const { awaySince: _over, ...attempt } = before;
  const busy = reading.outcome === 'failed' && reading.error === 'NodeBusy';
  if (!busy && reading.outcome !== 'garbled' && reading.outcome !== 'undeliverable')
    return { next: 'over', outcome: reading, cancel: false };
  const because = reading.outcome === 'failed' ? reading.message : reading.because;
  return again({ attempt, outcome: reading, because, cancel: false }, around);
}

/**
 * The status of a document stays InProgress when its node dies, until the agent is back and runs it again or calls it failed, or the time limit of
 * the document is over (docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html). Two signs come sooner: that Systems Manager
 * misses the agent, and that the document has neither been taken nor ended when it should.
 */
function whileItRuns<C extends NodeCommandName>(
  { because, delivered }: Extract<Reading<C>, { outcome: 'running' }>,
  { awaySince, ...attempt }: Attempt,
  { silenceSeconds, online, now }: Circumstances,
): NextStep<C> {
  const ran = secondsBetween(attempt.since, now);
  const limit = delivered ? attempt.runSeconds : DELIVERY_SECONDS;
  const wait = (left: number): number => Math.max(1, Math.min(lookAgain(ran), Math.ceil(left)));
  if (!online) {
    // One that took nothing was silent before Systems Manager said so.
    const since = awaySince ?? (delivered ? undefined : attempt.troubleSince) ?? now.toISOString();
    const left = silenceSeconds - secondsBetween(since, now);
    if (left > 0) return { next: 'read', waitSeconds: wait(left), because, attempt: { ...attempt, awaySince: since }, cancel: false };
    if (!delivered) return { next: 'over', outcome: { outcome: 'undeliverable', because: `its node is away (${because})` }, cancel: true };
    const gone = `its node is away, and may go on with it when it is back (${because})`;
    return { next: 'over', outcome: { outcome: 'lost', because: gone }, cancel: true };
  }
  const givenUp = !delivered && attempt.troubleSince !== undefined && secondsBetween(attempt.troubleSince, now) > silenceSeconds;
  if (ran < limit && !givenUp) return { next: 'read', waitSeconds: wait(limit - ran), because, attempt, cancel: false };
  const why = delivered ? `had not ended after ${limit} s` : `was not taken by its node after ${Math.round(ran)} s`;
  const outcome = { outcome: delivered ? 'timed-out' : 'undeliverable', because: `it ${why} (${because}) and was cancelled` } as const;
  return again({ attempt, outcome, because: outcome.because, cancel: true }, { silenceSeconds, now });
}

interface Trouble<C extends NodeCommandName> {
  readonly attempt: Attempt;
  readonly outcome: NodeOutcome<C>;
  readonly because: string;
  readonly cancel: boolean;
}

function again<C extends NodeCommandName>(
  { attempt, outcome, because, cancel }: Trouble<C>,
  { silenceSeconds, now }: Omit<Circumstances, 'online'>,
): NextStep<C> {
  const troubleSince = attempt.troubleSince ?? now.toISOString();
  if (secondsBetween(troubleSince, now) + SEND_AGAIN_SECONDS > silenceSeconds) return { next: 'over', outcome, cancel };
  return { next: 'send', waitSeconds: SEND_AGAIN_SECONDS, because, attempt: { ...attempt, troubleSince }, cancel };
}

const secondsBetween = (time: string, now: Date): number => (now.getTime() - Date.parse(time)) / 1000;
