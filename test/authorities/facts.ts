import type { NodeFacts, RotationFacts, RotationRequest } from '../../lambdas/authorities/rotation-facts';
import type { AuthorityName, LeafName } from '../../lambdas/contract/certificate-names';
import { LEAF_NAMES, LEAVES } from '../../lambdas/contract/certificate-names';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import { NOW } from '../pki/pki-world';
import { adopted, idOf } from './pki';

export const leaf = (name: LeafName, issuer: string | undefined = idOf(1), keyType = 'RSA-2048') => ({ leaf: name, issuer, keyType });

export const plane = (name: string, overrides: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  role: 'control-plane',
  told: true,
  clockOff: 0,
  signer: 'split',
  runs: ['apiserver', 'controller-manager', 'scheduler', 'etcd', 'kubelet'],
  leaves: LEAF_NAMES.map((each) => leaf(each)),
  ...overrides,
});
export const worker = (name: string, overrides: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  role: 'worker',
  told: true,
  clockOff: -2,
  runs: ['kubelet'],
  leaves: [leaf('kubelet.conf')],
  ...overrides,
});

export const documentOf = (authority: AuthorityName): AuthoritySecret => ({ ...adopted(), authority });
export const facts = (authority: AuthorityName, overrides: Partial<RotationFacts> = {}): RotationFacts => ({
  now: NOW,
  document: documentOf(authority),
  underWay: [],
  nodes: [plane('cp-1'), plane('cp-2'), plane('cp-3'), worker('w-1')],
  missing: [],
  etcd: { voters: 3, healthy: 3, learners: 0 },
  snapshot: { id: 's-1', takenAt: NOW },
  ...overrides,
});
export const request = (authority: AuthorityName, overrides: Partial<RotationRequest> = {}): RotationRequest => ({
  id: 'r-1',
  authority,
  mode: 'planned',
  ...overrides,
});
export const ownLeaf = (authority: AuthorityName): LeafName => LEAF_NAMES.find((each) => LEAVES[each].authority === authority)!;
