import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { CancelRotateSecretCommand, PutSecretValueCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { archiveOf, filesOf } from '../../../lambdas/certificates/archive';
import type { RotationState } from '../../../lambdas/contract/authority-rotation';
import { AuthoritySecret, NodeSetSecret } from '../../../lambdas/contract/certificates';
import { RepairReport } from '../../../lambdas/contract/repair-certificates';
import { lockKey, repairKey } from '../../../lambdas/contract/s3-keys';
import { waitUntil } from '../../../local/child-process';
import { createAuthority, issueCertificate } from '../../../local/etcd/certificates';
import type { Execution } from '../../../local/cloud';
import type { LocalNode } from '../../../local/nodes';
import type { CertificateWorld } from '../certificates/world';
import type { CertificateClusters } from './certificate-clusters';
import type { Scenario } from './scenarios';
import { functionOf } from './two-clusters';

/** All nodes are there; on a machine that does much else they may be slow to say so. */
const INPUT = { waitForNodesSeconds: 30 };
const DAY_MS = 86_400_000;

/** In this order: each finds what the ones before it left. */
export const certificateScenarios: readonly Scenario<CertificateClusters>[] = [
  {
    function: 'CertificatesAdopt',
    sentence: 'takes the authorities over, and gives every node a secret',
    run: async ({ world }) => {
      expect(await endOf(world)).toEqual({ outcome: 'ADOPTED', failure: undefined });
      await world.nothingIsPending();
    },
  },
  {
    function: 'CertificatesAdopt',
    sentence: 'finds nothing more to take the next time',
    run: async ({ world }) => {
      const ended = await endOf(world);
      // On a busy machine a node may not have told in time. Nothing was changed then, and it is adopted by the next.
      expect('failure' in ended && ended.failure !== undefined ? await endOf(world) : ended).toEqual({ outcome: 'UNCHANGED' });
    },
  },
  {
    function: 'CertificatesScanScanCertificates',
    sentence: 'has a node rotated, at the moment when a lock is taken away that was free',
    run: async ({ cloud, world }) => {
      const { s3, bucket, cluster } = world.lifeboat;
      const Key = lockKey(cluster, 'control-plane');
      const takeAway = async () => {
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      };
      cloud.faults.inject({ operation: 'GetObject', key: Key, fault: { kind: 'meanwhile', act: takeAway } });

      await rotatedByScan(world, world.node(2));
    },
  },
  {
    function: 'CertificatesScanScanCertificates',
    sentence: 'has the next node rotated',
    run: async ({ world }) => rotatedByScan(world, world.node(3)),
  },
  {
    function: 'CertificatesExchangeExchangeAuthority',
    sentence: 'begins to exchange the authority of etcd because of its age, and turns back',
    run: async ({ world }) => {
      for (let time = 0; time < 2; time++) await world.lifeboat.takeSnapshot();
      const rotation = async () => AuthoritySecret.parse(await world.authority('etcd')).rotation;
      const looked = await world.lifeboat.scan?.start({ ...INPUT, renew: false });
      expect(await looked?.wait({ timeoutMs: 60_000 })).toMatchObject({ status: 'SUCCEEDED' });
      await waitUntil('it is begun', 240_000, async () => (await rotation())?.id.startsWith('age-etcd-') === true, 200);

      await world.lifeboat.rotateCa?.start({ ...INPUT, abort: (await rotation())?.id, by: 'a test', because: 'it was seen' });

      await waitUntil('it is turned back', 400_000, async () => (await rotation()) === undefined, 200);
    },
  },
  {
    function: 'CertificatesExchangeExchangeAuthority',
    sentence:
      'begins to exchange the authority of etcd, starts the next execution when its own is long, leaves alone what another drives, and turns back when it is asked to',
    run: async (clusters) => {
      const { world } = clusters;
      // By then every node was given a set.
      await turnedBack(world, 'ISSUING', (execution) => handedOver(clusters, execution));
      await turnedBack(world, 'MINTED');
    },
  },
  {
    function: 'CertificatesRotationRotateCertificates',
    sentence: 'puts the previous certificates of a node back when the new ones cannot be proven',
    run: async ({ world }) => {
      const SecretId = world.nodeSecret(world.node(3));
      // What says that it was there before has a client certificate that no member of etcd accepts.
      const before = NodeSetSecret.parse(JSON.parse((await world.secret(SecretId)) ?? ''));
      const stranger = issueCertificate(createAuthority('stranger'), { commonName: 'master-1', usage: 'client' });
      const files = new Map(await filesOf(before.archive, 'the set'));
      files.set('pki/etcd/peer.crt', stranger.cert).set('pki/etcd/peer.key', stranger.key);
      const SecretString = JSON.stringify({ ...before, archive: await archiveOf(files) });
      await world.secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
      await world.secrets.send(new RotateSecretCommand({ SecretId }));

      await waitUntil('the previous certificates are back', 60_000, async () =>
        (await world.functionLogs()).some((line) => line.includes('has its previous certificates again')),
      );
      await world.secrets.send(new CancelRotateSecretCommand({ SecretId }));
    },
  },
  {
    function: 'CertificatesRepairRepairCertificates',
    sentence: 'gives every node new certificates, and the functions theirs for etcd, past the rotations that wait',
    run: async ({ world }) => {
      const { lifeboat, nodes, secrets } = world;
      const waiting = { SecretId: world.nodeSecret(world.node(2)), SecretString: 'a set that waits', VersionStages: ['AWSPENDING'] };
      await secrets.send(new PutSecretValueCommand(waiting));
      const { etcd } = nodes.authorities;
      const soon = issueCertificate(etcd, { commonName: 'lifeboat', usage: 'client', notAfter: new Date(Date.now() + 5 * DAY_MS) });
      await lifeboat.putSecret({ ca: etcd.cert, ...soon });

      const { outcome, plan } = await repair(world, { force: true });

      expect({ outcome, etcdClient: plan?.etcdClient, nodes: plan?.nodes.length }).toEqual({
        ...{ outcome: 'REPAIRED', etcdClient: 'renewed', nodes: 3 },
      });
    },
  },
  {
    function: 'CertificatesRepairRepairCertificates',
    sentence: 'leaves nodes alone that are well',
    run: async ({ world }) => expect((await repair(world, {})).outcome).toBe('NOTHING_TO_DO'),
  },
];

/** Begins to exchange the authority of etcd, and has somebody abort it in a state. */
async function turnedBack(
  world: CertificateWorld,
  state: RotationState,
  before: (execution: Execution | undefined) => Promise<void> = async () => undefined,
): Promise<void> {
  const execution = await world.lifeboat.rotateCa?.start({ ...INPUT, authority: 'etcd', approval: 'automatic' });
  const rotation = async () => AuthoritySecret.parse(await world.authority('etcd')).rotation;
  await waitUntil(`it is ${state}`, 240_000, async () => (await rotation())?.state === state, 200);

  await before(execution);
  const aborted = await world.lifeboat.rotateCa?.start({ ...INPUT, abort: execution?.name, by: 'a test', because: 'it was asked for' });

  expect(await aborted?.wait({ timeoutMs: 400_000 })).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'TURNED_BACK' } });
  expect(await execution?.wait({ timeoutMs: 60_000 })).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'NOTED' } });
}

/** A step of an execution that has a long history. */
async function handedOver({ cloud, world, mine }: CertificateClusters, execution: Execution | undefined): Promise<void> {
  const { name: rotation, arn: driver } = execution ?? {};
  await isLeftAlone(world, rotation);
  const asked = world.nodes.nodes.map(({ instanceId, name: host }) => ({ instanceId, host }));
  const state = { rotation, driver, authority: 'etcd', asked, ...INPUT, events: 20_000 };

  expect(await cloud.invoke(functionOf(mine, 'CertificatesExchangeExchangeAuthority').name, { do: 'step', state })).toMatchObject({
    outcome: 'returned',
    result: { told: { outcome: 'NOTED', summary: expect.stringContaining(`:${rotation}_2 goes on with it`) as string } },
  });
  const next = async () => AuthoritySecret.parse(await world.authority('etcd')).rotation?.driver;
  await waitUntil('the next execution drives it', 60_000, async () => (await next())?.endsWith(`:${rotation}_2`) === true, 200);
  await isLeftAlone(world, rotation);
}

/** Nobody takes a rotation up while the execution that drives it runs. */
async function isLeftAlone({ lifeboat }: CertificateWorld, rotation: string | undefined): Promise<void> {
  const resumed = await lifeboat.rotateCa?.start({ ...INPUT, resume: rotation });
  expect(await resumed?.wait({ timeoutMs: 60_000 })).toMatchObject({ status: 'FAILED', error: 'ExchangeRefused' });
}

async function endOf(world: CertificateWorld): Promise<object> {
  const { report } = await world.adopt(INPUT);
  return { outcome: report?.outcome, failure: report?.failure };
}

async function repair({ lifeboat }: CertificateWorld, input: object): Promise<RepairReport> {
  const execution = await lifeboat.repair?.start({ ...INPUT, ...input });
  expect(await execution?.wait({ timeoutMs: 120_000 })).toMatchObject({ status: 'SUCCEEDED' });
  const Key = repairKey(lifeboat.cluster, execution?.name ?? '');
  const { Body } = await lifeboat.s3.send(new GetObjectCommand({ Bucket: lifeboat.bucket, Key }));
  return RepairReport.parse(JSON.parse((await Body?.transformToString()) ?? ''));
}

/** Gives a node a certificate with another one's key, and waits until a look at all of them has had it rotated. */
async function rotatedByScan(world: CertificateWorld, node: LocalNode): Promise<void> {
  const other = world.nodes.nodes.find((each) => each !== node);
  if (other === undefined) throw new RangeError('there is one node only');
  world.write(node, 'pki/apiserver-kubelet-client.key', world.read(other, 'pki/apiserver-kubelet-client.key'));

  const execution = await world.lifeboat.scan?.start({ ...INPUT, exchange: false });

  expect(await execution?.wait({ timeoutMs: 60_000 })).toMatchObject({ status: 'SUCCEEDED' });
  await waitUntil(`${node.name} is rotated`, 60_000, async () => {
    const { labels } = await world.described(world.nodeSecret(node));
    const given = Object.values(labels).flat();
    return given.includes('AWSCURRENT') && !given.includes('AWSPENDING');
  });
}
