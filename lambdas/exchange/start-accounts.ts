import { approvePair, mintPair } from '../accounts/key-generations';
import { ASKED_FOR_ITSELF } from '../authorities/approval';
import { newPair } from '../accounts/new-pair';
import { planAccounts } from '../accounts/plan';
import type { AccountsPlan } from '../accounts/plan';
import { pairThatSigns } from '../accounts/verifying';
import { prune } from '../authorities/prune';
import { heardNodes } from '../certificates/hear-nodes';
import type { ToldNode } from '../certificates/told-node';
import type { AccountsLook } from '../contract/exchange-looks';
import { messageOf } from '../contract/lifeboat-error';
import type { RunbookNode } from '../contract/restore';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import { beforeOf } from './cluster-seen';
import { firstSets } from './distribute';
import type { ExchangeEdges } from './edges';
import { apiServersOf, look, placeOf } from './look';
import { accountFilesElsewhere, accountFilesOf, apiServersSeen, legacyTokensOf } from './observe-accounts';
import { mintAlone } from './mint-alone';
import { START_LIMITS, begun, documentsOf, knownOf, refused, refusedBy, statesText } from './prepare';
import { commonFactsOf } from './rotation-facts-of';
import { ended } from './tell';
import { LOOK_SECONDS, waitFor } from './waiting';

/** What API servers show of the keys, each by itself; undefined where nobody could ask. */
export async function lookAtKeys(
  edges: Pick<ExchangeEdges, 'cluster' | 'stamps' | 'lookAtAccounts' | 'telemetry'>,
  told: readonly ToldNode[],
  asked: readonly RunbookNode[],
): Promise<AccountsLook | undefined> {
  try {
    return await edges.lookAtAccounts(await placeOf(edges, asked, apiServersOf(told)));
  } catch (error) {
    edges.telemetry.log('not-seen', { what: 'accounts', because: messageOf(error) });
    return undefined;
  }
}

/** Plans an exchange of the key pair of service accounts, and mints the next. Nothing is distributed by that. @throws the errors of the edges */
export async function startAccounts(edges: ExchangeEdges, state: ExchangeState): Promise<Act> {
  const { request, facts, authority, rotation, driver } = state;
  if (request === undefined || facts === undefined) return goOn('look', 0, state);
  const heard = await heardNodes(facts);
  const [documents, document] = await Promise.all([documentsOf(edges), edges.accounts()]);
  // Of a cluster that was never adopted nothing is begun.
  const first = request.plan || document === undefined ? undefined : await firstSets(edges, state.asked);
  if (first !== undefined) return waitFor(edges, state, authority, { what: 'first sets', because: [first] }, 'look', LOOK_SECONDS);
  const [seen, shown] = await Promise.all([look(edges, heard.told, authority, state.asked), lookAtKeys(edges, heard.told, state.asked)]);
  const { kept, ...known } = await knownOf(edges, request.plan, seen, heard);
  const { mode, soakSeconds } = request;
  const how = soakSeconds !== undefined && { soakSeconds };
  const plan = planAccounts(
    {
      ...commonFactsOf(heard, documents, document, known),
      document,
      files: heard.told.map(accountFilesOf),
      elsewhere: accountFilesElsewhere(heard.told),
      apiServers: shown && apiServersSeen(shown),
      legacy: shown && legacyTokensOf(shown, document),
    },
    { id: rotation, mode, ...how },
    START_LIMITS,
  );
  if (plan.decision === 'refuse') return refusedBy(edges, state, plan.all);
  if (seen.cluster === undefined) return refused(edges, state, `the Kubernetes API did not answer: ${seen.clusterBecause ?? ''}`);
  if (request.plan) return ended(state, 'PLANNED', planText(plan), { plan });
  const before = beforeOf(seen.cluster, heard.told, () => []);
  const pair = await newPair(document && pairThatSigns(document)?.publicKey);
  return mintAlone(edges, state, async () => {
    const made = await edges.changeAccounts((found) => {
      const now = edges.now();
      if (found.rotation !== undefined) return found;
      const noted = mintPair(prune('service-accounts', found, kept), pair, { id: rotation, mode, now, driver, before, ...how });
      return request.approval === 'automatic' ? approvePair(noted, ASKED_FOR_ITSELF, { rotation, now }) : noted;
    });
    // Somebody else was faster: planned again, it is told.
    if (made.rotation?.id !== rotation) return goOn('look', 0, state);
    edges.telemetry.log('key-pair-minted', { rotation, mode, generations: made.generations.length });
    return goOn('step', 0, begun(state));
  });
}

const planText = ({ states, seconds, legacy, downtime }: Extract<AccountsPlan, { decision: 'rotate' }>): string =>
  [
    `${states.length} states, at most ${seconds} s; ${downtime ?? 'no downtime'}`,
    ...statesText(states),
    legacy.length === 0
      ? 'no token that never ends'
      : `${legacy.length} token(s) that never end are refused at the end: ${legacy
          .slice(0, 20)
          .map(({ namespace, name }) => `${namespace}/${name}`)
          .join(', ')}`,
  ].join('; ');
