import { createHash } from 'node:crypto';
import { approvedByPerson } from '../authorities/approval';
import type { FaultKind } from '../authorities/faults';
import type { AccountsRotation, AuthorityRotation } from '../contract/authority-rotation';
import type { Exchangeable } from '../contract/certificate-names';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { approvalWays, askPeople, finish, halt } from './tell';

/** A Wait of a quarter of an hour: a week of it is 7,400 events of a history, which may have 25,000. */
const LONGEST_WAIT_SECONDS = 900;
/** Between two looks at gates that are shut, at first. */
export const LOOK_SECONDS = 15;
/** The same where a person is waited for who has approved before; a quarter of an hour in the end. */
export const SELDOM_SECONDS = 225;
/** So long a gate may stay shut that only work can open, before somebody is called. */
const SHUT_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** So long somebody is waited for who approves. */
const APPROVAL_SECONDS = 14 * DAY_SECONDS;

type Waiting = AuthorityRotation | AccountsRotation;

/**
 * Seconds for which nobody has to be asked anything: everything else was proven in this state a day ago at most, and only time or a person is missing.
 *
 * Undefined where there is something to look at.
 *
 * @param until when the time of the present state is over
 */
export function patience(now: Date, { waiting }: ExchangeState, until: Date, rotation: Waiting): number | undefined {
  if (waiting === undefined || waiting.forWhat !== gatesOf(rotation)) return undefined;
  const { kind, lookedAt = waiting.since } = waiting;
  if (kind === 'work') return undefined;
  // Nodes, and what hides the old generation, may be others by now.
  if (now.getTime() / 1_000 - lookedAt >= DAY_SECONDS) return undefined;
  const left = Math.ceil((until.getTime() - now.getTime()) / 1_000);
  if (left > 0) return Math.min(LONGEST_WAIT_SECONDS, left);
  // Who is to approve is asked for it once the time is over, after another look.
  if (approvedByPerson(rotation) || rotation.abortRequested !== undefined || kind !== 'approval') return undefined;
  const since = now.getTime() / 1_000 - (waiting.asked?.first ?? waiting.since);
  if (since > APPROVAL_SECONDS) return undefined;
  return since < 3_600 ? 60 : LONGEST_WAIT_SECONDS;
}

/** So long after the beginning the same is looked for less and less often, down to a quarter. */
const BRISK_SECONDS = 300;
const slower = (seconds: number, since: number): number => Math.round(seconds * Math.min(4, Math.max(1, since / BRISK_SECONDS)));

type Gated = Pick<Waiting, 'state' | 'abortRequested'> & Pick<AuthorityRotation, 'crossDroppedAt'>;

/** What is waited for in a state. */
export const gatesOf = ({ state, abortRequested, crossDroppedAt }: Gated): string =>
  `gates of ${state}${crossDroppedAt === undefined ? '' : ', without the cross certificate'}${abortRequested === undefined ? '' : ', on the way back'}`;

export interface Waited {
  readonly what: string;
  readonly because: readonly string[];
  /** @default 'work' */
  readonly kind?: FaultKind;
  /** What whoever approves sees to, in words that stay the same. @default - `because` */
  readonly named?: readonly string[];
  /** Whether it was approved before, and who is refused since then is what people are asked about. @default false */
  readonly again?: boolean;
}

/**
 * Waits for the same only so long; then somebody is called, and everything stays as it is.
 *
 * @param seconds at first
 */
export async function waitFor(
  edges: ExchangeEdges,
  state: ExchangeState,
  authority: Exchangeable,
  { what: forWhat, because, kind = 'work', named = because, again = false }: Waited,
  act: 'look' | 'step',
  seconds: number,
): Promise<Act> {
  const now = Math.floor(edges.now().getTime() / 1_000);
  const { waiting: before } = state;
  const first = before?.forWhat !== forWhat || before.kind !== kind;
  const askedBefore = before?.forWhat === forWhat ? before.asked : undefined;
  const asks = kind === 'approval' && isToBeAsked(askedBefore, named, now);
  const asked = asks ? askedNow(askedBefore, named, now) : askedBefore;
  const waiting = {
    ...{ forWhat, kind, since: first ? now : before.since, lookedAt: now, because: [...new Set(because)].slice(0, 20) },
    ...(asked && { asked }),
  };
  const waited = { ...state, waiting };
  if (first) edges.telemetry.log('exchange-waits', { authority, rotation: state.rotation, ...waiting });
  const since = now - waiting.since;
  if (kind === 'work' && since > SHUT_SECONDS) return halt(edges, waited, authority, because);
  if (asks) await askPeople(edges, state, authority, because, again);
  if (kind === 'approval' && now - (asked?.first ?? now) > APPROVAL_SECONDS)
    return finish(edges, waited, 'AWAITS_APPROVAL', 'nobody approved, and this execution waits no longer', approvalWays(state));
  return goOn(act, slower(seconds, since), waited);
}

type Asked = NonNullable<NonNullable<ExchangeState['waiting']>['asked']>;

/** So many lines are known for those about which people were asked. */
const MOST_ASKED = 300;
const about = (named: readonly string[]): string[] =>
  named.slice(0, MOST_ASKED).map((line) => createHash('sha256').update(line).digest('hex').slice(0, 12));

/** People are asked once, again each day, and about whatever has come since: who approves takes all of it upon himself. */
const isToBeAsked = (asked: Asked | undefined, named: readonly string[], now: number): boolean =>
  asked === undefined || now - asked.last >= DAY_SECONDS || about(named).some((line) => !asked.about.includes(line));

function askedNow(before: Asked | undefined, named: readonly string[], now: number): Asked {
  const all = [...new Set([...about(named), ...(before?.about ?? [])])].slice(0, MOST_ASKED);
  return { first: before?.first ?? now, last: now, about: all };
}
