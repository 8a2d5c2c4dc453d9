import { mintForRepair } from '../../lambdas/certificates/repair';
import type { RepairEdges } from '../../lambdas/certificates/repair';
import { archiveOf } from '../../lambdas/certificates/archive';
import type { NodeSetSecret } from '../../lambdas/contract/certificates';
import type { RepairPlan } from '../../lambdas/contract/repair-certificates';
import type { NodeEnd } from '../../lambdas/contract/restore';
import { inspect } from '../../lambdas/pki/inspect';
import { issueLeaf, newAuthority } from '../../lambdas/pki/issue';
import { PROFILES } from '../../lambdas/pki/profiles';
import { NOW, inDays, toldNode } from './told-nodes';

const authority = newAuthority('cluster', { generation: 1, notAfter: inDays(1000), now: inDays(-400) });
const SETTINGS = { leafValidityDays: 90, renewBeforeDays: 30, caValidityYears: 5, api: { addresses: [], extraSans: [] } };
const secretOf = ({ cert, key }: { cert: string; key?: string }) => {
  const { sha256: id } = inspect(cert);
  return {
    version: 1,
    authority: 'cluster',
    generations: [{ id, certificate: cert, ...(key && { key }), since: NOW.toISOString() }],
    issuing: id,
  } as const;
};

/** What a node with one API server and nothing else tells, whose client certificate ends then. */
async function told(notAfter: Date, ca = authority.cert): Promise<NodeEnd> {
  const { facts } = toldNode(1);
  const leaf = issueLeaf(authority, PROFILES['scheduler.conf']({ nodeName: 'master-1' }), { notAfter, now: inDays(-300) });
  const files = new Map([
    ['pki/ca.crt', ca],
    ['kubeconfigs/scheduler.conf.crt', leaf.cert],
    ['kubeconfigs/scheduler.conf.ca.crt', ca],
    ['kubeconfigs/scheduler.conf.server', 'https://10.0.0.1:6443'],
  ]);
  const etcd = { runs: 'absent', clientUrls: [], peerUrls: [], listenClientUrls: [], listenPeerUrls: [] };
  const result = { ...facts, apiserver: null, etcd, pairs: { 'scheduler.conf': 'matches' }, archive: await archiveOf(files) };
  return { instanceId: 'i-0123456789abcdef0', host: 'master-1', outcome: 'done', result };
}

async function mint(end: NodeEnd, secret: ReturnType<typeof secretOf> | undefined = secretOf(authority), request = {}) {
  const sets: NodeSetSecret[] = [];
  const edges: RepairEdges = {
    cluster: 'prod',
    registered: async () => [],
    pki: {
      authority: async (name) => (name === 'cluster' ? { ...secret, generations: [...secret.generations] } : undefined),
      serviceAccounts: async () => undefined,
    },
    putSet: async (_name, set) => `version-${sets.push(set)}`,
    etcdClient: async () => undefined,
    putEtcdClient: async () => undefined,
    telemetry: { log: () => undefined, warn: () => undefined },
    now: () => NOW,
  };
  const asked = [{ instanceId: end.instanceId, host: end.host }];
  const found = {
    request: { force: false, waitForNodesSeconds: 1, ...request },
    restoreId: 'r',
    lock: 'control-plane',
    asked,
    facts: [end],
  } as const;
  const { planned } = (await mintForRepair(edges, SETTINGS, { ...found, asked: [...found.asked], facts: [end] })) as {
    planned: { plan: RepairPlan };
  };
  return { plan: planned.plan, sets };
}

describe('mintForRepair', () => {
  test('mints for a node whose certificate has ended, and says by which version it is installed', async () => {
    const { plan, sets } = await mint(await told(inDays(-1)));

    expect(plan.nodes).toMatchObject([
      { host: 'master-1', parameters: { secretId: 'lifeboat/prod/pki/nodes/i-0123456789abcdef0', secretVersion: 'version-1' } },
    ]);
    expect(plan.nodes[0]?.because.join()).toMatch(/scheduler\.conf: it ended on/);
    expect(sets[0]?.certificates.map(({ leaf }) => leaf)).toEqual(['scheduler.conf']);
    expect(new Date(sets[0]!.certificates[0]!.notAfter)).toEqual(inDays(90));
  });

  test('leaves a node alone whose certificates do their work, unless it is forced', async () => {
    const well = await told(inDays(200));

    expect((await mint(well)).plan).toMatchObject({ nodes: [], left: [{ because: 'all its certificates do their work' }] });
    expect((await mint(well, undefined, { force: true })).plan.nodes).toHaveLength(1);
  });

  test('leaves out who was left out', async () => {
    expect((await mint(await told(inDays(-1)), undefined, { nodes: ['i-0fedcba9876543210'] })).plan).toMatchObject({
      nodes: [],
      left: [{ because: 'it was left out' }],
    });
  });

  test('refuses without the key of the authority, and says to adopt', async () => {
    await expect(mint(await told(inDays(-1)), secretOf({ cert: authority.cert }))).rejects.toMatchObject({
      name: 'RepairRefused',
      message: expect.stringMatching(/adopt the cluster first/) as string,
    });
  });

  test('refuses to sign by another authority than the node has', async () => {
    const other = newAuthority('cluster', { generation: 2, notAfter: inDays(1000), now: inDays(-400) });

    await expect(mint(await told(inDays(-1)), secretOf(other))).rejects.toMatchObject({
      name: 'RepairRefused',
      message: expect.stringMatching(/its secret has/) as string,
    });
  });
});
