import type { NodeEnd } from '../../lambdas/contract/restore';
import type { MemberView } from '../../lambdas/etcd/cluster-view';
import type { ListedMember } from '../../lambdas/etcd/surgeon';
import { reachable, unreachable } from '../backup/factories';
import type { FactsChange } from '../nodes/facts';
import { factsOf } from '../nodes/facts';

export const instance = (number: number): string => `i-0000000${number}`;
export const peerUrl = (number: number): string => `https://10.0.1.${number}:2380`;
export const clientUrl = (number: number): string => `https://10.0.1.${number}:2379`;

export const listed = (number: number, change: Partial<ListedMember> = {}): ListedMember => ({
  id: `a${number}`,
  name: `m${number}`,
  peerUrls: [peerUrl(number)],
  clientUrls: [clientUrl(number)],
  isLearner: false,
  ...change,
});

/** `facts` of a node whose etcd is set up as the member of that number. */
export const nodeFacts = (number: number, change: FactsChange = {}): NodeEnd => ({
  instanceId: instance(number),
  host: `host-${number}`,
  outcome: 'done',
  result: factsOf({
    ...change,
    etcd: { name: `m${number}`, peerUrls: peerUrl(number), clientUrl: clientUrl(number), ...change.etcd },
  }),
});

export const serves = (number: number, change: { readonly leaderId?: string } = {}): MemberView =>
  reachable(clientUrl(number), { id: `a${number}`, leaderId: 'a1', ...change });
export const silent = (number: number): MemberView => unreachable(clientUrl(number));
