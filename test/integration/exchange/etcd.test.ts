import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { AuthoritySecret, authoritySecretName } from '../../../lambdas/contract/certificates';
import { exchangeKey } from '../../../lambdas/contract/s3-keys';
import { EtcdClientSecret } from '../../../lambdas/contract/secrets';
import { waitUntil } from '../../../local/child-process';
import type { Execution } from '../../../local/cloud';
import { rotateNode } from '../../../local/rotation';
import { startWriter } from '../../support/steady-writer';
import { CertificateWorld } from '../certificates/world';

jest.setTimeout(900_000);

const QUICK = { authority: 'etcd', approval: 'automatic', soakSeconds: 0, canarySeconds: 0, waitForNodesSeconds: 10 };

describe('exchanging the authority of etcd, deployed', () => {
  let world: CertificateWorld;
  beforeAll(async () => {
    world = await CertificateWorld.start();
    await world.adopt();
    await world.nothingIsPending();
    await world.lifeboat.takeSnapshot();
  });
  afterAll(() => world.stop());
  afterEach(() => world.nodes.nodes.forEach((node) => node.heal()));

  const start = async (input: object): Promise<Execution> => {
    if (world.lifeboat.rotateCa === undefined) throw new Error('nothing exchanges authorities here');
    return world.lifeboat.rotateCa.start(input);
  };
  const ended = async (execution: Execution) => {
    const { status, output, cause } = await execution.wait({ timeoutMs: 800_000 });
    return { status, cause, told: output as { readonly outcome: string; readonly summary: string } | undefined };
  };
  const document = async () => AuthoritySecret.parse(await world.authority('etcd'));
  const reaches = (state: string) =>
    waitUntil(`the exchange is ${state}`, 600_000, async () => (await document()).rotation?.state === state, 500);
  // How lines end says nothing: whoever made the first authority may have ended them otherwise.
  const textOf = (text = ''): string => text.replaceAll('\r', '').trim();
  const filesOfNodes = () =>
    world.nodes.nodes.map((node) => ['pki/etcd/ca.crt', 'pki/etcd/ca.key'].map((file) => textOf(world.read(node, file))));
  const pids = () => world.nodes.nodes.map((node) => [node.pid('etcd'), node.pid('kube-apiserver'), node.pid('kube-controller-manager')]);

  test('from the first state to the last: no write fails until the old one is distrusted, and one start of etcd on each node', async () => {
    const before = await document();
    const processes = pids();
    const stop = startWriter(world.nodes.endpoints, world.nodes.credentials, 'exchange/');

    const execution = await start(QUICK);
    await reaches('SOAKING');
    const { written, failed } = await stop();
    const managers = pids().map(([, , manager]) => manager);
    const end = await ended(execution);

    expect(end).toMatchObject({ status: 'SUCCEEDED', told: { outcome: 'EXCHANGED' } });
    expect({ failed, enough: written.length > 100 }).toEqual({ failed: 0, enough: true });
    const after = await document();
    const next = after.generations.find(({ id }) => id === after.issuing);
    expect(after.rotation).toBeUndefined();
    expect(after.generations.map(({ id, key }) => [id, key === undefined])).toEqual([
      [before.issuing, true],
      [after.issuing, false],
    ]);
    expect(filesOfNodes()).toEqual([1, 2, 3].map(() => [textOf(next?.certificate), textOf(next?.key)]));
    pids().forEach(([etcd, apiserver, manager], index) => {
      expect(processes[index]).not.toContain(etcd);
      expect(processes[index]).not.toContain(apiserver);
      // Nothing of what it reads has changed with etcd's authority.
      expect(manager).toBe(managers[index]);
    });
    // The lifeboat's own client went along.
    expect(await world.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned', result: { verified: true } });
    const everything = await world.everythingSaid([execution.arn]);
    expect(everything).not.toContain('PRIVATE KEY');
    for (const key of world.keysOnNodes()) expect(everything).not.toContain(key);
  });

  test('shows its plan, and refuses another while one is under way', async () => {
    // A plan changes nothing, so that one node at least has to have a set by which the API can be asked.
    await rotateNode(world.cloud, world.cluster, world.node(1));

    const planned = await ended(await start({ authority: 'etcd', plan: true }));

    expect(planned).toMatchObject({ status: 'SUCCEEDED', told: { outcome: 'PLANNED', plan: { decision: 'rotate' } } });
    expect((await document()).rotation).toBeUndefined();
  });

  test('tells people when one of its states fails, and not only whoever watches', async () => {
    const SecretId = authoritySecretName(world.cluster, 'etcd');
    const SecretString = (await world.secret(SecretId)) ?? '';
    await world.secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'no document' }));

    const execution = await start({ authority: 'etcd', plan: true });
    const end = await ended(execution);

    await world.secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
    expect(end).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('stands still: ') as string });
    const { s3, bucket, cluster } = world.lifeboat;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: exchangeKey(cluster, execution.name) }));
    expect(JSON.parse((await Body?.transformToString()) ?? '')).toMatchObject({ outcome: 'HALTED', summary: end.cause });
  });

  test('turned back in the middle, by another execution after its own was stopped: everything is as before', async () => {
    const before = await document();
    const files = filesOfNodes();
    const execution = await start({ ...QUICK, soakSeconds: 86_400 });
    await reaches('SOAKING');
    const client = new SFNClient(world.cloud.clientConfig());
    await client.send(new StopExecutionCommand({ executionArn: execution.arn }));
    client.destroy();
    expect(await ended(await start(QUICK))).toMatchObject({
      status: 'FAILED',
      cause: expect.stringContaining('only one goes at a time') as string,
    });
    const stop = startWriter(
      world.nodes.endpoints,
      EtcdClientSecret.parse(JSON.parse((await world.secret(world.lifeboat.etcdClientSecretArn)) ?? '')),
      'abort/',
    );

    const end = await ended(await start({ abort: execution.name, by: 'a test', because: 'it was asked for' }));

    expect(end).toMatchObject({ status: 'SUCCEEDED', told: { outcome: 'TURNED_BACK' } });
    const after = await document();
    expect([after.issuing, after.rotation, after.generations.map(({ id, key }) => [id, key])]).toEqual([
      before.issuing,
      undefined,
      before.generations.map(({ id, key }) => [id, key]),
    ]);
    expect(filesOfNodes()).toEqual(files);
    expect(await stop()).toMatchObject({ failed: 0 });
  });
});
