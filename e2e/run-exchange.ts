import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { KUBELET_CLIENT_SECONDS } from '../lambdas/authorities/rotation-facts';
import type { RotationState } from '../lambdas/contract/authority-rotation';
import type { AuthorityName } from '../lambdas/contract/certificate-names';
import { AuthoritySecret, authoritySecretName } from '../lambdas/contract/certificates';
import type { ExchangeRequest } from '../lambdas/contract/rotate-authority';
import { sleep } from '../local/child-process';
import type { Execution, ExecutionEnd } from '../local/cloud';
import type { Narrator } from '../local/narrator';
import type { World } from './world';

const ENDS_WITHIN_MS = 900_000;
const LOOK_EVERY_MS = 500;
/** By so much the functions' clock goes before the nodes'. Certificates are dated back by 300 s: with more they would not be valid yet. */
const AHEAD_MS = (KUBELET_CLIENT_SECONDS + 2) * 1_000;

/** What is noted of an authority, with its generations. */
export async function authorityOf({ cloud, lifeboat }: World, name: AuthorityName): Promise<AuthoritySecret> {
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  try {
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: authoritySecretName(lifeboat.cluster, name) }));
    return AuthoritySecret.parse(JSON.parse(SecretString));
  } finally {
    secrets.destroy();
  }
}

export interface ExchangeRun {
  readonly execution: Execution;
  readonly end: ExecutionEnd;
  /** When each state was first seen. */
  readonly states: Readonly<Partial<Record<RotationState, number>>>;
  readonly seconds: number;
}

/** What is done as soon as a state is seen, while the execution goes on. */
export type AtState = Readonly<Partial<Record<RotationState, (execution: Execution) => Promise<void>>>>;

/** Exchanges one authority, and tells its states as they come. The functions do not wait for the API server to take its client certificates. */
export async function runExchange(
  narrator: Narrator,
  world: World,
  input: Omit<Partial<ExchangeRequest>, 'authority'> & { readonly authority: AuthorityName },
  atState: AtState = {},
): Promise<ExchangeRun> {
  const { cloud, lifeboat } = world;
  if (lifeboat.rotateCa === undefined) throw new Error('this lifeboat has nothing to do with certificates');
  const began = Date.now();
  const execution = await lifeboat.rotateCa.start({ approval: 'automatic', canarySeconds: 0, waitForNodesSeconds: 30, ...input });
  const states: Partial<Record<RotationState, number>> = {};
  let at: RotationState | undefined;
  while (!(await execution.hasEnded())) {
    if (Date.now() - began > ENDS_WITHIN_MS)
      throw new Error(`${await whyOf(world)}\nthe exchange goes on after ${ENDS_WITHIN_MS / 1_000} s`);
    const { rotation } = await authorityOf(world, input.authority);
    const seen = rotation?.id === execution.name ? rotation.state : undefined;
    if (seen !== undefined && seen !== at) {
      narrator.say(`      +${((Date.now() - began) / 1_000).toFixed(1).padStart(5)} s  ${seen}`);
      states[seen] ??= Date.now();
      at = seen;
      await atState[seen]?.(execution);
    }
    if (at === 'ISSUING' && cloud.clock.offsetMs < AHEAD_MS && (await waitsForClients(world)))
      cloud.clock.advance(AHEAD_MS - cloud.clock.offsetMs);
    await sleep(LOOK_EVERY_MS);
  }
  const end = await execution.wait();
  if (end.status !== 'SUCCEEDED') narrator.say(await whyOf(world));
  return { execution, end, states, seconds: (Date.now() - began) / 1_000 };
}

async function told({ cloud, lifeboat }: World): Promise<string[]> {
  const names = lifeboat.certificateFunctions.filter((name) => /ExchangeAuthority|LookAround|RotateCertificates/.test(name));
  return (await Promise.all(names.map((name) => cloud.logs(name)))).flat();
}

async function waitsForClients(world: World): Promise<boolean> {
  return (await told(world)).some((line) => line.includes('exchange-waits') && line.includes(`may take ${KUBELET_CLIENT_SECONDS} s`));
}

/** What the functions said of it, for whoever has to find out why it did not end well. */
const whyOf = async (world: World): Promise<string> =>
  (await told(world))
    .filter((line) => /exchange-|not-seen|gates-|rotation-|"level":"(ERROR|WARN)"/.test(line))
    .map((line) => line.trim().slice(0, 1_500))
    .slice(-60)
    .join('\n');
