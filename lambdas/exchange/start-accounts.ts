import { ASKED_FOR_ITSELF, approvePair, mintPair, prunePairs } from '../accounts/key-generations';
import { newPair } from '../accounts/new-pair';
import { planAccounts } from '../accounts/plan';
import type { AccountsPlan } from '../accounts/plan';
import { pairThatSigns } from '../accounts/verifying';
import { LIMITS } from '../authorities/rotation-facts';
import { heardNodes } from '../certificates/hear-nodes';
import type { ToldNode } from '../certificates/told-node';
import type { AccountsLook } from '../contract/exchange-looks';
import { messageOf } from '../contract/lifeboat-error';
import type { RunbookNode } from '../contract/restore';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import { firstSets } from './distribute';
import type { ExchangeEdges } from './edges';
import { look, placeOf } from './look';
import { accountFilesElsewhere, accountFilesOf, apiServersOf, apiServersSeen, legacyTokensOf } from './observe-accounts';
import { mintAlone } from './mint-alone';
import { commonFactsOf, missingNodes } from './rotation-facts-of';
import { SNAPSHOT_SECONDS, documentsOf } from './start';
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
  const first = request.plan ? undefined : await firstSets(edges, state.asked);
  if (first !== undefined) return waitFor(edges, state, authority, { what: 'first sets', because: [first] }, 'look', LOOK_SECONDS);
  const [seen, shown, documents, document, snapshots, lockedBy] = await Promise.all([
    look(edges, heard.told, authority, state.asked),
    lookAtKeys(edges, heard.told, state.asked),
    documentsOf(edges),
    edges.accounts(),
    edges.snapshots(),
    request.plan ? edges.lockedBy() : undefined,
  ]);
  const etcd = seen.etcd && { voters: seen.etcd.voters, healthy: seen.etcd.healthy, learners: seen.etcd.learners };
  const { mode, soakSeconds } = request;
  const missing = seen.cluster === undefined ? [] : missingNodes(seen.cluster, heard);
  const known = { now: edges.now(), etcd, snapshot: snapshots.newest, missing, ...(lockedBy !== undefined && { lockedBy }) };
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
    { ...LIMITS, snapshotYoungerThanSeconds: SNAPSHOT_SECONDS },
  );
  if (plan.decision === 'refuse') {
    const all = plan.all.map(({ because, instead }) => `${because}: ${instead}`);
    return ended(state, 'REFUSED', all.join('; '), { whatToDo: plan.all.map(({ instead }) => instead) });
  }
  if (seen.cluster === undefined) return ended(state, 'REFUSED', `the Kubernetes API did not answer: ${seen.clusterBecause ?? ''}`);
  if (request.plan) return ended(state, 'PLANNED', planText(plan), { plan });
  const before = { voters: seen.etcd?.voters ?? 0, readyNodes: seen.cluster.nodes.filter(({ ready }) => ready).length };
  const pair = await newPair(document && pairThatSigns(document)?.publicKey);
  return mintAlone(edges, state, async () => {
    const made = await edges.changeAccounts((found) => {
      const now = edges.now();
      if (found.rotation !== undefined) return found;
      const noted = mintPair(prunePairs(found, snapshots.kept), pair, { id: rotation, mode, now, driver, before, ...how });
      return request.approval === 'automatic' ? approvePair(noted, ASKED_FOR_ITSELF, { rotation, now }) : noted;
    });
    // Somebody else was faster: planned again, it is told.
    if (made.rotation?.id !== rotation) return goOn('look', 0, state);
    edges.telemetry.log('key-pair-minted', { rotation, mode, generations: made.generations.length });
    // Without what was asked for, it is not begun anew when it is over.
    const { request: _, ...begun } = state;
    return goOn('step', 0, begun);
  });
}

const planText = ({ states, seconds, legacy, downtime }: Extract<AccountsPlan, { decision: 'rotate' }>): string =>
  [
    `${states.length} states, at most ${seconds} s; ${downtime ?? 'no downtime'}`,
    ...states.map(({ state, restarts }) => `${state}: ${restarts.length === 0 ? 'no restart' : `${restarts.length} restart(s)`}`),
    legacy.length === 0
      ? 'no token that never ends'
      : `${legacy.length} token(s) that never end are refused at the end: ${legacy
          .slice(0, 20)
          .map(({ namespace, name }) => `${namespace}/${name}`)
          .join(', ')}`,
  ].join('; ');
