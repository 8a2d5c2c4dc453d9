import type { MemberAnswer } from '../contract/manifest';
import { messageOf } from '../contract/lifeboat-error';
import type { ClusterView, MemberView } from '../etcd/cluster-view';
import { compareAnswer } from './attest';
import type { ExpectedHash, HashKvReply } from './attest';
import type { TakeSnapshotEdges } from './edges';

/** A follower applies what the snapshot holds within a heartbeat or two; after this many tries it counts as not answering. */
const TRIES = 6;
const FIRST_WAIT_MS = 100;

/** What the file itself says, to compare with. */
export interface FileHash {
  readonly path: string;
  readonly revision: number;
  readonly compactRevision: number;
  readonly hash: string;
}

/**
 * Asks every member that was reached for HashKV at the file's revision and compares each answer with the file under the
 * compaction that the answer names: the cluster may have compacted since the snapshot, and members may differ for a moment.
 */
export async function askMembers(edges: TakeSnapshotEdges, view: ClusterView, file: FileHash): Promise<MemberAnswer[]> {
  const replies = await Promise.all(view.members.map((member) => reply(edges, member, file.revision)));
  const answers: MemberAnswer[] = [];
  // One after the other: each different compaction costs a pass over the file, and equal ones are remembered.
  const known = new Map<number, ExpectedHash>([[file.compactRevision, { hash: file.hash }]]);
  for (const [index, member] of view.members.entries()) {
    const heard = replies[index];
    if (heard === undefined || (member.reachable && member.status.isLearner)) continue;
    const name = member.reachable ? member.status.name : member.endpoint;
    const expected = heard.outcome === 'answered' ? await expectedUnder(edges, file, heard.compactRevision, known) : { incomparable: '' };
    answers.push(compareAnswer(name, member.endpoint, heard, expected));
  }
  return answers;
}

async function reply(edges: TakeSnapshotEdges, member: MemberView, revision: number): Promise<HashKvReply> {
  if (!member.reachable) return { outcome: 'unreachable', because: member.because };
  for (let attempt = 1; ; attempt++) {
    try {
      return { outcome: 'answered', ...(await edges.etcd.hashKv(member.endpoint, revision)) };
    } catch (error) {
      if (attempt === TRIES || !/future revision/.test(messageOf(error))) return { outcome: 'unreachable', because: messageOf(error) };
      await edges.wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}

async function expectedUnder(
  edges: TakeSnapshotEdges,
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

async function compute(edges: TakeSnapshotEdges, file: FileHash, compactRevision: number): Promise<ExpectedHash> {
  if (compactRevision > file.revision)
    return { incomparable: `the member has compacted at ${compactRevision}, past the file's revision ${file.revision}` };
  try {
    return { hash: (await edges.disk.hashKvOf(file.path, file.revision, compactRevision)).hash };
  } catch (error) {
    return { incomparable: messageOf(error) };
  }
}
