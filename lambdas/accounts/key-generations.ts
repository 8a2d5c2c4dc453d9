import { approvedByPerson } from '../authorities/approval';
import type { Step } from '../authorities/generations';
import type { AccountsRotation, AccountsState, RotationMode } from '../contract/authority-rotation';
import { SECRET_BYTES } from '../contract/certificates';
import type { KeyGeneration, ServiceAccountsSecret } from '../contract/certificates';
import { shortId } from '../contract/short-id';
import { accountsStateAfter, accountsStateBefore } from './accounts-path';
import type { AccountsPlace } from './accounts-path';
import { KeyPairRefused } from './errors';
import { publicKeyId } from './key-id';
import type { KeyPair } from './new-pair';
import { pairThatSigns } from './verifying';

interface Begin {
  readonly id: string;
  readonly mode: RotationMode;
  readonly now: Date;
  /** How long tokens of before are waited for, seconds. */
  readonly soakSeconds?: number;
  /** How the cluster was. */
  readonly before?: NonNullable<AccountsRotation['before']>;
  /** The execution that drives it. */
  readonly driver?: string;
}

type Document = ServiceAccountsSecret;

/**
 * Notes the next pair. It is distributed to nobody by that. A rotation mints once: repeated, the document stays as it is, also after it was closed.
 *
 * @throws KeyPairRefused when another rotation is under way, the pair is none or was there before, or no room is left for it
 */
export function mintPair(document: Document, pair: KeyPair, { id, mode, now, ...how }: Begin): Document {
  const { rotation: current } = document;
  if (current !== undefined && (current.id !== id || current.mode !== mode))
    throw new KeyPairRefused(
      `rotation ${current.id} (${current.mode}) of the service accounts is ${current.state} since ${current.stateSince}: let it end, or abort it, before ${id} (${mode}) begins`,
    );
  if (current !== undefined || document.generations.some(({ mintedFor }) => mintedFor === id)) return document;
  const old = pairThatSigns(document);
  if (old === undefined)
    throw new KeyPairRefused(
      `${shortId(document.issuing)} is to sign tokens, and is none of the pairs in the secret: mend its field issuing`,
    );
  const next = publicKeyId(pair.publicKey);
  if (next !== publicKeyId(pair.privateKey))
    throw new KeyPairRefused(`the pair ${shortId(next)} is none, its keys are of two: mint another`);
  if (document.generations.some((each) => each.id === next))
    throw new KeyPairRefused(`the pair ${shortId(next)} was there before: mint another`);
  const at = now.toISOString();
  const { turnedBack: _, ...present } = document;
  const made: Document = {
    ...present,
    generations: [
      ...document.generations.map((each) => (each.id === old.id ? { ...each, state: 'issuing' as const } : each)),
      { id: next, ...pair, since: at, state: 'next', mintedAt: at, mintedFor: id },
    ],
    rotation: { id, mode, since: at, from: old.id, to: next, state: 'MINTED', stateSince: at, ...how },
  };
  const bytes = Buffer.byteLength(JSON.stringify(made));
  if (bytes <= SECRET_BYTES) return made;
  throw new KeyPairRefused(
    `the secret of the service accounts would have ${bytes} bytes with ${made.generations.length} pairs, and may have ${SECRET_BYTES}: take closed ones out first`,
  );
}

/** Notes the next state; a repetition changes nothing, and none is left out. @throws KeyPairRefused also while it is being aborted, or was not approved */
export function advancePair(document: Document, state: AccountsState, step: Step): Document {
  const rotation = underWay(document, step);
  if (rotation.state === state) return document;
  if (rotation.abortRequested !== undefined)
    throw new KeyPairRefused(`${tell(rotation)}, and ${rotation.abortRequested.by} asked to abort it: it goes back and not to ${state}`);
  const next = accountsStateAfter(rotation.state);
  if (next !== state)
    throw new KeyPairRefused(`${tell(rotation)}, after which comes ${next ?? 'closing it'} and not ${state}: go one by one`);
  if (state === 'DROPPING' && rotation.mode === 'planned' && rotation.approvedBy === undefined)
    throw new KeyPairRefused(`${tell(rotation)}, and nobody approved that tokens by the old key are refused: approve it first`);
  return enter(document, rotation, state, step);
}

/** Notes which execution drives it from now on. @throws KeyPairRefused */
export function drivePairBy(document: Document, driver: string, step: Step): Document {
  const rotation = underWay(document, step);
  return rotation.driver === driver ? document : { ...document, rotation: { ...rotation, driver } };
}

/** Notes who agreed that tokens by the old key are refused; the first person stays, and comes before a request that asked nobody. @throws KeyPairRefused */
export function approvePair(document: Document, by: string, step: Step): Document {
  const rotation = underWay(document, step);
  if (approvedByPerson(rotation)) return document;
  if (rotation.abortRequested !== undefined)
    throw new KeyPairRefused(`${tell(rotation)}, and ${rotation.abortRequested.by} asked to abort it: there is nothing to approve`);
  return rotation.approvedBy === by ? document : { ...document, rotation: { ...rotation, approvedBy: by } };
}

/** Notes that it is to go back, step by step; the first one who asks stays. @throws KeyPairRefused where there is no way back */
export function abortPair(document: Document, by: string, because: string, step: Step): Document {
  const rotation = underWay(document, step);
  if (rotation.abortRequested !== undefined) return document;
  requireWayBack(document, rotation);
  const { approvedBy: _, ...rest } = rotation;
  return { ...document, rotation: { ...rest, abortRequested: { by, at: step.now.toISOString(), because, in: rotation.state } } };
}

/**
 * Notes that it went one state back. At `STEADY` the pair that was to come is forgotten: the document is then as before. A repetition changes nothing.
 *
 * @throws KeyPairRefused when nobody asked for it, or this is not where the way back leads
 */
export function returnPair(document: Document, place: AccountsPlace, step: Step): Document {
  if (place === 'STEADY' && document.rotation === undefined) return document;
  const rotation = underWay(document, step);
  if (rotation.state === place) return document;
  if (rotation.abortRequested === undefined)
    throw new KeyPairRefused(`${tell(rotation)}, and nobody asked to abort it: ask for that before it goes back to ${place}`);
  const back = requireWayBack(document, rotation);
  if (back !== place) throw new KeyPairRefused(`${tell(rotation)}, from where it goes back to ${back} and not to ${place}`);
  if (place !== 'STEADY') return enter(document, rotation, place, step);
  const { rotation: _, ...rest } = document;
  const { by, because } = rotation.abortRequested;
  const turnedBack = { rotation: rotation.id, by, because, at: step.now.toISOString() };
  return { ...rest, turnedBack, generations: document.generations.filter(({ id }) => id !== rotation.to) };
}

/**
 * Ends it: the old private key is destroyed, and its public key stays for the snapshots of its time. A repetition changes nothing.
 *
 * @throws KeyPairRefused before the old key was dropped
 */
export function closePair(document: Document, step: Step): Document {
  if (document.rotation === undefined && document.generations.some(({ mintedFor }) => mintedFor === step.rotation)) return document;
  const rotation = underWay(document, step);
  if (rotation.state !== 'DROPPING')
    throw new KeyPairRefused(`${tell(rotation)}, and its old key may be needed to go back: go on one by one`);
  if (rotation.abortRequested !== undefined)
    throw new KeyPairRefused(
      `${tell(rotation)}, and ${rotation.abortRequested.by} asked to abort it: let it go back, or its key is needed and gone`,
    );
  const { rotation: _, ...rest } = document;
  const generations = document.generations.map((each): KeyGeneration => {
    if (each.id !== rotation.from) return each;
    const { privateKey: _destroyed, ...kept } = each;
    return { ...kept, state: 'closed', closedAt: step.now.toISOString() };
  });
  return { ...rest, generations };
}

function enter(document: Document, rotation: AccountsRotation, state: AccountsState, { now }: Step): Document {
  const nextSigns = state === 'SIGNING' || state === 'DROPPING';
  const states = nextSigns ? (['outgoing', 'issuing'] as const) : (['issuing', 'next'] as const);
  const generations = document.generations.map((each): KeyGeneration => {
    if (each.id === rotation.from) return { ...each, state: states[0] };
    return each.id === rotation.to ? { ...each, state: states[1] } : each;
  });
  const at = now.toISOString();
  const signingBegan = rotation.signingBegan ?? (nextSigns ? at : undefined);
  const distrustBegan = rotation.distrustBegan ?? (state === 'DROPPING' ? at : undefined);
  const began = { ...(signingBegan !== undefined && { signingBegan }), ...(distrustBegan !== undefined && { distrustBegan }) };
  return {
    ...document,
    generations,
    issuing: nextSigns ? rotation.to : rotation.from,
    rotation: { ...rotation, state, stateSince: at, ...began },
  };
}

function underWay({ rotation }: Document, step: Step): AccountsRotation {
  if (rotation?.id === step.rotation) return rotation;
  const found = rotation === undefined ? 'no rotation is' : `${rotation.id} is`;
  throw new KeyPairRefused(`${found} under way for the service accounts, and not ${step.rotation}: plan the rotation anew`);
}

function requireWayBack({ generations }: Document, rotation: AccountsRotation): AccountsPlace {
  const back = accountsStateBefore(rotation.mode, rotation.state);
  if (back === undefined)
    throw new KeyPairRefused(
      `${tell(rotation)}, where nobody verifies by the old key since it is known elsewhere: there is no way back, finish it`,
    );
  if (generations.find(({ id }) => id === rotation.from)?.privateKey !== undefined) return back;
  throw new KeyPairRefused(`${tell(rotation)}, and the old private key is gone: there is no way back, finish it`);
}

const tell = ({ id, state }: AccountsRotation): string => `rotation ${id} of the service accounts is ${state}`;
