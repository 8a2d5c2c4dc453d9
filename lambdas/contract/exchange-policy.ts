// When an authority is exchanged because of its age, and who begins that.
import { z } from 'zod';
import { AuthorityName } from './certificate-names';

/** The runbook that exchanges authorities, by its name. */
export const rotateCaName = (cluster: string): string => `lifeboat-${cluster}-rotate-ca`;

export const ExchangePolicy = z.object({
  /** `scheduled`: the daily look begins it. `by-hand`: people do, whom an alarm tells. */
  exchange: z.enum(['by-hand', 'scheduled']),
  /** Of one that the daily look begins: whether people are asked before the old generation is distrusted. */
  approval: z.enum(['ask', 'automatic']),
  /** Days before its end that an authority is exchanged. */
  rotateBeforeDays: z.record(AuthorityName, z.number().int().positive()),
});
export type ExchangePolicy = z.infer<typeof ExchangePolicy>;
