import { DescribeSecretCommand, RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { AuthorityName } from '../lambdas/contract/certificate-names';
import { nodeSecretName } from '../lambdas/contract/certificates';
import { sleep, waitUntil } from '../local/child-process';
import type { LocalNode } from '../local/nodes';
import type { Narrator } from '../local/narrator';
import { authorityOf, linesOf } from './run-exchange';
import type { UnderWay } from './run-exchange';
import type { World } from './world';

const TOLD_WITHIN_MS = 60_000;
const ROTATED_WITHIN_MS = 400_000;
/** Longer than two looks at the gates. */
const AWAY_MS = 20_000;

/** A node loses its power in a state, is missed, and comes back: the state is not left meanwhile, and the API goes on. */
export async function loseAndReturn(
  narrator: Narrator,
  world: World,
  authority: AuthorityName,
  node: LocalNode,
  { id, state }: UnderWay,
): Promise<void> {
  await node.powerOff();
  const began = Date.now();
  narrator.say(`      ${node.name} loses its power in ${state}`);
  // While sets are given to others these are what is waited for: etcd cannot lose one more, and who is away is named when it is its turn.
  const told = async (): Promise<boolean> => (await lastWait(world)).includes(state);
  await waitUntil(`the exchange tells what it waits for in ${state}`, TOLD_WITHIN_MS, told, 1_000).catch(() => undefined);
  await sleep(AWAY_MS);
  const waiting = await lastWait(world);
  const seconds = ((Date.now() - began) / 1_000).toFixed(0);
  narrator.check(`${state}: it is told what is waited for, after ${seconds} s (${waiting})`, waiting.includes(state), true);
  const { rotation } = await authorityOf(world, authority);
  narrator.check(`${state} is not left meanwhile`, rotation?.id === id && rotation.state, state);
  narrator.check('the API answers meanwhile', (await world.kubectl.run(['get', '--raw', '/readyz'])).trim(), 'ok');
  await returns(narrator, world, node);
}

/** Starts it again, and lets what waited for it go on. */
export async function returns(narrator: Narrator, world: World, node: LocalNode): Promise<void> {
  const began = Date.now();
  await node.reboot();
  await node.apiserverReady();
  const asked = await rotateWhatWaits(world);
  narrator.say(
    `      ${node.name} is back after ${((Date.now() - began) / 1_000).toFixed(0)} s${asked === 0 ? '' : `; what waited was asked for ${asked} times`}`,
  );
}

const Wait = z.object({ message: z.literal('exchange-waits'), timestamp: z.string(), forWhat: z.string(), because: z.array(z.string()) });

/** For what an exchange said last that it waits, and why. */
async function lastWait(world: World): Promise<string> {
  const waits = (await linesOf(world)).flatMap((line) => {
    if (!line.includes('exchange-waits')) return [];
    const { data } = Wait.safeParse(JSON.parse(line));
    return data === undefined ? [] : [data];
  });
  const last = waits.sort((one, other) => one.timestamp.localeCompare(other.timestamp)).at(-1);
  return last === undefined ? 'nothing' : `${last.forWhat}: ${last.because[0] ?? ''}`;
}

/** Secrets Manager tries a rotation that failed again within hours; this stands for that, and for an operator who does not wait so long. */
async function rotateWhatWaits({ cloud, lifeboat, nodes }: World): Promise<number> {
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  let asked = 0;
  const waits = async ({ instanceId }: LocalNode): Promise<boolean> => {
    const SecretId = nodeSecretName(lifeboat.cluster, instanceId);
    const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId }));
    const pending = Object.values(VersionIdsToStages).some((labels) => labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'));
    if (!pending) return false;
    asked++;
    // It says that one is under way already, and goes on with it.
    await secrets.send(new RotateSecretCommand({ SecretId })).catch(() => undefined);
    return true;
  };
  try {
    const all = async (): Promise<boolean> => (await Promise.all(nodes.nodes.map(waits))).every((each) => !each);
    await waitUntil('every set that waited is installed', ROTATED_WITHIN_MS, all, 5_000);
    return asked;
  } finally {
    secrets.destroy();
  }
}
