import { profileFor, withUnexplained } from '../../lambdas/certificates/profile-for';
import type { LeafName } from '../../lambdas/contract/certificate-names';
import { certificate, toldNode } from './told-nodes';

const NAMES = { dns: ['master-1'], ips: ['10.0.0.1'] };
const having = (leaf: LeafName, organizations: string[], sans = { dns: ['old.example.com'], ips: ['10.0.0.1'] }) =>
  toldNode(1, {
    leaves: new Map([[leaf, certificate('before', { sans, subject: { text: 'x', commonName: 'x', organizations, der: '' } })]]),
  });
const organization = (leaf: LeafName, before: string[]) => profileFor(leaf, 'master-1', NAMES, having(leaf, before)).subject.organization;

describe('the group that a certificate puts its owner into', () => {
  test.each<[string, LeafName, string[], string | undefined]>([
    ['is kubeadm’s own today', 'admin.conf', ['kubeadm:cluster-admins'], 'kubeadm:cluster-admins'],
    ['stays the one that is always in, where it was that', 'admin.conf', ['system:masters'], 'system:masters'],
    ['stays so of the client of kubelets', 'apiserver-kubelet-client', ['system:masters'], 'system:masters'],
    ['is none for a client of etcd', 'apiserver-etcd-client', [], undefined],
    ['is never more than its profile says, elsewhere', 'scheduler.conf', ['system:masters'], undefined],
    ['is that of its profile whatever else was there', 'admin.conf', ['somebody'], 'kubeadm:cluster-admins'],
  ])('%s: %s', (_sentence, leaf, before, expected) => {
    expect(organization(leaf, before)).toBe(expected);
  });
});

describe('withUnexplained', () => {
  test('keeps the names of the certificate before while kubeadm’s config is not known, since it may be there that they come from', () => {
    expect(withUnexplained('apiserver', NAMES, having('apiserver', []), false)).toEqual({
      dns: ['master-1', 'old.example.com'],
      ips: ['10.0.0.1'],
    });
  });

  test('keeps none that nobody asks for once everything is known, and none where there was no certificate', () => {
    expect(withUnexplained('apiserver', NAMES, having('apiserver', []), true)).toEqual(NAMES);
    expect(withUnexplained('etcd/peer', NAMES, having('apiserver', []), false)).toEqual(NAMES);
  });
});
