import type { MemberAnswer } from '../contract/manifest';
import { messageOf } from '../contract/lifeboat-error';
import { isLeader } from '../etcd/cluster-view';
import type { ClusterView, EtcdReader, LiveHashKv, MemberView } from '../etcd/cluster-view';
import { compareAnswer } from './attest';
import type { ExpectedHash, HashKvReply } from './attest';
import type { TakeSnapshotEdges } from './edges';

/** A follower applies what the snapshot holds, compactions too, within a heartbeat or two; after this many tries its answer counts as it is. */
const TRIES = 6;
const FIRST_WAIT_MS = 100;
const NEWEST = 0;

export type AskEdges = Pick<TakeSnapshotEdges, 'etcd' | 'disk' | 'wait'>;

/** What the file itself says, to compare with. */
export interface FileHash {
  readonly path: string;
  readonly revision: number;
  readonly compactRevision: number;
  /** Its own HashKV at both, which may still be computed while the members compute theirs; undefined when it cannot be had. */
  readonly hash: Promise<string | undefined>;
}

/**
 * Asks every member that was reached for HashKV at the file's revision and compares each answer with the file under the
 * compaction that the answer names: the cluster may have compacted since the snapshot, and members may differ for a moment.
 */
export async function askMembers(edges: AskEdges, view: ClusterView, file: FileHash): Promise<MemberAnswer[]> {
  const answers: MemberAnswer[] = [];
  // Each different compaction costs a pass over the file, so equal ones are remembered.
  const known = new Map<number, ExpectedHash>();
  // One member after the other and the leader last: hashing reads a member's whole key space.
  for (const member of [...view.members].sort((a, b) => Number(leads(a)) - Number(leads(b)))) {
    if (member.reachable && member.status.isLearner) continue;
    const heard = await reply(edges, member, file);
    const name = member.reachable ? { member: member.status.name, memberId: member.status.id } : { member: member.endpoint };
    const expected = heard.outcome === 'answered' ? await expectedUnder(edges, file, heard.compactRevision, known) : { incomparable: '' };
    answers.push(compareAnswer({ ...name, endpoint: member.endpoint }, heard, expected));
  }
  return answers;
}

const leads = (member: MemberView): boolean => member.reachable && isLeader(member.status);

async function reply(edges: AskEdges, member: MemberView, file: FileHash): Promise<HashKvReply> {
  if (!member.reachable) return { outcome: 'unreachable', because: member.because };
  for (let attempt = 1; ; attempt++) {
    try {
      const heard = await answerAt(edges, member.endpoint, file);
      if (heard.compactRevision >= file.compactRevision || attempt === TRIES) return { outcome: 'answered', ...heard };
    } catch (error) {
      if (attempt === TRIES || !isFuture(error)) return { outcome: 'refused', because: messageOf(error) };
    }
    await edges.wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
  }
}

/**
 * HashKV at the file's revision. Where that is the very revision of the last compaction, members since 3.5.5 repeat the hash that the
 * compaction left behind (etcd `mvcc/hash.go`, `HashByRev`): it goes over entries that the compaction has removed, so no file has them.
 * Asked for revision 0, the newest, they compute anew; and that is still the file's revision if the one behind it is yet to come.
 */
async function answerAt({ etcd }: AskEdges, endpoint: string, file: FileHash): Promise<LiveHashKv> {
  const heard = await etcd.hashKv(endpoint, file.revision);
  if (heard.compactRevision >= file.compactRevision || file.revision !== file.compactRevision) return heard;
  const newest = await etcd.hashKv(endpoint, NEWEST);
  return newest.hash === (await file.hash) || (await isLast(etcd, endpoint, file.revision)) ? newest : heard;
}

async function isLast(etcd: EtcdReader, endpoint: string, revision: number): Promise<boolean> {
  try {
    await etcd.hashKv(endpoint, revision + 1);
    return false;
  } catch (error) {
    if (isFuture(error)) return true;
    throw error;
  }
}

const isFuture = (error: unknown): boolean => /future revision/.test(messageOf(error));

async function expectedUnder(
  edges: AskEdges,
  file: FileHash,
  compactRevision: number,
  known: Map<number, ExpectedHash>,
): Promise<ExpectedHash> {
  const seen = known.get(compactRevision);
  if (seen) return seen;
  const expected = await compute(edges, file, compactRevision);
  known.set(compactRevision, expected);
  return expected;
}

async function compute(edges: AskEdges, file: FileHash, compactRevision: number): Promise<ExpectedHash> {
  if (compactRevision === file.compactRevision) {
    const hash = await file.hash;
    return hash === undefined ? { incomparable: 'the file has no hash' } : { hash };
  }
  if (compactRevision > file.revision)
    return { incomparable: `the member has compacted at ${compactRevision}, past the file's revision ${file.revision}` };
  try {
    return { hash: (await edges.disk.hashKvOf(file.path, file.revision, compactRevision)).hash };
  } catch (error) {
    return { incomparable: messageOf(error) };
  }
}
