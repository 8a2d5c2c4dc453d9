// A small cluster by the rules that were measured: API servers read both files at their start, sign by the first key and verify by all of them.
import { accountsSoakUntil, accountsGoBackAtOnce, accountsStateAfter, accountsStateBefore } from '../../lambdas/accounts/accounts-path';
import { accountsMayLeave } from '../../lambdas/accounts/gates';
import { abortPair, advancePair, approvePair, closePair, mintPair, returnPair } from '../../lambdas/accounts/key-generations';
import type { AccountsObservation } from '../../lambdas/accounts/observation';
import { accountKeysOf } from '../../lambdas/accounts/verifying';
import type { RotationMode } from '../../lambdas/contract/authority-rotation';
import type { ServiceAccountsSecret } from '../../lambdas/contract/certificates';
import { NOW, adoptedPair, idOf, later, pair } from './accounts-pki';

/** A token that a pod is given lives an hour. */
const LIFE = 3_600;
/** A static pod whose files were changed is started again by then. */
const STARTED_WITHIN = 120;

interface Files {
  readonly keys: readonly string[];
  readonly signs: string;
  readonly at: number;
}
interface ModelNode {
  readonly name: string;
  files: Files;
  /** What its API server has read, and when. */
  memory: Files;
  lost: boolean;
  /** Came back from an old disk, and was given nothing since; or was, and is not started again. */
  stale: 'disk' | 'memory' | false;
  image: Files;
}
interface Token {
  readonly kid: string;
  /** Undefined: it never ends. */
  readonly until?: number;
}

export interface Setting {
  readonly mode: RotationMode;
  /** What is not looked at, to see whether the model notices. */
  readonly blind?: 'soak' | 'API servers' | 'missing nodes';
}

export interface Course {
  document: ServiceAccountsSecret;
  readonly setting: Setting;
  now: number;
  nodes: ModelNode[];
  tokens: Token[];
  legacy: Token;
  joined: number;
}

const STEP = { rotation: 'r-1' };
const timeOf = ({ now }: Course) => ({ ...STEP, now: later(now) });

export function begin(setting: Setting): Course {
  const document = mintPair(adoptedPair(), pair(2), { id: 'r-1', mode: setting.mode, now: NOW, soakSeconds: LIFE + STARTED_WITHIN });
  const files = { keys: [idOf(1)], signs: idOf(1), at: 0 };
  const nodes: ModelNode[] = ['cp-1', 'cp-2', 'cp-3'].map((name) => ({
    ...{ name, files, memory: { ...files, at: 1 }, image: files },
    ...{ lost: false, stale: false },
  }));
  return { document, setting, now: 10, nodes, tokens: [], legacy: { kid: idOf(1) }, joined: 0 };
}

const up = ({ nodes }: Course): ModelNode[] => nodes.filter(({ lost }) => !lost);

/** As every node is to have it; nothing is given as long as what is to be undone was not told to anybody. */
function wanted({ document }: Course): Omit<Files, 'at'> | undefined {
  const { rotation } = document;
  const held = rotation !== undefined && (accountsGoBackAtOnce(rotation) || (rotation.state === 'MINTED' && !rotation.abortRequested));
  const keys = accountKeysOf(document);
  return held || keys === undefined ? undefined : { keys: keys.ids, signs: keys.ids[0] ?? '' };
}

export function write(course: Course, node: ModelNode): void {
  const want = wanted(course);
  if (want === undefined || node.lost) return;
  if (node.stale === 'disk') node.stale = 'memory';
  if (want.keys.join() !== node.files.keys.join()) node.files = { ...want, at: course.now };
}

export function restart(course: Course, node: ModelNode): void {
  course.now += 1;
  node.memory = { ...node.files, at: course.now };
  if (node.stale === 'memory') node.stale = false;
}

export const work = (course: Course): void =>
  up(course).forEach((node) => {
    write(course, node);
    if (node.memory.at <= node.files.at) restart(course, node);
  });

/** Tokens that have run out are no longer anybody's; who was given files was started again meanwhile. */
export function pass(course: Course, seconds: number): void {
  const waits = (node: ModelNode): boolean => node.memory.at <= node.files.at;
  course.now += Math.min(seconds, STARTED_WITHIN - 1);
  if (seconds < STARTED_WITHIN) return;
  up(course)
    .filter(waits)
    .forEach((node) => restart(course, node));
  course.now += seconds - STARTED_WITHIN;
  course.tokens = course.tokens.filter(({ until = Infinity }) => until > course.now);
}

const wellKept = (course: Course): ModelNode[] => up(course).filter(({ stale }) => stale === false);

/**
 * A pod gets its next token from whichever API server answers. One from an old disk may sign by a key that the others do not verify by any longer, or
 * are about to be told not to: no order of steps helps whoever gets such a token, and it does not count.
 */
export function giveToken(course: Course, pick: number): void {
  const verifying = [accountKeysOf(course.document)?.ids ?? [], ...wellKept(course).map(({ memory }) => memory.keys)];
  const giving = up(course).filter(({ stale, memory: { signs } }) => stale === false || verifying.every((keys) => keys.includes(signs)));
  const node = giving[pick % Math.max(1, giving.length)];
  if (node !== undefined) course.tokens.push({ kid: node.memory.signs, until: course.now + LIFE });
}

export const lose = (course: Course, node: ModelNode): void => {
  if (up(course).length === course.nodes.length) node.lost = true;
};

/** @param old whether its disk is an old one */
export function comeBack(course: Course, node: ModelNode, old: boolean): void {
  if (!node.lost) return;
  node.lost = false;
  if (old && node.image.keys.join() !== node.files.keys.join()) [node.files, node.stale] = [{ ...node.image, at: course.now - 1 }, 'disk'];
  restart(course, node);
}

export function join(course: Course): void {
  const keys = accountKeysOf(course.document);
  if (keys === undefined || course.nodes.length > 4) return;
  const files = { keys: keys.ids, signs: keys.ids[0] ?? '', at: course.now - 1 };
  const name = `n-${++course.joined}`;
  course.nodes.push({ name, files, memory: { ...files, at: course.now }, image: files, lost: false, stale: false });
}

function observe(course: Course): AccountsObservation {
  const { document, setting, now, nodes, legacy } = course;
  const { rotation } = document;
  if (rotation === undefined) throw new Error('nothing is under way');
  const seen = up(course);
  const expected = setting.blind === 'missing nodes' ? seen : nodes;
  const switched = Math.max(...seen.map(({ files }) => files.at));
  const blind = setting.blind === 'API servers';
  const keys = accountKeysOf(document)?.ids ?? [];
  const shown = seen.map(({ name, memory }) => ({
    place: name,
    verifies: blind ? keys : memory.keys,
    signs: blind ? keys[0] : memory.signs,
    acceptedBy: seen.map(({ name: place, memory: other }) => ({ place, accepted: blind || other.keys.includes(memory.signs) })),
  }));
  return {
    at: later(now),
    rotation,
    expected: { nodes: expected.map(({ name }) => ({ name, runs: ['apiserver'] })), unready: [], keys },
    nodes: seen.map(({ name, files, memory }) => ({
      ...{ name, runs: ['apiserver'] as const, verifies: files.keys, signsByFirst: files.signs === files.keys[0] },
      processes: [{ component: 'apiserver' as const, startedAt: later(blind ? now : memory.at), filesAt: later(files.at) }],
    })),
    apiServers: shown,
    legacy: [{ namespace: 'ci', name: 'robot', key: legacy.kid, lastUsed: undefined }],
    etcd: { voters: 3, learners: 0, activePeersOk: true },
    unready: [],
    readyz: seen.map(({ name }) => ({ place: name, ok: true })),
    soakUntil: setting.blind === 'soak' ? later(0) : accountsSoakUntil(rotation, later(switched)),
  };
}

/** Somebody looks, and goes on where all gates are open. */
export function move(course: Course): void {
  const { document } = course;
  const { rotation } = document;
  if (rotation === undefined || !accountsMayLeave(observe(course)).open) return;
  if (rotation.abortRequested !== undefined) {
    const to = accountsStateBefore(rotation.mode, rotation.state);
    if (to !== undefined) course.document = returnPair(document, to, timeOf(course));
    return;
  }
  const to = accountsStateAfter(rotation.state);
  course.document = to === undefined ? closePair(document, timeOf(course)) : advancePair(document, to, timeOf(course));
}

export const approve = (course: Course): void => {
  const { rotation } = course.document;
  if (rotation !== undefined && rotation.abortRequested === undefined)
    course.document = approvePair(course.document, 'ann', timeOf(course));
};

export const abort = (course: Course): void => {
  const { rotation } = course.document;
  if (rotation !== undefined && accountsStateBefore(rotation.mode, rotation.state) !== undefined)
    course.document = abortPair(course.document, 'ann', 'clients complain', timeOf(course));
};

/** Who is refused and must not be. A compromise refuses tokens by the old key at once, and whoever approves takes those that never end upon himself. */
export function faultOf(course: Course): string | undefined {
  const { document, tokens, legacy, setting } = course;
  const { rotation, issuing } = document;
  const servers = wellKept(course);
  const signing = servers.map(({ memory }) => ({ kid: memory.signs }));
  const dropped =
    rotation?.state === 'DROPPING' || rotation?.distrustBegan !== undefined || (rotation === undefined && issuing !== idOf(1));
  const mayRefuse = (token: Token): boolean => dropped && (setting.mode === 'compromise' || token === legacy) && token.kid === idOf(1);
  for (const { name, memory } of servers)
    for (const token of [...tokens, ...signing, legacy])
      if (!memory.keys.includes(token.kid) && !mayRefuse(token))
        return `${name} refuses a token by ${token.kid === idOf(1) ? 'the old key' : 'the new key'} in ${rotation?.state ?? 'the end'}`;
  return undefined;
}
