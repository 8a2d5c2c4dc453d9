import { planAdoption } from '../../lambdas/certificates/plan-adoption';
import type { AdoptionInput } from '../../lambdas/certificates/plan-adoption';
import { clusterPlaceOf } from '../../lambdas/certificates/cluster-place';
import type { ToldNode } from '../../lambdas/certificates/told-node';
import { NOW, authority, certificate, idOf, inDays, toldNode } from './told-nodes';

const HELD = { ids: [], withKey: [] };
const held = (word: string, key = true) => ({ ...HELD, ids: [idOf(word)], withKey: key ? [idOf(word)] : [] });
const ALL_HELD = {
  cluster: held('kubernetes'),
  etcd: held('etcd-ca'),
  'front-proxy': held('front-proxy-ca'),
  'service-accounts': held('sa'),
};
const CLUSTER = clusterPlaceOf([], { addresses: [], extraSans: [] });
const plan = (nodes: readonly ToldNode[], rest: Partial<AdoptionInput> = {}) =>
  planAdoption({ restoreId: 'adopt-1', nodes, held: {}, verdicts: new Map(), cluster: CLUSTER, leafValidityDays: 90, now: NOW, ...rest });
const three = () => [toldNode(1), toldNode(2), toldNode(3)];
const withAuthority = (number: number, name: 'cluster' | 'etcd', told: ReturnType<typeof authority> | 'unparsable') =>
  toldNode(number, { authorities: new Map([...toldNode(number).authorities, [name, told]]) });

describe('planAdoption', () => {
  test('takes everything from one node, and finds nothing wrong with nodes that agree', () => {
    const { authorities, handOver, findings, serviceAccounts } = plan(three());

    expect(authorities.map((each) => `${each.authority} ${each.key}`)).toEqual(['cluster import', 'etcd import', 'front-proxy import']);
    expect(serviceAccounts?.key).toBe('import');
    expect(handOver).toEqual([{ instanceId: 'i-00000000000000001', host: 'master-1' }]);
    expect(findings).toEqual([]);
  });

  test('asks nobody for what the secrets hold already', () => {
    const { authorities, handOver } = plan(three(), { held: ALL_HELD });

    expect(new Set(authorities.map(({ key }) => key))).toEqual(new Set(['held']));
    expect(handOver).toEqual([]);
  });

  test('takes a key that has turned up since', () => {
    const { authorities, handOver } = plan(three(), { held: { ...ALL_HELD, cluster: held('kubernetes', false) } });

    expect(authorities[0]).toMatchObject({ key: 'import', stored: true });
    expect(handOver).toHaveLength(1);
  });

  test('takes from the node that has all the keys', () => {
    const without = (number: number) => toldNode(number, { facts: { authorityKeys: { ...toldNode(1).facts.authorityKeys, etcd: false } } });

    expect(plan([without(1), without(2), toldNode(3)]).handOver[0]?.host).toBe('master-3');
  });

  test('knows an authority without a key anywhere as external, and still wants its certificate once', () => {
    const external = { facts: { authorityKeys: { cluster: false, etcd: true, frontProxy: true, serviceAccounts: true } } };
    const nodes = [toldNode(1, external), toldNode(2, external)];

    expect(plan(nodes).authorities[0]).toMatchObject({ key: 'external', stored: false });
    expect(plan(nodes, { held: { ...ALL_HELD, cluster: held('kubernetes', false) } }).handOver).toEqual([]);
  });

  test.each<[string, () => ToldNode[], RegExp]>([
    [
      'different authorities',
      () => [toldNode(1), withAuthority(2, 'etcd', authority('other'))],
      /different etcd authorities: master-1 .*, master-2 /,
    ],
    [
      'an authority that cannot be read',
      () => [withAuthority(1, 'cluster', 'unparsable')],
      /cluster authority on master-1 holds no certificate/,
    ],
    [
      'two authorities in one file',
      () => [withAuthority(1, 'cluster', [...authority('a'), ...authority('b')])],
      /holds 2 certificates: end the rotation/,
    ],
    ['a leaf in the place of an authority', () => [withAuthority(1, 'cluster', [certificate('leaf')])], /is no CA certificate/],
    [
      'keys of another kind',
      () => [withAuthority(1, 'cluster', authority('ec', { keyType: 'ECDSA-P256' }))],
      /key of kind ECDSA-P256, .*only RSA is supported/,
    ],
    ['no authority of the cluster', () => [toldNode(1, { authorities: new Map() })], /no node has a certificate of the cluster authority/],
    [
      'different keys of service accounts',
      () => [toldNode(1), toldNode(2, { serviceAccounts: { id: idOf('x'), publicKey: 'x', keys: [idOf('x')] } })],
      /sa\.pub of master-2 is not that of master-1/,
    ],
    [
      'keys that are scattered',
      () => [
        toldNode(1, { facts: { authorityKeys: { cluster: true, etcd: false, frontProxy: true, serviceAccounts: true } } }),
        toldNode(2, { facts: { authorityKeys: { cluster: false, etcd: true, frontProxy: true, serviceAccounts: true } } }),
      ],
      /no single node has the keys of cluster, etcd, front-proxy, service-accounts/,
    ],
  ])('refuses %s', (_sentence, nodes, message) => {
    expect(() => plan(nodes())).toThrow(message);
  });

  test('refuses the PKI of another cluster in the secrets, and says that it would be lost', () => {
    expect(() => plan(three(), { held: { ...ALL_HELD, etcd: held('of another cluster') } })).toThrow(
      /the secret of etcd holds .* empty that secret by hand/,
    );
  });

  test.each<[string, () => ToldNode[], string]>([
    [
      'a certificate that was copied',
      () => [toldNode(1), toldNode(2, { leaves: toldNode(1).leaves }), toldNode(3)],
      'wrong master-1, master-2: etcd/peer is the same certificate on master-1, master-2: it was copied, and names at most one of them',
    ],
    [
      'a kubeconfig that trusts another authority',
      () => [toldNode(1, { kubeconfigs: new Map([['scheduler.conf', { server: 'https://x', trusts: [idOf('old')] }]]) })],
      'wrong master-1: scheduler.conf does not trust the authority in ca.crt',
    ],
    [
      'a clock that is behind',
      () => [toldNode(1, { facts: { clock: NOW.getTime() / 1000 - 3600 } })],
      'wrong master-1: its clock is 3600 s behind: a new certificate is not valid yet on it',
    ],
    [
      'a clock that is ahead',
      () => [toldNode(1, { facts: { clock: NOW.getTime() / 1000 + 90 } })],
      'wrong master-1: its clock is 90 s ahead: it takes certificates for ended that are not',
    ],
    [
      'a kubelet that embeds',
      () => [toldNode(1, { facts: { kubelet: 'embeds' } })],
      'wrong master-1: kubelet.conf has its first client certificate inside instead of naming kubelet-client-current.pem',
    ],
    [
      'an authority near its end',
      () => [withAuthority(1, 'etcd', authority('etcd-ca', { notAfter: inDays(60) }))],
      `soon all: the etcd authority ends on ${inDays(60).toISOString()}, in 60 days, and no certificate can outlive it`,
    ],
  ])('finds %s', (_sentence, nodes, line) => {
    const lines = plan(nodes()).findings.map(({ severity, where, what }) => `${severity} ${where}: ${what}`);

    expect(lines).toContain(line);
  });

  test('takes no node for wrong whose clock was read long before the slowest one answered', () => {
    expect(plan([toldNode(1, { facts: { clock: NOW.getTime() / 1000 - 300 } })]).findings).toEqual([]);
  });

  test('says of each certificate what is to be done about it', () => {
    const verdicts: AdoptionInput['verdicts'] = new Map([
      ['i-00000000000000001', [{ leaf: 'apiserver', action: 'renew', reason: 'expires-soon', message: 'it ends in 5 days' }]],
      ['i-00000000000000002', [{ leaf: 'etcd/peer', action: 'keep', reason: 'fresh', message: 'it lasts' }]],
    ]);

    expect(plan(three(), { verdicts }).findings).toEqual([
      { severity: 'soon', where: 'master-1', what: 'apiserver: it ends in 5 days (expires-soon)', fix: 'rotate the certificates' },
    ]);
  });
});

describe('names that the first rotation leaves out', () => {
  const sans = { dns: ['master-1', 'localhost', 'old.example.com'], ips: ['10.0.0.1', '127.0.0.1', '::1', '198.51.100.7'] };
  const node = () => toldNode(1, { leaves: new Map([['etcd/peer', certificate('peer', { sans })]]) });

  test('are told once everything that could explain them is known', () => {
    const { findings } = plan([node()], { cluster: { ...CLUSTER, everythingIsKnown: true } });

    expect(findings).toEqual([
      expect.objectContaining({
        severity: 'note',
        where: 'master-1',
        what: expect.stringMatching(/etcd\/peer carries old\.example\.com, 198\.51\.100\.7, which/) as string,
      }),
    ]);
  });

  test('are none when the config explains them', () => {
    const cluster = { ...CLUSTER, everythingIsKnown: true, etcdPeerNames: ['old.example.com', '198.51.100.7'] };

    expect(plan([node()], { cluster }).findings).toEqual([]);
  });

  test('are kept, and not spoken of, while kubeadm-config cannot be read', () => {
    expect(plan([node()]).findings).toEqual([]);
  });
});

describe('clusterPlaceOf', () => {
  const API = { name: 'api.example.com', addresses: ['203.0.113.10'], extraSans: ['vip.example.com'] };

  test('joins what the config and kubeadm-config say', () => {
    const kubeadmConfig = [
      'controlPlaneEndpoint: lb.example.com:6443',
      'networking: { dnsDomain: corp }',
      'apiServer: { certSANs: [extra.example.com] }',
      'etcd: { local: { serverCertSANs: [s.example.com], peerCertSANs: [p.example.com] } }',
    ].join('\n');

    const place = clusterPlaceOf([toldNode(1), { ...toldNode(2), kubeadmConfig }], API);

    expect(place).toEqual({
      dnsDomain: 'corp',
      apiNames: ['api.example.com', '203.0.113.10', 'vip.example.com', 'extra.example.com', 'lb.example.com'],
      etcdServerNames: ['s.example.com'],
      etcdPeerNames: ['p.example.com'],
      everythingIsKnown: true,
    });
  });

  test('without kubeadm-config takes the server of admin.conf for the endpoint, and kubeadm’s domain', () => {
    expect(clusterPlaceOf([toldNode(1)], { addresses: [], extraSans: [] })).toMatchObject({
      everythingIsKnown: false,
      dnsDomain: 'cluster.local',
      apiNames: ['api.example.com'],
    });
  });

  test.each([
    ['no YAML', '{'],
    ['something else', 'networking: 3'],
  ])('believes %s in nothing', (_sentence, kubeadmConfig) => {
    expect(clusterPlaceOf([{ ...toldNode(1), kubeadmConfig }], { addresses: [], extraSans: [] }).dnsDomain).toBe('cluster.local');
  });
});
