import type { LeafName } from '../../lambdas/contract/certificate-names';
import { LEAF_NAMES, LEAVES } from '../../lambdas/contract/certificate-names';
import { BadLeafInput } from '../../lambdas/pki/errors';
import { inspect } from '../../lambdas/pki/inspect';
import { PROFILES } from '../../lambdas/pki/profiles';
import { SANS, authority, leafOf } from './pki-world';

const ADMINS = 'kubeadm:cluster-admins';
const SERVER = ['serverAuth'];
const CLIENT = ['clientAuth'];
const BOTH = ['serverAuth', 'clientAuth'];

// What kubeadm 1.29 and later writes, on node cp-1.
const TABLE: readonly [leaf: LeafName, issuer: string, cn: string, o: string[], eku: string[], sans: boolean][] = [
  ['apiserver', 'kubernetes', 'kube-apiserver', [], SERVER, true],
  ['apiserver-kubelet-client', 'kubernetes', 'kube-apiserver-kubelet-client', [ADMINS], CLIENT, false],
  ['apiserver-etcd-client', 'etcd-ca', 'kube-apiserver-etcd-client', [], CLIENT, false],
  ['etcd/server', 'etcd-ca', 'cp-1', [], BOTH, true],
  ['etcd/peer', 'etcd-ca', 'cp-1', [], BOTH, true],
  ['etcd/healthcheck-client', 'etcd-ca', 'kube-etcd-healthcheck-client', [], CLIENT, false],
  ['front-proxy-client', 'front-proxy-ca', 'front-proxy-client', [], CLIENT, false],
  ['admin.conf', 'kubernetes', 'kubernetes-admin', [ADMINS], CLIENT, false],
  ['super-admin.conf', 'kubernetes', 'kubernetes-super-admin', ['system:masters'], CLIENT, false],
  ['controller-manager.conf', 'kubernetes', 'system:kube-controller-manager', [], CLIENT, false],
  ['scheduler.conf', 'kubernetes', 'system:kube-scheduler', [], CLIENT, false],
  ['kubelet.conf', 'kubernetes', 'system:node:cp-1', ['system:nodes'], CLIENT, false],
];

test.each(TABLE)('%s is by %s, for %s of %j, used as %j', (leaf, issuer, cn, o, eku, sans) => {
  const told = inspect(leafOf(leaf).cert);

  expect(told.issuer.commonName).toMatch(new RegExp(`^${issuer}-g1-[0-9a-f]{8}$`));
  expect(told.subject).toMatchObject({ commonName: cn, organizations: o });
  expect(told).toMatchObject({ eku, ku: ['digitalSignature', 'keyEncipherment'], isCa: false, keyType: 'RSA-2048' });
  expect(told.sans.dns.length + told.sans.ips.length > 0).toBe(sans);
});

test('the table is of all leaves', () => {
  expect(TABLE.map(([leaf]) => leaf)).toEqual(LEAF_NAMES);
});

test('an authority may sign, is called by its own name as kubeadm has it, and is no leaf', () => {
  const told = inspect(authority('front-proxy', 4).cert);

  expect(told).toMatchObject({ isCa: true, ku: ['digitalSignature', 'keyEncipherment', 'keyCertSign'], eku: [] });
  expect(told.sans.dns).toEqual([told.subject.commonName]);
  expect(told.aki).toBe(told.ski);
});

test('an API server has the names that are the same everywhere, and those that are given, each once', () => {
  const { sans } = PROFILES.apiserver({ nodeName: 'cp-1', sans: [...SANS, 'CP-1', '10.96.0.1', 'fd00:0:0::4', '::ffff:10.0.0.4'] });

  expect(sans).toEqual({
    dns: [
      'cp-1',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'api.prod.example.com',
    ],
    ips: ['10.96.0.1', '10.0.0.4', 'fd00::4'],
  });
});

test('a member of etcd is reached by its node and by the loopback addresses', () => {
  expect(PROFILES['etcd/peer']({ nodeName: 'cp-1', sans: ['10.0.0.4'] }).sans).toEqual({
    dns: ['cp-1', 'localhost'],
    ips: ['127.0.0.1', '::1', '10.0.0.4'],
  });
});

const clients = LEAF_NAMES.filter((leaf) => !PROFILES[leaf]({ nodeName: 'cp-1', sans: SANS }).eku.includes('serverAuth'));
test.each(clients)('%s has no names, whatever is given', (leaf) => {
  expect(PROFILES[leaf]({ nodeName: 'cp-1', sans: ['evil.example.com'] })).not.toHaveProperty('sans');
});

test('only etcd is signed by the authority of etcd, and only the front proxy by its own', () => {
  const by = (name: string) => LEAF_NAMES.filter((leaf) => LEAVES[leaf].authority === name);

  expect(by('etcd')).toEqual(['apiserver-etcd-client', 'etcd/server', 'etcd/peer', 'etcd/healthcheck-client']);
  expect(by('front-proxy')).toEqual(['front-proxy-client']);
});

test.each([
  ['a name with a dot at its end', 'api.example.com.', /api\.example\.com\..*without a dot/],
  ['an address with a port', '10.0.0.4:6443', /10\.0\.0\.4:6443.*without port/],
  ['a name beyond ASCII', 'bücher.example', /give it as punycode/],
  ['an address of three numbers', '10.0.4', /10\.0\.4/],
  ['an address beyond 255', '10.0.0.400', /10\.0\.0\.400/],
  ['a wildcard in the middle', 'api.*.example.com', /neither DNS name nor IP/],
  ['an underscore', 'api_server.example.com', /neither DNS name nor IP/],
  ['a URL', 'https://api.example.com', /neither DNS name nor IP/],
  ['nothing', '', /""/],
  ['a label of 64 characters', `${'a'.repeat(64)}.example.com`, /neither DNS name nor IP/],
  ['a name of 254 characters', `${'a.'.repeat(126)}aa`, /neither DNS name nor IP/],
])('%s is refused as a name, and named', (_sentence, san, message) => {
  const profile = () => PROFILES['etcd/server']({ nodeName: 'cp-1', sans: [san] });

  expect(profile).toThrow(BadLeafInput);
  expect(profile).toThrow(message);
});

test.each(['CP-1', '', '*.example.com', '10.0.0.4', 'cp 1'])('"%s" is refused as the name of a node', (nodeName) => {
  expect(() => PROFILES['kubelet.conf']({ nodeName })).toThrow(BadLeafInput);
});

test('an API server without an address is refused: pods reach it by one', () => {
  expect(() => PROFILES.apiserver({ nodeName: 'cp-1', sans: ['api.example.com'] })).toThrow(/give the first service IP/);
});
