import type { TargetMemory } from '../contract/api-record';

/** What is known of one address in this round. */
export interface TargetEvidence {
  readonly address: string;
  readonly answers: boolean;
  /** Said by somebody who stands elsewhere: Systems Manager that its machine is away, or the balancer that it is unhealthy. */
  readonly awayElsewhere?: boolean;
}

export interface JudgeInput {
  readonly evidence: readonly TargetEvidence[];
  /** Of the rounds before, by address. */
  readonly memory: Readonly<Record<string, TargetMemory>>;
  /** The addresses in the record now. */
  readonly published: readonly string[];
  /** Whether this round counts: one that follows another at once says nothing new. */
  readonly counts: boolean;
}

export interface Judgement {
  /** What belongs into the record; empty when nothing is known to answer. */
  readonly members: readonly string[];
  readonly memory: Readonly<Record<string, TargetMemory>>;
  /** Why nobody was voted out in this round, though something did not answer. */
  readonly held?: string;
}

/** Rounds in a row until an address leaves, and until one comes. A round is a minute: who is dead is gone within two. */
const ROUNDS = 2;

/**
 * Which addresses belong into the record. Slow to change, in both directions, so that what comes and goes does not make the record come and go; and
 * never by the word of a looker who sees less than half of what was there: he may be the one who is cut off.
 */
export function judgeTargets({ evidence, memory, published, counts }: JudgeInput): Judgement {
  const remembered = (address: string): TargetMemory => memory[address] ?? { in: published.includes(address), against: 0 };
  const inside = evidence.filter(({ address }) => remembered(address).in);
  const silent = inside.filter(({ answers, awayElsewhere = false }) => !answers && !awayElsewhere);
  const blind = silent.length * 2 > inside.length;
  // Nothing in the record answers and something else does: it is taken at once. Who is cut off hears no answers, so there is nothing to doubt.
  const desperate = evidence.some(({ answers }) => answers) && !inside.some(({ answers }) => answers);

  const next = evidence.map((each): readonly [string, TargetMemory] => {
    const before = remembered(each.address);
    if (each.answers === before.in) return [each.address, { in: before.in, against: 0 }];
    if (each.answers && desperate) return [each.address, { in: true, against: 0 }];
    if (!counts || (blind && !each.answers && each.awayElsewhere !== true)) return [each.address, before];
    const against = before.against + 1;
    return [each.address, against >= ROUNDS ? { in: each.answers, against: 0 } : { in: before.in, against }];
  });
  const members = next.filter(([, { in: belongs }]) => belongs).map(([address]) => address);
  return {
    members: [...members].sort(),
    memory: Object.fromEntries(next),
    ...(blind && {
      held: `${silent.length} of ${inside.length} addresses do not answer at once: it may be this side that is cut off, so none is taken out`,
    }),
  };
}
