import { judgeScan } from '../../lambdas/certificates/scan';
import type { ScanEdges } from '../../lambdas/certificates/scan';
import { archiveOf } from '../../lambdas/certificates/archive';
import { CertificateInventory } from '../../lambdas/contract/certificate-scan';
import type { NodeEnd } from '../../lambdas/contract/restore';
import { issueLeaf, newAuthority } from '../../lambdas/pki/issue';
import { PROFILES } from '../../lambdas/pki/profiles';
import { NOW, inDays, toldNode } from './told-nodes';

const authority = newAuthority('cluster', { generation: 1, notAfter: inDays(1000), now: inDays(-400) });
const SETTINGS = { leafValidityDays: 90, renewBeforeDays: 30, caValidityYears: 5, api: { addresses: [], extraSans: [] } };
const NODE = { instanceId: 'i-0123456789abcdef0', host: 'master-1' };

async function told(notAfter: Date): Promise<NodeEnd> {
  const leaf = issueLeaf(authority, PROFILES['scheduler.conf']({ nodeName: 'master-1' }), { notAfter, now: inDays(-300) });
  const files = new Map([
    ['pki/ca.crt', authority.cert],
    ['kubeconfigs/scheduler.conf.crt', leaf.cert],
    ['kubeconfigs/scheduler.conf.ca.crt', authority.cert],
    ['kubeconfigs/scheduler.conf.server', 'https://10.0.0.1:6443'],
  ]);
  const etcd = { runs: 'absent', clientUrls: [], peerUrls: [], listenClientUrls: [], listenPeerUrls: [] };
  const { facts } = toldNode(1);
  return {
    ...NODE,
    outcome: 'done',
    result: { ...facts, apiserver: null, etcd, pairs: { 'scheduler.conf': 'matches' }, archive: await archiveOf(files) },
  };
}

interface Situation {
  readonly facts: NodeEnd[];
  readonly lastRotated?: Date | 'never enrolled';
  readonly renew?: boolean;
}

async function scan({ facts, lastRotated, renew = true }: Situation) {
  const rotated: string[] = [];
  const metrics: Record<string, number> = {};
  let written = '';
  const edges: ScanEdges = {
    cluster: 'prod',
    registered: async () => [],
    write: async (text) => void (written = text),
    lastRotated: async () => {
      if (lastRotated === 'never enrolled') throw new Error('ResourceNotFoundException');
      return lastRotated;
    },
    rotate: async (name) => void rotated.push(name),
    telemetry: { log: () => undefined, warn: () => undefined, count: (name, value) => void (metrics[name] = value) },
    now: () => NOW,
  };
  const answer = await judgeScan(edges, SETTINGS, { do: 'judge', request: { waitForNodesSeconds: 1, renew, exchange: false }, facts });
  return { answer, rotated, metrics, inventory: CertificateInventory.parse(JSON.parse(written)) };
}

describe('judgeScan', () => {
  test('measures, writes what it found, and rotates nothing that lasts', async () => {
    const { answer, rotated, metrics, inventory } = await scan({ facts: [await told(inDays(200))] });

    expect(answer).toEqual({ daysLeft: 200, findings: 0, renewing: null });
    expect(rotated).toEqual([]);
    expect(metrics).toEqual({ CertificateDaysLeft: 200, AuthorityDaysLeft: 1000, CertificatesWrong: 0 });
    expect(inventory.nodes[0]?.certificates).toMatchObject([{ leaf: 'scheduler.conf', verdict: 'keep' }]);
  });

  test.each<[string, Omit<Situation, 'facts'>, string[]]>([
    ['starts the rotation of what is due', {}, ['lifeboat/prod/pki/nodes/i-0123456789abcdef0']],
    ['starts it again after more than a week', { lastRotated: inDays(-8) }, ['lifeboat/prod/pki/nodes/i-0123456789abcdef0']],
    ['starts none that was fruitless within the week', { lastRotated: inDays(-6) }, []],
    ['starts none of a node that was never adopted', { lastRotated: 'never enrolled' }, []],
    ['starts none when it is told not to', { renew: false }, []],
  ])('%s', async (_sentence, situation, secrets) => {
    const { rotated, answer, inventory } = await scan({ facts: [await told(inDays(10))], ...situation });

    expect(rotated).toEqual(secrets);
    expect(answer.renewing).toBe(secrets.length === 0 ? null : 'master-1');
    expect(inventory.findings).toMatchObject([{ severity: 'soon', where: 'master-1' }]);
  });

  test('says nothing of days where no node told anything, so that the alarm on missing data hears it', async () => {
    const { metrics, inventory } = await scan({ facts: [{ ...NODE, outcome: 'done', result: { no: 'facts' } }] });

    expect(metrics).toEqual({ CertificatesWrong: 1 });
    expect(inventory.nodes[0]?.silent).toMatch(/^garbled/);
  });
});
