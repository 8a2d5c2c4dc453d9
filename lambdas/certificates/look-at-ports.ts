import type { ServedPort } from '../contract/certificate-scan';
import { LEAVES } from '../contract/certificate-names';
import { CertificateFacts } from '../contract/node-certificates';
import type { NodeEnd } from '../contract/restore';
import { servingPorts } from './minted-set';
import type { Handshake } from './prove-node';
import { toldNodeOf } from './told-node';

/** What the ports of all nodes serve now. A node that told nothing, or nothing readable, has no ports that are known. */
export async function lookAtPorts(facts: readonly NodeEnd[], handshake: Handshake): Promise<ServedPort[]> {
  const looked = await Promise.all(facts.map((end) => portsOf(end, handshake)));
  return looked.flat();
}

async function portsOf({ instanceId, host: name, outcome, result }: NodeEnd, handshake: Handshake): Promise<ServedPort[]> {
  const facts = CertificateFacts.safeParse(result);
  if (outcome !== 'done' || !facts.success) return [];
  const node = await toldNodeOf({ instanceId, host: name }, facts.data).catch(() => undefined);
  if (node === undefined) return [];
  return Promise.all(
    servingPorts(node).map(async ({ leaf, host, port }) => {
      const told = node.authorities.get(LEAVES[leaf].authority);
      const ca = told === undefined || told === 'unparsable' ? '' : told.map(({ pem }) => pem).join('');
      // No client certificate: what is served is seen before anybody asks for one.
      const { sha256, notAfter, because } = await handshake({ host, port, ca });
      return {
        instanceId,
        leaf,
        host,
        port,
        ...(sha256 !== undefined && { sha256 }),
        ...(notAfter !== undefined && { notAfter }),
        because,
      };
    }),
  );
}
