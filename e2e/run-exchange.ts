import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { AccountsState, RotationState } from '../lambdas/contract/authority-rotation';
import type { AuthorityName, Exchangeable } from '../lambdas/contract/certificate-names';
import { AuthoritySecret, ServiceAccountsSecret, authoritySecretName, serviceAccountsSecretName } from '../lambdas/contract/certificates';
import type { ExchangeRequest } from '../lambdas/contract/rotate-authority';
import { sleep } from '../local/child-process';
import type { Execution, ExecutionEnd, StateMachine } from '../local/cloud';
import type { Narrator } from '../local/narrator';
import type { World } from './world';

/** Five minutes where nothing else works on the machine, and four times that where much does, of which nodes that are lost take as much again. */
const ENDS_WITHIN_MS = 3_600_000;
const LOOK_EVERY_MS = 700;

/** A state of the exchange of an authority, or of the key pair of service accounts. */
export type AnyState = RotationState | AccountsState;

/** What is noted of an authority, with its generations. */
export const authorityOf = async (world: World, name: AuthorityName): Promise<AuthoritySecret> =>
  AuthoritySecret.parse(await secretOf(world, authoritySecretName(world.lifeboat.cluster, name)));

/** What is noted of the key pair of service accounts, with its generations. */
export const accountsOf = async (world: World): Promise<ServiceAccountsSecret> =>
  ServiceAccountsSecret.parse(await secretOf(world, serviceAccountsSecretName(world.lifeboat.cluster)));

/** What is noted of whatever is exchanged. */
export const notedOf = (world: World, exchanged: Exchangeable): Promise<AuthoritySecret | ServiceAccountsSecret> =>
  exchanged === 'service-accounts' ? accountsOf(world) : authorityOf(world, exchanged);

async function secretOf({ cloud }: World, SecretId: string): Promise<unknown> {
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  try {
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    return JSON.parse(SecretString);
  } finally {
    secrets.destroy();
  }
}

export interface ExchangeRun {
  readonly id: string;
  /** How every execution ended that drove it or may have. */
  readonly ends: readonly ExecutionEnd[];
  /** The states in the order in which they were seen, there and back, and since when. */
  readonly path: readonly { readonly state: AnyState; readonly at: number }[];
  /** When the first node was to distrust the old root or key; undefined when none was. */
  readonly distrustBegan?: number;
  readonly seconds: number;
}

export interface UnderWay {
  readonly id: string;
  readonly state: AnyState;
  /** Its end is waited for, too: another execution that may drive the same exchange. */
  readonly follow: (other: Execution) => void;
  /** Whether an execution still drives it. */
  readonly goesOn: () => Promise<boolean>;
  /** What it carries as what it waits for, and why; `nothing` where it does not wait. */
  readonly waitsFor: () => Promise<string>;
}

/** What is done as soon as a state is seen for the first time, while the execution goes on. */
export type AtState = Readonly<Partial<Record<AnyState, (run: UnderWay) => Promise<void>>>>;

/** Seconds from one state to the next, as one line. */
export const stations = ({ path, seconds }: ExchangeRun): string =>
  [...path.map(({ state, at }) => `${state} ${((at - (path[0]?.at ?? at)) / 1_000).toFixed(0)}`), `end ${seconds.toFixed(0)} s`].join(
    ' › ',
  );

/** Exchanges one authority or the key pair of service accounts, and tells its states as they come. */
export async function runExchange(
  narrator: Narrator,
  world: World,
  input: Partial<ExchangeRequest> & { readonly authority: Exchangeable },
  atState: AtState = {},
): Promise<ExchangeRun> {
  const { rotateCa } = world.lifeboat;
  if (rotateCa === undefined) throw new Error('this lifeboat has nothing to do with certificates');
  const began = Date.now();
  const first = await rotateCa.start({ approval: 'automatic', canarySeconds: 0, waitForNodesSeconds: 30, ...input });
  const id = first.name;
  const executions = [first];
  const path: { state: AnyState; at: number }[] = [];
  let distrustBegan: number | undefined;
  const goesOn = async (): Promise<boolean> => {
    await addSuccessors(executions, rotateCa);
    return !(await Promise.all(executions.map((each) => each.hasEnded()))).every(Boolean);
  };
  while (await goesOn()) {
    if (Date.now() - began > ENDS_WITHIN_MS)
      throw new Error(`${await whyOf(world)}\nthe exchange goes on after ${ENDS_WITHIN_MS / 1_000} s`);
    const { rotation } = await notedOf(world, input.authority);
    const state = rotation?.id === id ? rotation.state : undefined;
    if (state !== undefined && rotation?.distrustBegan !== undefined) distrustBegan = Date.parse(rotation.distrustBegan);
    if (state !== undefined && state !== path.at(-1)?.state) {
      const back = rotation?.abortRequested === undefined ? '' : ', on the way back';
      narrator.say(`      +${((Date.now() - began) / 1_000).toFixed(1).padStart(5)} s  ${state}${back}`);
      const before = path.some((each) => each.state === state);
      path.push({ state, at: Date.parse(rotation?.stateSince ?? '') });
      const follow = (other: Execution): number => executions.push(other);
      if (!before) await atState[state]?.({ id, state, goesOn, follow, waitsFor: () => waitOf(executions) });
    }
    await sleep(LOOK_EVERY_MS);
  }
  const ends = await Promise.all(executions.map((each) => each.wait()));
  if (ends.some(({ status }) => status !== 'SUCCEEDED')) narrator.say(await whyOf(world));
  return { id, ends, path, ...(distrustBegan !== undefined && { distrustBegan }), seconds: (Date.now() - began) / 1_000 };
}

const HandsOver = z.object({ summary: z.string().regex(/^arn:\S+ goes on with it/) });

/** One whose history is long hands over to another one, which its end names. */
async function addSuccessors(executions: Execution[], machine: StateMachine): Promise<void> {
  // Those that are added are looked at, too.
  for (const execution of executions) {
    if (!(await execution.hasEnded())) continue;
    const { data } = HandsOver.safeParse((await execution.wait()).output);
    const [next] = data?.summary.split(' ') ?? [];
    if (next !== undefined && !executions.some(({ arn }) => arn === next)) executions.push(machine.execution(next));
  }
}

const Carries = z.object({ state: z.object({ waiting: z.object({ forWhat: z.string(), because: z.array(z.string()) }).optional() }) });

/** Of the execution that drives it, which is the youngest one that goes on. */
async function waitOf(executions: readonly Execution[]): Promise<string> {
  for (const execution of [...executions].reverse()) {
    if (await execution.hasEnded()) continue;
    const [carried] = (await execution.inputs()).flatMap((input) => Carries.safeParse(input).data ?? []);
    const { waiting } = carried?.state ?? {};
    return waiting === undefined ? 'nothing' : `${waiting.forWhat}: ${waiting.because.join('; ')}`;
  }
  return 'nothing';
}

/** All lines that the functions of an exchange wrote so far. */
export async function linesOf({ cloud, lifeboat }: World): Promise<string[]> {
  const names = lifeboat.certificateFunctions.filter((name) => /ExchangeAuthority|LookAround|RotateCertificates/.test(name));
  return (await Promise.all(names.map((name) => cloud.logs(name)))).flat();
}

/** What the functions said of it, for whoever has to find out why it did not end well. */
export const whyOf = async (world: World): Promise<string> =>
  (await linesOf(world))
    .filter((line) => /exchange-|not-seen|gates-|rotation-|"level":"(ERROR|WARN)"/.test(line))
    .map((line) => line.trim().slice(0, 1_500))
    .slice(-60)
    .join('\n');
