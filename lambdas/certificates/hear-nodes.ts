import { messageOf } from '../contract/lifeboat-error';
import { CertificateFacts } from '../contract/node-certificates';
import type { NodeEnd } from '../contract/restore';
import { toldNodeOf } from './told-node';
import type { ToldNode } from './told-node';

/** Who told something that can be read, and who did not: one that tells something unreadable is as silent as one that tells nothing. */
export async function heardNodes(ends: readonly NodeEnd[]): Promise<{ readonly told: ToldNode[]; readonly silent: NodeEnd[] }> {
  const told: ToldNode[] = [];
  const silent: NodeEnd[] = [];
  for (const end of ends) {
    if (end.outcome !== 'done') {
      silent.push(end);
      continue;
    }
    try {
      told.push(await toldNodeOf({ instanceId: end.instanceId, host: end.host }, CertificateFacts.parse(end.result)));
    } catch (error) {
      silent.push({ ...end, outcome: 'garbled', because: messageOf(error) });
    }
  }
  return { told, silent };
}
