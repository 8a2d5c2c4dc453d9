import { archiveOf } from '../../lambdas/certificates/archive';
import { proveNode } from '../../lambdas/certificates/prove-node';
import type { NodeSetSecret } from '../../lambdas/contract/certificates';
import type { Port, Served } from '../../lambdas/ports/served-certificate';

const NOW = new Date('2026-11-26T12:00:00Z');
const ID = (digit: string) => digit.repeat(64);
const LEAVES = ['apiserver', 'apiserver-kubelet-client', 'etcd/server', 'apiserver-etcd-client', 'etcd/peer'] as const;

/** A set whose files say which set they are of. */
const setOf = async (name: 'new' | 'former', digit: string, notAfter: string): Promise<NodeSetSecret> => ({
  version: 1,
  node: { instanceId: 'i-0123456789abcdef0', host: 'master-1', nodeName: 'master-1' },
  mintedAt: NOW.toISOString(),
  signers: {},
  certificates: LEAVES.map((leaf) => ({ leaf, sha256: ID(digit), serial: digit, notAfter })),
  trusted: { cluster: 'the cluster CA', etcd: 'the etcd CA' },
  ports: [
    { leaf: 'apiserver', host: '10.0.0.1', port: 6443 },
    { leaf: 'etcd/server', host: '10.0.0.1', port: 2379 },
    { leaf: 'etcd/peer', host: '10.0.0.1', port: 2380 },
  ],
  archive: await archiveOf(
    new Map(LEAVES.flatMap((leaf) => [[`pki/${leaf}.crt`, `${name} ${leaf}`] as const, [`pki/${leaf}.key`, 'key'] as const])),
  ),
});

const WELL: Served = { sha256: ID('a'), accepted: true, status: 200, because: 'both sides accept each other' };

/** How the ports answer, by `<port> <whose client certificate>`; well, unless it is said otherwise. */
async function prove(answers: Readonly<Record<string, Partial<Served>>> = {}, options: { ended?: boolean; first?: boolean } = {}) {
  const asked: Port[] = [];
  const former = options.first ? undefined : await setOf('former', 'b', options.ended ? '2026-11-26T11:59:59Z' : '2027-01-01T00:00:00Z');
  const proof = await proveNode(
    await setOf('new', 'a', '2027-02-24T00:00:00Z'),
    former,
    async (port) => {
      asked.push(port);
      const who = port.client?.cert.split(' ')[0] ?? 'nobody';
      const { sha256 = WELL.sha256, ...rest } = { ...WELL, ...answers[`${port.port} ${who}`] };
      return sha256 === '' ? rest : { ...rest, sha256 };
    },
    NOW,
  );
  return { ...proof, asked };
}

describe('proving what a node serves', () => {
  test('tries every port by the new client certificate and by the one before it, each against its own authority', async () => {
    const { proven, reached, asked } = await prove();

    expect({ proven, reached }).toEqual({ proven: true, reached: true });
    expect(asked.map(({ port, ca, client }) => `${port} ${ca}: ${client?.cert}`).sort()).toEqual([
      '2379 the etcd CA: former apiserver-etcd-client',
      '2379 the etcd CA: new apiserver-etcd-client',
      '2380 the etcd CA: former etcd/peer',
      '2380 the etcd CA: new etcd/peer',
      '6443 the cluster CA: former apiserver-kubelet-client',
      '6443 the cluster CA: new apiserver-kubelet-client',
    ]);
  });

  test('asks the API server for something that is not for everybody', async () => {
    const { asked } = await prove();

    expect(new Set(asked.map(({ port, path }) => `${port} ${path}`))).toEqual(
      new Set(['6443 /api/v1/namespaces/kube-system', '2379 undefined', '2380 undefined']),
    );
  });

  test.each<[string, Readonly<Record<string, Partial<Served>>>, RegExp]>([
    [
      'a port that serves another certificate',
      { '2379 new': { sha256: ID('b') } },
      /etcd\/server at 10\.0\.0\.1:2379 serves bbbb.*not aaaa/,
    ],
    [
      'a port that refuses the new client certificate',
      { '2380 new': { accepted: false, because: 'alert bad certificate' } },
      /2380, tried by the new.*bad certificate/,
    ],
    [
      'a port that refuses the client certificate before it',
      { '6443 former': { accepted: false, because: '401' } },
      /6443, tried by the client certificate before/,
    ],
    ['a group that has no rights any more', { '6443 new': { status: 403 } }, /answers 403 to the new client certificate/],
  ])('does not let %s pass', async (_sentence, answers, because) => {
    const { proven, reached, because: lines } = await prove(answers);

    expect({ proven, reached }).toEqual({ proven: false, reached: true });
    expect(lines.join('\n')).toMatch(because);
  });

  test('takes a 403 that the one before gets too, and trouble of the API server, for no fault of the certificates', async () => {
    expect(await prove({ '6443 new': { status: 403 }, '6443 former': { status: 403 } })).toMatchObject({ proven: true });
    expect(await prove({ '6443 new': { status: 500 }, '6443 former': { status: 200 } })).toMatchObject({ proven: true });
  });

  test('does not try a client certificate that has ended, nor one before the first', async () => {
    const broken = { '2379 former': { accepted: false }, '2380 former': { accepted: false }, '6443 former': { accepted: false } };

    expect(await prove(broken, { ended: true })).toMatchObject({ proven: true });
    expect((await prove(broken, { first: true })).asked).toHaveLength(3);
  });

  test('says of a port that gave no certificate that it was not reached', async () => {
    const { proven, reached, because } = await prove({ '2379 new': { sha256: '', accepted: false, because: 'no answer within 5000 ms' } });

    expect({ proven, reached }).toEqual({ proven: false, reached: false });
    expect(because).toEqual([expect.stringMatching(/2379 serves nothing.*no answer within 5000 ms/)]);
  });
});
