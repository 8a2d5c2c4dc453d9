import type { NodeFacts } from '../contract/node-commands';

/** What the node's etcd would serve: what it had before the restore, what was restored, or nothing yet. */
export type DataState = 'old' | 'restored' | 'half-swapped' | 'unclear';

/** In what state one restore left a node; everything follows from `facts` alone, whatever happened to the documents and their senders. */
export type NodeState =
  /** A document runs now: ask again. */
  | { readonly state: 'busy'; readonly because: string }
  | { readonly state: 'serving'; readonly data: DataState; readonly because: string }
  /** etcd runs and the API server does not, or the other way round, or one that should run does not. */
  | { readonly state: 'partly-stopped'; readonly data: DataState; readonly because: string }
  | { readonly state: 'stopped'; readonly data: DataState; readonly because: string }
  /** Nothing may be done by a runbook. */
  | { readonly state: 'needs-hands'; readonly because: string };

/** The same rule as `find_data_state` in nodes/library/data.sh, from what the directories say of themselves. */
function dataStateOf({ exists, restoredBy, restoredBefore, kept }: NonNullable<NodeFacts['data']>, restoreId: string): DataState {
  if (exists && restoredBy === restoreId) return 'restored';
  if (restoredBefore.includes(restoreId)) return 'unclear';
  if (!kept.some((each) => each.restoreId === restoreId && each.kind === 'old')) return 'old';
  return exists ? 'unclear' : 'half-swapped';
}

/** Judges what a node told about itself during or after the restore `restoreId`. */
export function nodeStateOf(facts: NodeFacts, restoreId: string): NodeState {
  const { etcd, apiserver, busyWith } = facts;
  if (busyWith !== null) return { state: 'busy', because: `${busyWith} runs on ${facts.host}` };
  if (facts.data === null) return { state: 'needs-hands', because: `${facts.host} has no etcd whose data directory can be told` };
  const other = [etcd.keptBy, apiserver.keptBy].find((by) => by !== null && by !== restoreId);
  if (other !== undefined)
    return { state: 'needs-hands', because: `restore ${String(other)} stopped parts of ${facts.host}: finish that one first` };
  const data = dataStateOf(facts.data, restoreId);
  if (data === 'unclear' && facts.data.restoredBy !== null)
    return {
      state: 'needs-hands',
      because: `restore ${facts.data.restoredBy} was there later and made the data of ${facts.host}: roll that one back first, or restore a snapshot of the time that you want`,
    };
  const because = `etcd ${words(etcd)}, kube-apiserver ${words(apiserver)}, data ${data}`;
  const stopped = !etcd.running && !apiserver.running && etcd.definition === 'kept' && apiserver.definition !== 'in-place';
  if (stopped) return { state: 'stopped', data, because };
  const apiserverServes = apiserver.definition === 'in-place' && apiserver.running && apiserver.ready !== false;
  const apiserverAsItShould = apiserver.definition === 'none' || apiserverServes;
  const serving = etcd.definition === 'in-place' && etcd.running && etcd.servesLiveData && etcd.listening && apiserverAsItShould;
  return { state: serving ? 'serving' : 'partly-stopped', data, because };
}

interface Part {
  readonly definition: string;
  readonly running: boolean;
  readonly ready?: boolean | null;
}

const words = ({ definition, running, ready }: Part): string =>
  `${running ? `runs${ready === false ? ' and is not ready' : ''}` : 'does not run'} (${definition === 'none' ? 'no manifest' : `manifest ${definition}`})`;
