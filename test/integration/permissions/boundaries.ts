import { foreignRequests, requestOf } from '../../support/permissions/foreign-requests';
import { ownerOf } from '../../support/permissions/implied-requests';
import { simulate } from '../../support/permissions/simulate';
import type { AccessRequest, SimulatedVerdict } from '../../support/permissions/simulate';
import type { FunctionRights } from '../../support/permissions/stack-rights';
import type { Attack } from './attacks';
import { concernsThem } from './attacks';
import type { Neighbours } from './two-clusters';
import { functionOf } from './two-clusters';

/** What AWS would answer to whoever has these rights, with the policies of both clusters' resources. */
export function ask(
  { cloud, mine, theirs }: Neighbours,
  { grants, role = 'a-role' }: Pick<FunctionRights, 'grants'> & Partial<Pick<FunctionRights, 'role'>>,
  request: AccessRequest,
): Promise<SimulatedVerdict> {
  const guards = new Map([...mine.rights.guards, ...theirs.rights.guards]);
  const caller = { account: cloud.accountId, role, grants };
  return simulate(caller, request, guards.get(ownerOf(request.resource)));
}

/** What became of attacks, as a test shows it. */
export const refusalsOf = (world: Neighbours, attacks: readonly Attack[]) =>
  attacks.map(({ label, variables, answer, calls }) => ({
    attack: `${label} with their ${variables.join(', ')}`,
    answer,
    said: JSON.stringify(answer.outcome === 'failed' ? answer.error : answer.result),
    passed: calls.filter((call) => concernsThem(world, call) && call.allowed),
    refused: calls.filter((call) => concernsThem(world, call) && !call.allowed).length,
  }));

/** The calls of attacks on which emulator and simulator do not agree. */
export async function disagreements(world: Neighbours, attacks: readonly Attack[]): Promise<object[]> {
  const found = [];
  const { functions } = world.mine.rights;
  for (const { label, calls } of attacks) {
    for (const call of calls) {
      // Whoever was asked by the one that is attacked is judged by what he was told himself.
      if (functions.some((other) => other.label !== label && other.role === call.role)) continue;
      const { verdict } = await ask(world, functionOf(world.mine, label), call);
      if (verdict !== (call.allowed ? 'allowed' : 'denied')) found.push({ label, call, verdict });
    }
  }
  return found;
}

export interface Reach {
  readonly label: string;
  readonly rights: number;
  readonly denied: number;
  readonly reached: readonly AccessRequest[];
}

/** What the functions of each cluster could do with anything of the other, by the policies alone. */
export async function reachAcross(world: Neighbours): Promise<Reach[]> {
  const found: Reach[] = [];
  for (const [mine, theirs] of [
    [world.mine, world.theirs],
    [world.theirs, world.mine],
  ] as const) {
    const clusters = { mine: mine.lifeboat.cluster, theirs: theirs.lifeboat.cluster };
    for (const rights of mine.rights.functions) {
      const requests = foreignRequests(rights, theirs.rights, clusters);
      const verdicts = await Promise.all(requests.map(async (request) => ({ request, ...(await ask(world, rights, request)) })));
      found.push({
        label: rights.label,
        rights: rights.grants.length,
        denied: verdicts.filter(({ verdict }) => verdict === 'denied').length,
        reached: verdicts.filter(({ verdict }) => verdict === 'allowed').map(({ request }) => request),
      });
    }
  }
  return found;
}

/** The rights of their own functions that the requests which are tried across would not reach: they would prove nothing. */
export async function unreachedByItsOwn(world: Neighbours): Promise<object[]> {
  const found = [];
  for (const rights of world.theirs.rights.functions) {
    for (const grant of rights.grants.filter(({ effect }) => effect === 'Allow')) {
      const { verdict } = await ask(world, rights, requestOf(grant));
      if (verdict !== 'allowed') found.push({ label: rights.label, grant, verdict });
    }
  }
  return found;
}
