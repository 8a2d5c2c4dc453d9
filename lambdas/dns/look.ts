import type { ProbeAnswer, ProbeReport, ProbeRequest, ProbeTarget } from '../contract/api-record';

export interface LookEdges {
  readonly answerOf: (target: ProbeTarget, name: string) => Promise<ProbeAnswer>;
  /** Addresses that a name leads to; empty when it leads nowhere. @throws when nobody could say */
  readonly resolve: (name: string) => Promise<readonly string[]>;
}

/** What is seen from one place: every target at once, and what the name leads to. What nobody could resolve is left out, and is not "nowhere". */
export async function look({ answerOf, resolve }: LookEdges, { name, targets, resolve: wanted }: ProbeRequest): Promise<ProbeReport> {
  const [answers, resolved] = await Promise.all([
    Promise.all(targets.map((target) => answerOf(target, name))),
    wanted ? resolve(name).catch(() => undefined) : undefined,
  ]);
  return { answers, ...(resolved !== undefined && { resolved: [...resolved].sort() }) };
}
