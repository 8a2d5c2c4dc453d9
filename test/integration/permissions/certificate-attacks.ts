import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { nodeSecretName } from '../../../lambdas/contract/certificates';
import { Env } from '../../../lambdas/contract/env';
import { inventoryKey, lockKey } from '../../../lambdas/contract/s3-keys';
import type { EventOf } from './attacks';
import type { CertificateClusters } from './certificate-clusters';
import { THEIR_NODE } from './certificate-clusters';

/** Variables that name nothing of a cluster which their holder could reach or change by them alone. */
const HARMLESS: Readonly<Record<string, string>> = {
  [Env.nodeTags]: 'Systems Manager lists the nodes of an account to whoever may list any; what is sent to them is judged by their tags.',
  [Env.etcdEndpoints]: 'Members ask for a certificate of their own cluster, which lies in a secret of its own.',
  [Env.nodeSecretSettings]: 'Secrets of the own cluster would be made with another key and function, which the emulator asks nobody about.',
};

/** A free lock and an inventory, where attacks would find theirs: in their bucket, and under their prefix in mine. */
export async function layCertificateBait({ mine, theirs }: CertificateClusters): Promise<void> {
  const { s3, cluster } = theirs.lifeboat;
  const past = new Date(0).toISOString();
  const objects = {
    [lockKey(cluster, 'control-plane')]: JSON.stringify({ holder: 'nobody', acquiredAt: past, expiresAt: past }),
    [inventoryKey(cluster)]: '{}',
  };
  for (const Bucket of [theirs.lifeboat.bucket, mine.lifeboat.bucket])
    for (const [Key, Body] of Object.entries(objects)) await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
}

/** What the functions for certificates are told, so that they come to what their variables name. */
export async function certificateEvents({ world, theirs }: CertificateClusters): Promise<EventOf> {
  // The third has its rotation cancelled by a scenario, which switches it off.
  const rotating = world.nodeSecret(world.node(2));
  const version = await waitingSet(world, rotating);
  const secretId = nodeSecretName(theirs.lifeboat.cluster, THEIR_NODE);
  const looking = { waitForNodesSeconds: 1 };
  const repair = { restoreId: 'attack', request: looking };
  const exchange = { rotation: 'attack', authority: 'etcd', driver: 'attack', asked: [], facts: [], waitForNodesSeconds: 1 };
  const stepOf = (plan: boolean) => ({ do: 'step', state: { ...exchange, request: { authority: 'etcd', plan } } });
  const events: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    CertificatesAdopt: {
      [Env.clusterName]: { do: 'mint' },
      [Env.stateBucket]: { do: 'report', state: { restoreId: 'attack', request: {} } },
    },
    CertificatesRotationRotateCertificates: {
      [Env.clusterName]: { SecretId: rotating, ClientRequestToken: version, Step: 'setSecret' },
      [Env.stateBucket]: { SecretId: rotating, ClientRequestToken: version, Step: 'setSecret' },
      [Env.probeFunction]: { SecretId: rotating, ClientRequestToken: version, Step: 'testSecret' },
      all: { SecretId: secretId, ClientRequestToken: version, Step: 'createSecret' },
    },
    CertificatesRotationProbeNode: {
      [Env.clusterName]: { do: 'ports', secretId, version },
      [Env.etcdClientSecret]: { do: 'etcd-is-well' },
    },
    CertificatesExchangeExchangeAuthority: {
      [Env.clusterName]: { do: 'begin', input: { resume: 'attack' }, execution: 'attack', driver: 'attack' },
      [Env.stateBucket]: stepOf(true),
      [Env.probeFunction]: stepOf(false),
      [Env.enrolFunction]: stepOf(false),
      [Env.etcdClientSecret]: stepOf(true),
      all: stepOf(true),
    },
    CertificatesExchangeLookAround: {
      [Env.clusterName]: { do: 'stamps', secretIds: [secretId] },
      [Env.etcdClientSecret]: { do: 'etcd' },
    },
    CertificatesScanScanCertificates: {
      [Env.clusterName]: { do: 'judge', request: looking, facts: [] },
      [Env.stateBucket]: { do: 'judge', request: looking, facts: [] },
    },
    CertificatesRepairRepairCertificates: {
      [Env.clusterName]: { do: 'mint', found: { ...repair, lock: 'control-plane', asked: [], facts: [] } },
      [Env.stateBucket]: { do: 'report', state: repair },
      [Env.etcdClientSecret]: { do: 'mint', found: { ...repair, lock: 'control-plane', asked: [], facts: [] } },
    },
  };
  return (label, variables) => {
    const [only = 'all', ...more] = variables;
    if (more.length === 0 && only in HARMLESS) return undefined;
    const own = events[label] ?? {};
    const event = more.length > 0 ? (own['all'] ?? own[Env.clusterName]) : own[only];
    if (event === undefined) throw new Error(`${label} differs in ${variables.join(', ')}: say here what it is told then`);
    return event;
  };
}

/** A set that waits for its rotation: the one that the node has already. */
async function waitingSet({ secrets }: CertificateClusters['world'], SecretId: string): Promise<string> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  const { VersionId = '' } = await secrets.send(new PutSecretValueCommand({ SecretId, SecretString, VersionStages: ['AWSPENDING'] }));
  return VersionId;
}
