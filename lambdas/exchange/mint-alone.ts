import { AuthorityName } from '../contract/certificate-names';
import { messageOf } from '../contract/lifeboat-error';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { LOOK_SECONDS, waitFor } from './waiting';

/**
 * Mints under the lock of the control plane, so that of two exchanges that begin in the same second one is told of the other. Whoever finds the lock
 * taken waits for it; whoever finds another exchange under it plans anew, and is refused by that.
 *
 * @throws the errors of the edges and of `mint`
 */
export async function mintAlone(edges: ExchangeEdges, state: ExchangeState, mint: () => Promise<Act>): Promise<Act> {
  const { authority, rotation } = state;
  const held = await edges.lock.acquire(`exchange-${rotation}`);
  if (!held.acquired) {
    const because = [`${held.holder} holds the lock of the cluster, until ${held.expiresAt} at most`];
    return waitFor(edges, state, authority, { what: 'the lock of the cluster', because }, 'look', LOOK_SECONDS);
  }
  try {
    const present = await Promise.all([edges.accounts(), ...AuthorityName.options.map((name) => edges.authority(name))]);
    const others = present.some((each) => each?.rotation !== undefined && each.rotation.id !== rotation);
    return others ? goOn('look', 0, state) : await mint();
  } finally {
    await held.release().catch((error: unknown) => edges.telemetry.warn('lock-not-released', { because: messageOf(error) }));
  }
}
