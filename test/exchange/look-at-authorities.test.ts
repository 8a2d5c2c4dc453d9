import { createServer } from 'node:tls';
import { activePeersIn, lookAtAuthorities, lookAtEtcd } from '../../lambdas/exchange/look-at-authorities';
import type { MemberView } from '../../lambdas/etcd/cluster-view';
import { freePort } from '../../local/free-port';
import { authority, leafOf } from '../pki/pki-world';
import { listening } from '../ports/listener';
import type { Listener } from '../ports/listener';

const line = (remote: string, value: number): string => `etcd_network_active_peers{Local="a",Remote="${remote}"} ${value}\n`;
const metrics = (...values: readonly number[]): string =>
  `# TYPE etcd_network_active_peers gauge\n${values.map((value, index) => line(`r${index}`, value)).join('')}etcd_network_peer_sent_bytes_total{To="b"} 7\n`;

test.each<[string, string, number | undefined]>([
  ['two links', metrics(1, 1), 2],
  ['one that was lost', metrics(1, 0), 1],
  ['a member alone', metrics(), 0],
  ['no answer', '', undefined],
])('of %s the active peers are counted', (_what, text, count) => {
  expect(activePeersIn(text)).toBe(count);
});

const status = { clusterId: 'c', version: '3.6.1', leaderId: 'm1', dbSize: 1, revision: 1, raftIndex: 1, raftAppliedIndex: 1, alarms: [] };
const member = (name: string, change: object = {}): MemberView => ({
  endpoint: `https://${name}:2379`,
  reachable: true,
  status: { ...status, id: name, name, isLearner: false, ...change },
});
const away = (name: string): MemberView => ({ endpoint: `https://${name}:2379`, reachable: false, because: 'refused', kind: 'network' });
const three = [member('m1'), member('m2'), member('m3')];

describe('etcd', () => {
  const look = (members: readonly MemberView[], told: (endpoint: string) => string | undefined = () => metrics(1, 1), votingMembers = 3) =>
    lookAtEtcd({ members, votingMembers }, async (endpoint) => told(endpoint));

  test('is well when each member has all others as peers', async () => {
    expect(await look(three)).toEqual({ voters: 3, healthy: 3, learners: 0, activePeersOk: true });
    expect(await look([member('m1')], () => metrics(), 1)).toEqual({ voters: 1, healthy: 1, learners: 0, activePeersOk: true });
  });

  test.each<[string, (endpoint: string) => string | undefined]>([
    ['lost a link in one direction', (endpoint) => (endpoint.includes('m2') ? metrics(1, 0) : metrics(1, 1))],
    ['tells no metrics', (endpoint) => (endpoint.includes('m3') ? undefined : metrics(1, 1))],
  ])('has a member that %s', async (_what, told) => {
    expect(await look(three, told)).toMatchObject({ activePeersOk: false, healthy: 3 });
  });

  test('has a member that is away, or knows no leader, or only learns', async () => {
    expect(await look([member('m1'), member('m2'), away('m3')])).toMatchObject({ voters: 3, healthy: 2, activePeersOk: false });
    expect(await look([member('m1'), member('m2'), member('m3', { leaderId: '0' })])).toMatchObject({ healthy: 2, activePeersOk: true });
    expect(await look([...three, member('m4', { isLearner: true })], () => metrics(1, 1, 1))).toMatchObject({
      voters: 3,
      healthy: 3,
      learners: 1,
      activePeersOk: true,
    });
  });

  test('has a member that the lifeboat does not know of: nobody has all others', async () => {
    expect(await look(three, () => metrics(1, 1), 4)).toMatchObject({ voters: 4, healthy: 3, activePeersOk: false });
  });
});

describe('ports', () => {
  const [old, next] = [authority('cluster', 1), authority('cluster', 2)];
  const served = leafOf('apiserver', next);
  let status200: Listener;
  let status500: Listener;
  const serving = (code: number): Promise<Listener> => {
    const server = createServer(
      { cert: served.cert, key: served.key, requestCert: true, rejectUnauthorized: false, ca: [old.cert, next.cert] },
      (socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(`HTTP/1.1 ${code} x\r\nContent-Length: 0\r\n\r\n`));
      },
    );
    server.on('tlsClientError', () => undefined);
    return listening(server);
  };
  beforeAll(async () => {
    [status200, status500] = [await serving(200), await serving(500)];
  });
  afterAll(() => Promise.all([status200.stop(), status500.stop()]));

  test('show what they serve and accept; an API server whether it is ready too', async () => {
    const asked = { place: 'master-1', host: '127.0.0.1' };

    const [ready, not, kubelet] = await lookAtAuthorities([
      { ...asked, component: 'apiserver', port: status200.port },
      { ...asked, component: 'apiserver', port: status500.port },
      { ...asked, component: 'kubelet', port: status200.port },
    ]);

    expect(ready).toMatchObject({ place: 'master-1', ready: true });
    expect(ready?.chain[0]).toBe(served.cert);
    expect([...(ready?.acceptable ?? [])].sort()).toEqual([
      expect.stringMatching(/^CN=kubernetes-g1-/),
      expect.stringMatching(/^CN=kubernetes-g2-/),
    ]);
    expect(not?.ready).toBe(false);
    expect(kubelet).not.toHaveProperty('ready');
  });

  test('that are closed say why, and fail nobody else', async () => {
    const [found] = await lookAtAuthorities([{ place: 'master-1', component: 'kubelet', host: '127.0.0.1', port: await freePort() }]);

    expect(found).toMatchObject({ chain: [], because: expect.stringMatching(/ECONNREFUSED/) as string });
    expect(found).not.toHaveProperty('acceptable');
  });
});
