import { HandedPlan } from '../../lambdas/contract/restore';
import type { RestorePlan } from '../../lambdas/contract/restore';

/** plan.json of a restore of three members. */
export function plan({
  inventory = {},
  ...change
}: Partial<RestorePlan> & { readonly inventory?: Record<string, number> } = {}): RestorePlan {
  const members = [1, 2, 3].map((number) => ({
    instanceId: `i-0000000${number}`,
    host: `master-${number}`,
    name: `m${number}`,
    peerUrls: `https://10.0.1.${number}:2380`,
    endpoint: `https://10.0.1.${number}:2379`,
  }));
  return {
    version: 1,
    restoreId: 'run-1',
    cluster: 'prod',
    mode: 'in-place',
    madeAt: '2026-11-26T03:00:00.000Z',
    snapshot: {
      id: '20261126T020000Z-0000000a',
      takenAt: '2026-11-26T02:00:00.000Z',
      lineage: 'a1',
      revision: 900,
      compactRevision: 100,
      verified: true,
      etcd: '3.6.16',
      objects: 3,
      plainBytes: 4128,
      inventory,
    },
    members,
    apiNodes: members.map(({ instanceId, host }) => ({ instanceId, host })),
    endpoints: members.map(({ endpoint }) => endpoint),
    bump: { needed: true, estimate: 5_000, servedUpTo: 1_000, because: 'the ledger' },
    loss: { seconds: 3_600, objects: {} },
    pki: [],
    warnings: [],
    parameters: {
      stage: {},
      stopApiserver: {},
      stopEtcd: {},
      restoreData: { restoreId: 'run-1', clusterToken: 'lifeboat-run-1' },
      startEtcd: {},
      startApiserver: {},
    },
    ...change,
  };
}

export const handedPlan = (change: Parameters<typeof plan>[0] = {}): HandedPlan => HandedPlan.parse(plan(change));
export const storedPlan = (change: Parameters<typeof plan>[0] = {}): string => JSON.stringify(plan(change));
