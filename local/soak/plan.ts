import { random } from '../etcd/random';
import type { Random } from '../etcd/random';

/** What can go wrong while a snapshot is taken. */
export const FAULTS = [
  'member-killed',
  'member-killed-at-work',
  'member-paused',
  'leader-killed-in-the-stream',
  'quorum-lost',
  's3-fails-once',
  's3-resets-a-connection',
  's3-loses-an-answer',
  's3-is-slow',
  's3-is-down',
  'function-killed-in-an-upload',
  'function-killed-anywhere',
  'lock-of-somebody',
  'lock-damaged',
  'secret-wrong',
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** What can go wrong while snapshots are pruned. */
export const PRUNE_FAULTS = ['prune-killed', 'prune-denied', 'prune-without-s3'] as const;
export type PruneFaultKind = (typeof PRUNE_FAULTS)[number];

/** One slot of the schedule, and what is done to it. */
export interface Slot {
  /** From 1. */
  readonly number: number;
  readonly fault?: FaultKind;
  /** Whether a person takes one more, some minutes later. */
  readonly byHand: boolean;
  readonly prunes: boolean;
  readonly pruneFault?: PruneFaultKind;
  /** Decides everything else of the slot, so that what takes long in one slot changes nothing in another. */
  readonly draw: Random;
}

/** The ones that a short run must not miss. */
const FIRST: readonly FaultKind[] = ['member-killed', 's3-is-down', 'function-killed-in-an-upload', 'lock-of-somebody'];
/** Two calls that nobody answers take ten seconds each time; once in a while is enough. */
const SELDOM: ReadonlySet<FaultKind> = new Set(['member-paused']);
const SLOTS_TO_A_FAULT = 3;
const SLOTS_TO_A_PRUNE = 3;
const SLOTS_TO_ONE_BY_HAND = 9;
const PRUNES_TO_A_FAULT = 4;

/** The same seed and number always give the same plan. */
export function planSlots(seed: number, backups: number): Slot[] {
  const draw = random(seed);
  const faults = new Deck(draw, FAULTS, FIRST, SELDOM);
  const pruneFaults = new Deck(draw, PRUNE_FAULTS);
  // The first slot shows that everything works, the last leaves everything as it should be.
  const quiet = (number: number) => number === 1 || number === backups;
  return Array.from({ length: backups }, (_, index) => {
    const number = index + 1;
    const prunes = number % SLOTS_TO_A_PRUNE === 0;
    return {
      number,
      ...(!quiet(number) && draw.below(SLOTS_TO_A_FAULT) === 0 && { fault: faults.deal() }),
      byHand: draw.below(SLOTS_TO_ONE_BY_HAND) === 0,
      prunes,
      ...(prunes && draw.below(PRUNES_TO_A_FAULT) === 0 && { pruneFault: pruneFaults.deal() }),
      draw: random(seed, number),
    };
  });
}

/** Deals every card before any comes again; seldom ones only in every third round. */
class Deck<T extends string> {
  private cards: T[] = [];
  private round = 0;

  constructor(
    private readonly draw: Random,
    private readonly all: readonly [T, ...T[]],
    private readonly first: readonly T[] = [],
    private readonly seldom: ReadonlySet<T> = new Set(),
  ) {}

  deal(): T {
    if (this.cards.length === 0) this.cards = this.nextRound();
    return this.cards.shift() ?? this.all[0];
  }

  private nextRound(): T[] {
    const some = this.round % 3 === 0 ? this.all : this.all.filter((card) => !this.seldom.has(card));
    if (this.round++ > 0) return this.shuffle(some);
    return [...this.shuffle(this.first), ...this.shuffle(some.filter((card) => !this.first.includes(card)))];
  }

  private shuffle(cards: readonly T[]): T[] {
    const rest = [...cards];
    return cards.flatMap(() => rest.splice(this.draw.below(rest.length), 1));
  }
}
