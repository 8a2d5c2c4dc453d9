import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { causeWords } from '../contract/function-failure';
import { tellPeople } from './tell-people';

/** An execution that was refused in its very first state, where nothing is known of it but its input. */
export const RefusedEvent = z.object({
  ending: z.literal('refused'),
  execution: z.string(),
  input: z.unknown(),
  failure: z.object({ Error: z.string(), Cause: z.string() }),
});
export type RefusedEvent = z.infer<typeof RefusedEvent>;

export interface RefusedEdges {
  readonly cluster: string;
  readonly tell: (subject: string, message: string) => Promise<void>;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
}

const Drill = z.object({ drill: z.literal(true) });

/**
 * Tells people that a drill was not held: the clock starts it, and nobody looks at its end. Whoever starts a restore sees why it was refused.
 */
export async function tellRefused({ cluster, tell, telemetry }: RefusedEdges, event: RefusedEvent): Promise<void> {
  const { execution, input, failure } = event;
  if (!Drill.safeParse(input).success) return;
  const because = causeWords(failure.Cause);
  telemetry.log('drill-refused', { execution, error: failure.Error, because });
  const message = [
    `${failure.Error}: ${because}`,
    '',
    'No machine was touched, and it says nothing of any snapshot: mend it and hold a drill, see "No recent drill" in the operator runbook.',
    execution,
  ].join('\n');
  await tellPeople({ tell, telemetry }, `kube-lifeboat ${cluster}: drill refused, none was held`, message);
}
