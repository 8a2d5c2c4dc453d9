import type { AuthorityRotation, RotationMode, RotationState } from '../contract/authority-rotation';
import { SECRET_BYTES } from '../contract/certificates';
import type { AuthoritySecret, Generation } from '../contract/certificates';
import { shortId } from '../contract/short-id';
import { inspect } from '../pki/inspect';
import { GenerationRefused } from './errors';
import { few } from './approval-names';
import { readMinted } from './minted';
import type { Minted } from './minted';
import { stateAfter, stateBefore } from './rotation-path';
import type { PathState } from './rotation-path';
import { servedCross, signingIn } from './trust';

export type { Minted } from './minted';
export { issuingIn, trustedIn } from './trust';

interface Begin {
  readonly id: string;
  readonly mode: RotationMode;
  readonly now: Date;
  /** The host of the control-plane node that distrusts first. */
  readonly canary?: string;
  /** How long both are served, seconds. */
  readonly soakSeconds?: number;
  /** How long one place alone distrusts, seconds. */
  readonly canarySeconds?: number;
  /** How the cluster was. */
  readonly before?: NonNullable<AuthorityRotation['before']>;
  /** What nobody here can see to. */
  readonly named?: readonly string[];
  /** The execution that drives it. */
  readonly driver?: string;
}

/** Which rotation is meant, so that one that was cut off does nothing to another; and when. */
export interface Step {
  readonly rotation: string;
  readonly now: Date;
}

/**
 * Notes the next generation. It is distributed to nobody and signs nothing by that.
 *
 * A rotation mints once: repeated, with whatever pair, the document stays as it is, also after the rotation was closed.
 *
 * @throws GenerationRefused when another rotation is under way, when what was minted does not fit its predecessor, or no room is left for it
 */
export function mintNext(document: AuthoritySecret, minted: Minted, { id, mode, now, named, ...how }: Begin): AuthoritySecret {
  const { rotation: current, authority } = document;
  if (current !== undefined && (current.id !== id || current.mode !== mode))
    throw new GenerationRefused(
      `rotation ${current.id} (${current.mode}) of the ${authority} authority is ${current.state} since ${current.stateSince}: let it end, or abort it, before ${id} (${mode}) begins`,
    );
  if (current !== undefined || document.generations.some(({ mintedFor }) => mintedFor === id)) return document;
  const old = signerOf(document);
  const at = now.toISOString();
  const next = { ...readMinted(minted, document, old, mode), since: at, state: 'next' as const, mintedAt: at, mintedFor: id };
  const { turnedBack: _, ...present } = document;
  const made: AuthoritySecret = {
    ...present,
    generations: [...document.generations.map((each) => (each.id === old.id ? { ...each, state: 'issuing' as const } : each)), next],
    rotation: {
      id,
      mode,
      since: at,
      from: old.id,
      to: next.id,
      state: 'MINTED',
      stateSince: at,
      ...how,
      ...(named && { named: few(named) }),
    },
  };
  const bytes = Buffer.byteLength(JSON.stringify(made));
  if (bytes > SECRET_BYTES)
    throw new GenerationRefused(
      `the secret of the ${authority} authority would have ${bytes} bytes with ${made.generations.length} generations, and may have ${SECRET_BYTES}: prune closed generations first`,
    );
  return made;
}

/**
 * Notes the next state of the rotation. A repetition changes nothing; no state is left out, whoever asks.
 *
 * @throws GenerationRefused when it is not the next one, was not approved, or the rotation is being aborted
 */
export function advanceTo(document: AuthoritySecret, state: RotationState, step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  if (rotation.state === state) return document;
  const told = tell(document, rotation);
  if (rotation.abortRequested !== undefined)
    throw new GenerationRefused(`${told}, and ${rotation.abortRequested.by} asked to abort it: it goes back and not to ${state}`);
  const next = stateAfter(rotation.mode, rotation.state);
  if (next !== state) throw new GenerationRefused(`${told}, after which comes ${next ?? 'closing it'} and not ${state}: go one by one`);
  if (state === 'DISTRUST-CANARY' && rotation.approvedBy === undefined)
    throw new GenerationRefused(`${told}, and nobody approved that the old generation is distrusted: approve it first`);
  const moved = enter(document, rotation, state, step);
  return state === 'DISTRUSTED' ? { ...moved, generations: change(moved, rotation.from, { distrustedAt: step.now.toISOString() }) } : moved;
}

/** Notes which execution drives it from now on. @throws GenerationRefused */
export function driveBy(document: AuthoritySecret, driver: string, step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  return rotation.driver === driver ? document : { ...document, rotation: { ...rotation, driver } };
}

/** Notes that the rotation is to go back, step by step; the first one who asks stays. @throws GenerationRefused where there is no way back */
export function requestAbort(document: AuthoritySecret, by: string, because: string, step: Step): AuthoritySecret {
  const rotation = underWay(document, step);
  if (rotation.abortRequested !== undefined) return document;
  requireWayBack(document, rotation);
  const { approvedBy: _by, approval: _approval, refusalsSeen: _seen, ...rest } = rotation;
  return { ...document, rotation: { ...rest, abortRequested: { by, at: step.now.toISOString(), because, in: rotation.state } } };
}

/**
 * Notes that the rotation went one state back. At `STEADY` the generation that was to come is forgotten with its key: the document is then as
 * before the rotation, but for who turned it back. A repetition changes nothing.
 *
 * @throws GenerationRefused when nobody asked for it, or this is not where the way back leads
 */
export function abortTo(document: AuthoritySecret, state: PathState, step: Step): AuthoritySecret {
  if (state === 'STEADY' && document.rotation === undefined) return document;
  const rotation = underWay(document, step);
  if (rotation.state === state) return document;
  if (rotation.abortRequested === undefined)
    throw new GenerationRefused(`${tell(document, rotation)}, and nobody asked to abort it: ask for that before it goes back to ${state}`);
  const back = requireWayBack(document, rotation);
  if (back !== state) throw new GenerationRefused(`${tell(document, rotation)}, from where it goes back to ${back} and not to ${state}`);
  if (state !== 'STEADY') return enter(document, rotation, state, step);
  const { rotation: _, ...rest } = document;
  const kept = document.generations.filter(({ id }) => id !== rotation.to);
  const { by, because } = rotation.abortRequested;
  const turnedBack = { rotation: rotation.id, by, because, at: step.now.toISOString() };
  return { ...rest, turnedBack, generations: kept.map((each) => (each.id === rotation.from ? trustedAgain(each) : each)) };
}

/**
 * Ends a rotation: the old generation's key is destroyed, and its certificate stays for the snapshots that were taken while it was trusted.
 * A repetition changes nothing. The key of what signs is never destroyed.
 *
 * @throws GenerationRefused before the old generation was distrusted
 */
export function close(document: AuthoritySecret, step: Step): AuthoritySecret {
  const closed = document.rotation === undefined && document.generations.some(({ mintedFor }) => mintedFor === step.rotation);
  if (closed) return document;
  const { rotation: ended, ...rest } = document;
  const rotation = underWay(document, step);
  const told = tell(document, rotation);
  if (rotation.state !== 'DISTRUSTED' || ended === undefined)
    throw new GenerationRefused(`${told}, and only a distrusted generation is closed: its key may be needed to go back`);
  if (rotation.abortRequested !== undefined)
    throw new GenerationRefused(
      `${told}, and ${rotation.abortRequested.by} asked to abort it: let it go back, or its keys are needed and gone`,
    );
  if (servedCross(document) !== undefined)
    throw new GenerationRefused(
      `${told}, and the cross certificate is still served: stop to serve it first, or nobody could turn back who needs it`,
    );
  if (document.issuing !== rotation.to)
    throw new GenerationRefused(`${told}, and ${shortId(document.issuing)} signs, whose key must stay: mend the document of the secret`);
  const at = step.now.toISOString();
  const generations = change(document, rotation.from, { state: 'closed', closedAt: at }).map((each) => {
    if (each.id !== rotation.from) return each;
    const { key: _, ...kept } = each;
    return kept;
  });
  return { ...rest, generations };
}

/** The number in the name of the next generation: none that was there before comes again, also where that was pruned. @throws PkiUnusable */
export function nextNumber({ generations }: Pick<AuthoritySecret, 'generations'>): number {
  const numbers = generations.map(({ certificate }) => Number(/-g(\d+)-[0-9a-f]{8}$/.exec(inspect(certificate).subject.text)?.[1] ?? 1));
  return Math.max(generations.length, ...numbers) + 1;
}

/** The generation that signs. @throws GenerationRefused for a document that names none of its own */
export function signerOf(document: AuthoritySecret): Generation {
  const { authority, issuing } = document;
  const found = signingIn(document);
  if (found !== undefined) return found;
  throw new GenerationRefused(
    `the secret of the ${authority} authority says that ${shortId(issuing)} signs, which is none of its generations: mend its field issuing`,
  );
}

function enter(
  document: AuthoritySecret,
  { crossDroppedAt: _, named, ...rotation }: AuthorityRotation,
  state: RotationState,
  { now }: Step,
): AuthoritySecret {
  // From there on it is about whoever is refused, and no more about what was named before.
  const still = state === 'DISTRUST-CANARY' || named === undefined ? {} : { named };
  const nextSigns = state !== 'MINTED' && state !== 'TRUSTED';
  const issuing = nextSigns ? rotation.to : rotation.from;
  const states = nextSigns ? (['outgoing', 'issuing'] as const) : (['issuing', 'next'] as const);
  const generations = document.generations.map((each): Generation => {
    if (each.id === rotation.from) return { ...each, state: states[0] };
    return each.id === rotation.to ? { ...each, state: states[1] } : each;
  });
  const at = now.toISOString();
  const distrusts = state === 'DISTRUST-CANARY' || state === 'DISTRUSTED';
  const distrustBegan = rotation.distrustBegan ?? (distrusts ? at : undefined);
  return {
    ...document,
    generations,
    issuing,
    rotation: { ...rotation, ...still, state, stateSince: at, ...(distrustBegan !== undefined && { distrustBegan }) },
  };
}

function trustedAgain({ distrustedAt: _, ...generation }: Generation): Generation {
  return generation;
}

const change = ({ generations }: AuthoritySecret, id: string, by: Partial<Generation>): Generation[] =>
  generations.map((each) => (each.id === id ? { ...each, ...by } : each));

/** The rotation that a step is about. @throws GenerationRefused where another is under way, or none */
export function underWay({ authority, rotation }: AuthoritySecret, step: Step): AuthorityRotation {
  if (rotation?.id === step.rotation) return rotation;
  const found = rotation === undefined ? 'no rotation is' : `${rotation.id} is`;
  throw new GenerationRefused(`${found} under way for the ${authority} authority, and not ${step.rotation}: plan the rotation anew`);
}

function requireWayBack(document: AuthoritySecret, rotation: AuthorityRotation): PathState {
  const back = stateBefore(rotation.mode, rotation.state);
  if (back !== undefined) return back;
  throw new GenerationRefused(
    `${tell(document, rotation)}, where the old generation is distrusted since its key is known elsewhere: there is no way back, finish it`,
  );
}

/** Which rotation is where, as errors begin. */
export const tell = ({ authority }: AuthoritySecret, { id, state }: AuthorityRotation): string =>
  `rotation ${id} of the ${authority} authority is ${state}`;
