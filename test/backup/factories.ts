import type { MemberStatus, MemberView } from '../../lambdas/etcd/cluster-view';

export const memberStatus = (overrides: Partial<MemberStatus> = {}): MemberStatus => ({
  id: 'a1',
  name: 'master-1',
  clusterId: 'c0ffee',
  version: '3.6.16',
  leaderId: 'b2',
  isLearner: false,
  dbSize: 100_000,
  revision: 1_000,
  raftIndex: 2_000,
  raftAppliedIndex: 2_000,
  alarms: [],
  ...overrides,
});

export const reachable = (endpoint: string, overrides: Partial<MemberStatus> = {}): MemberView => ({
  endpoint,
  reachable: true,
  status: memberStatus({ name: endpoint, ...overrides }),
});

export const unreachable = (endpoint: string, kind: 'tls' | 'network' = 'network', because = 'connection refused'): MemberView => ({
  endpoint,
  reachable: false,
  kind,
  because,
});
