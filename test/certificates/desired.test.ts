import { desiredLeaves } from '../../lambdas/certificates/desired';
import type { ClusterPlace, NodePlace } from '../../lambdas/certificates/desired';
import { LEAF_NAMES } from '../../lambdas/contract/certificate-names';
import type { LeafName } from '../../lambdas/contract/certificate-names';

const NODE: NodePlace = {
  nodeName: 'master-1',
  advertiseAddress: '10.0.1.10',
  serviceSubnet: '10.96.0.0/12',
  etcdClientUrls: ['https://10.0.1.10:2379', 'https://127.0.0.1:2379'],
  etcdPeerUrls: ['https://10.0.1.10:2380'],
};
const CLUSTER: ClusterPlace = {
  dnsDomain: 'cluster.local',
  apiNames: ['api.k8s.example.com'],
  etcdServerNames: [],
  etcdPeerNames: [],
  everythingIsKnown: true,
};
const ALL = new Set(LEAF_NAMES);

const namesOf = (leaf: LeafName, node: Partial<NodePlace> = {}, cluster: Partial<ClusterPlace> = {}) =>
  desiredLeaves({ ...NODE, ...node }, { ...CLUSTER, ...cluster }, ALL).find((each) => each.leaf === leaf)?.names;

describe('desiredLeaves', () => {
  test("names in the API server's certificate what kubeadm names, and the name that clients use", () => {
    expect(namesOf('apiserver')).toEqual({
      dns: [
        'api.k8s.example.com',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        'master-1',
      ],
      ips: ['10.0.1.10', '10.96.0.1'],
    });
  });

  test('follows another domain, a second service subnet and a new balancer', () => {
    const names = namesOf(
      'apiserver',
      { serviceSubnet: '10.96.0.0/12,fd00:10:96::/112' },
      { dnsDomain: 'corp', apiNames: ['lb.example.com', '203.0.113.10'] },
    );

    expect(names?.dns).toEqual(expect.arrayContaining(['kubernetes.default.svc.corp', 'lb.example.com']));
    expect(names?.dns).not.toContain('api.k8s.example.com');
    expect(names?.ips).toEqual(expect.arrayContaining(['fd00:10:96::1', '203.0.113.10']));
  });

  test('names where the API server listens when that is one address, and never all of them', () => {
    expect(namesOf('apiserver', { bindAddress: '10.9.9.9' })?.ips).toContain('10.9.9.9');
    expect(namesOf('apiserver', { bindAddress: '0.0.0.0' })?.ips).not.toContain('0.0.0.0');
    expect(namesOf('apiserver', { bindAddress: '::' })?.ips).not.toContain('::');
  });

  test.each(['etcd/server', 'etcd/peer'] as const)('names in %s the node, localhost and where etcd is reached', (leaf) => {
    expect(namesOf(leaf)).toEqual({ dns: ['localhost', 'master-1'], ips: ['10.0.1.10', '127.0.0.1', '::1'] });
  });

  test('leaves out the address that stands for all, on which etcd may listen', () => {
    expect(namesOf('etcd/server', { etcdClientUrls: ['https://0.0.0.0:2379', 'https://[::]:2379'] })?.ips).toEqual([
      '10.0.1.10',
      '127.0.0.1',
      '::1',
    ]);
  });

  test('adds what kubeadm-config adds to the certificates of etcd, to each its own', () => {
    const more = { etcdServerNames: ['etcd.example.com'], etcdPeerNames: ['peer.example.com'] };

    expect(namesOf('etcd/server', {}, more)?.dns).toEqual(['etcd.example.com', 'localhost', 'master-1']);
    expect(namesOf('etcd/peer', {}, more)?.dns).toEqual(['localhost', 'master-1', 'peer.example.com']);
  });

  test('wants what is missing on the node, except what only some nodes have', () => {
    const leaves = desiredLeaves(NODE, CLUSTER, new Set()).map(({ leaf }) => leaf);

    expect(leaves).toEqual(LEAF_NAMES.filter((leaf) => leaf !== 'super-admin.conf' && leaf !== 'kubelet.conf'));
  });

  test('wants none of etcd’s own where etcd runs elsewhere', () => {
    const leaves = desiredLeaves({ ...NODE, etcdClientUrls: [], etcdPeerUrls: [] }, CLUSTER, new Set()).map(({ leaf }) => leaf);

    expect(leaves.filter((leaf) => leaf.startsWith('etcd/'))).toEqual([]);
    expect(leaves).toContain('apiserver-etcd-client');
  });
});
