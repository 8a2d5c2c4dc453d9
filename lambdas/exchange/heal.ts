import { signingFor } from '../certificates/signing-authorities';
import type { ToldNode } from '../certificates/told-node';
import { LEAVES, LeafName } from '../contract/certificate-names';
import { nodeSecretName } from '../contract/certificates';
import type { AuthoritySecret } from '../contract/certificates';
import type { NodeStamps } from '../contract/exchange-looks';
import { messageOf } from '../contract/lifeboat-error';
import type { ExchangeState } from '../contract/rotate-authority';
import { printBundle } from '../pki/bundle';
import { ROTATION_SECONDS } from './distribute';
import type { ExchangeEdges } from './edges';

/** What two new sets did not mend the third would not either. */
const HEALINGS = 2;

type Healed = NonNullable<ExchangeState['healed']>;

/**
 * What of an authority lies on a node and is another than its set has: `kubeadm certs renew` wrote over it, or the node came back from an old disk.
 * What is missing is not told: whoever removed a kubeconfig has his reasons, and no new set brings it back.
 *
 * @param leaves of its current set, by the SHA-256 of each one's DER
 * @throws BundleDamaged when the document holds what is no certificate
 */
export function driftOf(node: ToldNode, leaves: NodeStamps['leaves'], document: AuthoritySecret): string[] {
  const { authority } = document;
  const signing = signingFor(document, node.host);
  if (signing === undefined) return [];
  const file = node.authorities.get(authority);
  const trusted = file === undefined || file === 'unparsable' ? '' : file.map(({ pem }) => pem).join('');
  const chain = signing.chain.join();
  const own = LeafName.options.filter((leaf) => LEAVES[leaf].authority === authority && leaf !== 'kubelet.conf');
  return [
    ...(file === undefined || trusted === printBundle(signing.trusted) ? [] : [`${node.host} has other trusted roots than in its set`]),
    ...own.flatMap((leaf) => {
      const [told, wanted] = [node.leaves.get(leaf), leaves[leaf]];
      if (told === undefined || wanted === undefined) return [];
      if (told === 'unparsable' || told.view.sha256 !== wanted) return [`${leaf} of ${node.host} is not the one of its set`];
      return (node.chains.get(leaf) ?? []).join() === chain ? [] : [`${leaf} of ${node.host} is not followed by what its set has after it`];
    }),
  ];
}

/**
 * Has the first node rotated again that has something else than its set, whatever its stamps say: one after the other, and each after a while only.
 *
 * @returns who was healed when and how often, and what two healings did not mend
 * @throws FunctionCallFailed when nobody tells what the sets have
 */
export async function heal(
  edges: Pick<ExchangeEdges, 'cluster' | 'stamps' | 'rotate' | 'now' | 'telemetry'>,
  document: AuthoritySecret,
  told: readonly ToldNode[],
  before: Healed = [],
): Promise<{ readonly healed: Healed; readonly hopeless: readonly string[] }> {
  const sets = await edges.stamps(told.map(({ instanceId }) => nodeSecretName(edges.cluster, instanceId)));
  const drifted = told.flatMap((node) => {
    const secretId = nodeSecretName(edges.cluster, node.instanceId);
    const drift = driftOf(node, sets.find((each) => each.secretId === secretId)?.leaves ?? {}, document);
    return drift.length === 0 ? [] : [{ host: node.host, secretId, drift }];
  });
  const now = Math.floor(edges.now().getTime() / 1_000);
  const isFresh = ({ at }: Healed[number]): boolean => now - at < ROTATION_SECONDS;
  // Of one that was mended only the time is kept: somebody may write over it again, and again.
  const healed = before.flatMap((each) =>
    drifted.some(({ host }) => host === each.host) ? [each] : isFresh(each) ? [{ ...each, times: 0 }] : [],
  );
  const last = (host: string): Healed[number] | undefined => healed.find((each) => each.host === host);
  if (drifted.some(({ host }) => healed.some((each) => each.host === host && each.times > 0 && isFresh(each))))
    return { healed, hopeless: [] };
  const hopeless = drifted.filter(({ host }) => (last(host)?.times ?? 0) >= HEALINGS);
  if (hopeless.length > 0)
    return {
      healed,
      hopeless: hopeless.flatMap(({ drift }) => drift).map((each) => `${each}, after ${HEALINGS} new sets: find out who writes it`),
    };
  const next = drifted.find(({ host }) => !healed.some((each) => each.host === host && isFresh(each)));
  if (next === undefined) return { healed, hopeless: [] };
  const { host, secretId, drift } = next;
  const times = (last(host)?.times ?? 0) + 1;
  const asked = await edges.rotate(secretId).catch((error: unknown) => messageOf(error));
  edges.telemetry.warn('node-healed', { host, times, asked, because: drift });
  return { healed: [...healed.filter((each) => each.host !== host), { host, at: now, times }], hopeless: [] };
}
