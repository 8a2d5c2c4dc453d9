import type { Narrator } from '../local/narrator';
import type { World } from './world';

/** By which clients reach the API from outside, before any certificate names it. */
export const NEW_NAME = 'api.lifeboat.example';

/** Takes the PKI over; again and again it changes nothing. */
export function adopt(narrator: Narrator, { lifeboat }: World): Promise<void> {
  return narrator.run('adopt the certificates', async () => {
    const execution = await lifeboat.adopt?.start({ waitForNodesSeconds: 30 });
    const end = await execution?.wait({ timeoutMs: 180_000 });
    if (end?.status !== 'SUCCEEDED') throw new Error(`the adoption ended as ${end?.status ?? 'nothing'}: ${end?.cause ?? ''}`);
  });
}
