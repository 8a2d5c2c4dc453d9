import { LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeSecretCommand, GetResourcePolicyCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { AdoptionPlan } from '../../../lambdas/contract/certificates';
import { nodeSecretName } from '../../../lambdas/contract/certificates';
import type { LaterThings } from '../../support/permissions/stack-rights';
import { withLater } from '../../support/permissions/stack-rights';
import { CertificateWorld } from '../certificates/world';
import { giveNodeRole } from './node-role';
import type { NodeRole } from './node-role';
import type { Neighbours, Party } from './two-clusters';
import { functionOf, partyOf } from './two-clusters';

const FUNCTIONS = /^Certificates/;
/** Local authorities end in ten years: by this that of etcd is near its end, and no other. */
const BY_AGE = { caValidityYears: 30, authorities: { exchange: 'scheduled', rotateBeforeDays: { etcd: 5475 } } };
/** A node of the other cluster. It is nowhere: only its secret is. */
export const THEIR_NODE = 'i-0123456789abcdef0';

/** A cluster whose nodes run, and beside it one that has authorities and a node's secret, and nothing else. */
export interface CertificateClusters extends Neighbours {
  readonly world: CertificateWorld;
  readonly nodeRole: NodeRole;
  stop(): Promise<void>;
}

export async function startCertificateClusters(): Promise<CertificateClusters> {
  const world = await CertificateWorld.start({ neighbour: 'demo-eu', certificates: BY_AGE });
  const { cloud, nodes } = world;
  const lambda = new LambdaClient(cloud.clientConfig());
  const stop = async () => {
    lambda.destroy();
    await world.stop();
  };
  try {
    const mine = await partyOf(cloud, world.lifeboat, FUNCTIONS);
    const nodeRole = await giveNodeRole(cloud, nodes.nodes, world.cluster, keyOf(mine));
    return { cloud, lambda, world, nodeRole, mine, theirs: await foreignCluster(world), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The one key of a stack. */
function keyOf({ rights }: Party): string {
  const [key, ...others] = new Set(rights.keys.values());
  if (key === undefined || others.length > 0) throw new Error(`${rights.stack} has not one key`);
  return key;
}

/** Its authorities are minted by its own runbook, and the secret of its node is made by its own function: what an attack would be after is real. */
async function foreignCluster({ cloud, neighbour: deployed, secrets }: CertificateWorld): Promise<Party> {
  if (deployed === undefined) throw new Error('there is no other cluster');
  const { cluster } = deployed;
  const party = await partyOf(cloud, deployed, FUNCTIONS);
  const minting = await deployed.adopt?.start({ mint: true });
  expect(await minting?.wait({ timeoutMs: 60_000 })).toMatchObject({ status: 'SUCCEEDED' });
  const plan: AdoptionPlan = {
    ...{ restoreId: 'foreign', handOver: [], findings: [] },
    // Where no authority's key is held there is nothing to rotate, and no node is enrolled.
    authorities: [
      { authority: 'etcd', id: '0'.repeat(64), subject: 'etcd-ca', notAfter: new Date().toISOString(), key: 'held', stored: true },
    ],
    nodes: [{ instanceId: THEIR_NODE, host: 'far-away', nodeName: 'far-away', leaves: 0 }],
  };
  const answer = await cloud.invoke(functionOf(party, 'CertificatesAdopt').name, { do: 'enrol', plan });
  expect(answer).toMatchObject({ outcome: 'returned', result: { enrolled: ['far-away'] } });
  await secrets.send(new PutSecretValueCommand({ SecretId: nodeSecretName(cluster, THEIR_NODE), SecretString: 'their set' }));
  return party;
}

/** The same clusters with what came into being when they were adopted: the secrets of nodes, and the nodes. */
export async function adopted(clusters: CertificateClusters): Promise<CertificateClusters> {
  const { world, mine, theirs } = clusters;
  const { cloud, nodes } = world;
  const machines = new Map(
    nodes.nodes.map(({ instanceId, tags }) => [`arn:aws:ec2:${cloud.region}:${cloud.accountId}:instance/${instanceId}`, tags]),
  );
  const [ofMine, ofTheirs] = [nodes.nodes.map((node) => world.nodeSecret(node)), [nodeSecretName(theirs.lifeboat.cluster, THEIR_NODE)]];
  return {
    ...clusters,
    mine: { ...mine, rights: withLater(mine.rights, { ...(await enrolled(world, ofMine)), machines }) },
    theirs: { ...theirs, rights: withLater(theirs.rights, { ...(await enrolled(world, ofTheirs)), machines: new Map() }) },
  };
}

/** What hangs on secrets that no template names. */
async function enrolled({ secrets }: CertificateWorld, names: readonly string[]): Promise<Omit<LaterThings, 'machines'>> {
  const found = { guards: new Map<string, unknown>(), keys: new Map<string, string>(), rotations: new Map<string, string>() };
  for (const SecretId of names) {
    const { ARN = '', KmsKeyId = '', RotationLambdaARN = '' } = await secrets.send(new DescribeSecretCommand({ SecretId }));
    const { ResourcePolicy = '' } = await secrets.send(new GetResourcePolicyCommand({ SecretId }));
    found.guards.set(ARN, JSON.parse(ResourcePolicy));
    found.keys.set(ARN, KmsKeyId);
    found.rotations.set(ARN, RotationLambdaARN);
  }
  return found;
}
