import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { AuthorityName } from '../lambdas/contract/certificate-names';
import { nodeSecretName } from '../lambdas/contract/certificates';
import { sleep, waitUntil } from '../local/child-process';
import type { LocalNode } from '../local/nodes';
import type { Narrator } from '../local/narrator';
import { authorityOf } from './run-exchange';
import type { UnderWay } from './run-exchange';
import type { World } from './world';

const NAMED_WITHIN_MS = 180_000;
/** One that failed is asked for again three minutes after it was asked for. */
const INSTALLED_WITHIN_MS = 600_000;
/** Longer than two looks at the gates. */
const AWAY_MS = 20_000;

/** A node loses its power in a state, is missed, and comes back: the state is not left meanwhile, and the API goes on. */
export async function loseAndReturn(
  narrator: Narrator,
  world: World,
  authority: AuthorityName,
  node: LocalNode,
  { id, state, waitsFor }: UnderWay,
): Promise<void> {
  await node.powerOff();
  const began = Date.now();
  narrator.say(`      ${node.name} loses its power in ${state}`);
  const isNamed = async (): Promise<boolean> => (await waitsFor()).includes(node.name);
  await waitUntil(`${node.name} is named`, NAMED_WITHIN_MS, isNamed, 1_000).catch(() => undefined);
  await sleep(AWAY_MS);
  const waiting = await waitsFor();
  const seconds = ((Date.now() - began) / 1_000).toFixed(0);
  narrator.check(
    `${state}: ${node.name} is named in what is waited for, after ${seconds} s (${waiting})`,
    waiting.includes(node.name),
    true,
  );
  const { rotation } = await authorityOf(world, authority);
  narrator.check(`${state} is not left meanwhile`, rotation?.id === id && rotation.state, state);
  narrator.check('the API answers meanwhile', (await world.kubectl.run(['get', '--raw', '/readyz'])).trim(), 'ok');
  await returns(narrator, world, node);
}

/** Starts it again, and waits until the exchange has brought every node what it is to have, by itself. */
export async function returns(narrator: Narrator, world: World, node: LocalNode): Promise<void> {
  const began = Date.now();
  await node.reboot();
  await node.apiserverReady();
  const back = Date.now();
  await waitUntil('every set that waited is installed', INSTALLED_WITHIN_MS, () => everySetIsInstalled(world), 1_000);
  const [toBack, toInstalled] = [back - began, Date.now() - back].map((ms) => (ms / 1_000).toFixed(0)) as [string, string];
  narrator.say(`      ${node.name} is back after ${toBack} s, and every set is installed ${toInstalled} s later`);
}

/** A rotation that failed leaves a version that waits; nobody but the exchange asks for it again here, as Secrets Manager does within hours. */
async function everySetIsInstalled({ cloud, lifeboat, nodes }: World): Promise<boolean> {
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  const isInstalled = async ({ instanceId }: LocalNode): Promise<boolean> => {
    const SecretId = nodeSecretName(lifeboat.cluster, instanceId);
    const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId }));
    return !Object.values(VersionIdsToStages).some((labels) => labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'));
  };
  try {
    return (await Promise.all(nodes.nodes.map(isInstalled))).every(Boolean);
  } finally {
    secrets.destroy();
  }
}
