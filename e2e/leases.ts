import { z } from 'zod';
import { waitUntil } from '../local/child-process';
import type { Kubectl } from '../local/kubectl';

/** A leader that was lost is followed by another one within 15 s (--leader-elect-lease-duration); the rest is for a machine on which much else works. */
const RENEWED_WITHIN_MS = 120_000;
const LEADERS = ['kube-controller-manager', 'kube-scheduler'] as const;
const Lease = z.object({ spec: z.object({ holderIdentity: z.string().default(''), renewTime: z.string().default('') }) });

async function renewalOf(kubectl: Kubectl, name: string): Promise<string> {
  const { spec } = Lease.parse(await kubectl.json(['get', 'lease', name, '--namespace', 'kube-system']));
  return spec.holderIdentity === '' ? '' : spec.renewTime;
}

/** Waits until controller-manager and scheduler renew their leases: two renewals, since one may lie in the data that was restored. */
export async function leadersRenew(kubectl: Kubectl, withinMs = RENEWED_WITHIN_MS): Promise<void> {
  for (const name of LEADERS) {
    const renewals = new Set<string>();
    await waitUntil(
      `${name} renews its lease`,
      withinMs,
      async () => {
        const renewal = await renewalOf(kubectl, name);
        if (renewal !== '') renewals.add(renewal);
        return renewals.size >= 3;
      },
      500,
    );
  }
}
