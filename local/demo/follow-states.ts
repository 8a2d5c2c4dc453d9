import type { PHASES } from '../../lambdas/restore/phases';
import { sleep } from '../child-process';
import type { Execution } from '../cloud';
import type { Narrator } from '../narrator';

const LOOK_EVERY_MS = 250;

/** What a person wants to know of a state while it goes by. */
const WORDS: Readonly<Record<(typeof PHASES)[number], string>> = {
  FindNodes: 'by their tags, in Systems Manager',
  Facts: 'asks every node what runs there and where its data is',
  Plan: 'chooses the snapshot, says what is lost',
  Approve: 'waits for a person',
  Lock: 'nobody else works on these nodes',
  FindNodesAgain: 'once more, since approving takes its time',
  FactsAgain: 'asks every node once more',
  PlanAgain: 'sees that what was approved still holds',
  SafetySnapshot: 'of what is there now, whatever it is',
  Materialize: 'the plain file, for the nodes to fetch',
  Stage: 'every node fetches and checks it; etcd still serves',
  PromiseRevisions: 'writes down how far revisions will go, before anything stops',
  PrepareData: 'etcdutl restores beside the live data; etcd still serves',
  StopControlPlane: 'the API servers stop',
  StopEtcd: 'one member after the other',
  RestoreData: 'two renames on every node',
  StartEtcd: 'all members',
  CheckEtcd: 'quorum, equal HashKV, objects as in the manifest, revision',
  Repair: 'leases of API servers that are gone',
  StartApiservers: 'one after the other, each ready',
  Verify: 'once more, with the API servers at work',
  FollowName: 'the DNS record of the API, where the lifeboat keeps it',
  Rollback: 'the old data comes back',
  FactsAfter: 'asks every node what is there now',
  CheckOldEtcd: 'whether the old members serve',
};

/** Prints a line for each known state that the execution leaves, with the time since the first call and how long it stayed. */
export function followStates(narrator: Narrator, execution: Execution): { stop(): Promise<void> } {
  const known = new Map<string, string>(Object.entries(WORDS));
  const began = Date.now();
  let told = 0;
  const ending = new AbortController();
  const tell = async (): Promise<void> => {
    const left = (await execution.history()).flatMap(({ state, enteredAt, exitedAt }) => {
      const words = known.get(state);
      return words === undefined || exitedAt === undefined
        ? []
        : [{ state, words, enteredAt: enteredAt.getTime(), exitedAt: exitedAt.getTime() }];
    });
    for (const { state, words, enteredAt, exitedAt } of left.slice(told)) {
      if (exitedAt < began) continue;
      const [since, stayed] = [exitedAt - began, exitedAt - enteredAt].map((ms) => (ms / 1000).toFixed(1)) as [string, string];
      narrator.say(`      +${since.padStart(5)} s  ${state.padEnd(17)}${stayed.padStart(6)} s  ${words}`);
    }
    told = left.length;
  };
  const loop = (async () => {
    while (!ending.signal.aborted) {
      await tell();
      await sleep(LOOK_EVERY_MS);
    }
    await tell();
  })();
  // Whoever stops it hears of it.
  loop.catch(() => undefined);
  return {
    stop: () => {
      ending.abort();
      return loop;
    },
  };
}
