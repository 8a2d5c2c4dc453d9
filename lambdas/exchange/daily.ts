import { z } from 'zod';
import type { ExchangeEdges } from './edges';

export const DailyExchange = z.object({ do: z.literal('daily') });

/** What is looked after once a day, whether or not anything is exchanged: what is noted of the generations is what the secrets say. */
export async function daily({ note }: Pick<ExchangeEdges, 'note'>): Promise<object> {
  await note();
  return {};
}
