import { GetObjectCommand } from '@aws-sdk/client-s3';
import { RepairReport } from '../../../lambdas/contract/repair-certificates';
import { repairKey } from '../../../lambdas/contract/s3-keys';
import { issueCertificate } from '../../../local/etcd/certificates';
import type { LocalNode } from '../../../local/nodes';
import { CertificateWorld } from './world';

jest.setTimeout(300_000);

const DAY_MS = 86_400_000;

describe('repairing a cluster whose certificates have ended', () => {
  let world: CertificateWorld;
  beforeAll(async () => {
    world = await CertificateWorld.start();
    expect((await world.adopt()).report?.outcome).toBe('ADOPTED');
    await world.nothingIsPending();
  });
  afterAll(() => world.stop());

  async function repair(input: object = {}) {
    const execution = await world.lifeboat.repair?.start({ waitForNodesSeconds: 5, ...input });
    const end = await execution?.wait({ timeoutMs: 240_000 });
    const Key = repairKey('demo', execution?.name ?? '');
    const stored = await world.lifeboat.s3.send(new GetObjectCommand({ Bucket: world.lifeboat.bucket, Key })).catch(() => undefined);
    const text = await stored?.Body?.transformToString();
    return { end, report: text === undefined ? undefined : RepairReport.parse(JSON.parse(text)) };
  }

  /** What a year without a renewal leaves. */
  function end(node: LocalNode): void {
    const ended = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
    for (const [file, text] of Object.entries(node.issuer.files(ended))) world.write(node, file.replace(/^kubeconfigs\//, ''), text);
  }

  test('brings back everything, after a night in which all of it was off, by one execution', async () => {
    const { etcd: authority } = world.nodes.authorities;
    const ended = issueCertificate(authority, { commonName: 'lifeboat', usage: 'client', notAfter: new Date(Date.now() - DAY_MS) });
    await world.lifeboat.putSecret({ ca: authority.cert, ...ended });
    for (const node of world.nodes.nodes) {
      end(node);
      await node.powerOff();
    }
    for (const node of world.nodes.nodes) await node.reboot();
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'failed' });

    const { end: ending, report } = await repair();

    expect({ status: ending?.status, outcome: report?.outcome, findings: report?.findings, todo: report?.whatToDo }).toEqual({
      status: 'SUCCEEDED',
      outcome: 'REPAIRED',
      findings: [],
      todo: expect.any(Array) as string[],
    });
    expect(report?.plan).toMatchObject({ etcdClient: 'renewed', left: [] });
    await Promise.all(world.nodes.nodes.map((node) => node.ready()));
    await Promise.all(world.nodes.nodes.map((node) => node.apiserverReady()));
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned', result: { verified: true } });
    expect((await world.functionLogs()).join('')).not.toContain('PRIVATE KEY');

    expect((await repair()).report).toMatchObject({ outcome: 'NOTHING_TO_DO', plan: { nodes: [], etcdClient: 'kept' } });
  });

  test('refuses a node that is none of the control plane, by name', async () => {
    const { end: ending } = await repair({ nodes: ['i-0123456789abcdef0'] });

    expect(ending).toMatchObject({
      status: 'FAILED',
      cause: expect.stringMatching(/i-0123456789abcdef0 is no control-plane node/) as string,
    });
  });

  test('tells of the node that it did not reach, and repairs the others', async () => {
    const [away, ended] = [world.node(3), world.node(2)];
    away.vanish();
    end(ended);

    const { end: ending, report } = await repair({ waitForNodesSeconds: 1 });

    away.comeBack();
    expect(ending?.status).toBe('FAILED');
    expect(report).toMatchObject({
      outcome: 'NEEDS_HANDS',
      plan: { left: expect.arrayContaining([expect.objectContaining({ instanceId: away.instanceId })]) as object[] },
    });
    expect(report?.ends.find(({ instanceId }) => instanceId === ended.instanceId)?.outcome).toBe('done');
  });
});
