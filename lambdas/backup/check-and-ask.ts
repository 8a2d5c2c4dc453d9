import type { MemberAnswer } from '../contract/manifest';
import type { ClusterView } from '../etcd/cluster-view';
import type { SnapshotReport } from '../etcd/snapshot';
import { askMembers } from './ask-members';
import type { TakeSnapshotEdges } from './edges';
import type { Stopwatch } from './stopwatch';

export interface CheckedFile {
  readonly report: SnapshotReport;
  /** Empty where the file has no hash to compare with. Somebody is always listening for its failure, so it may be awaited late. */
  readonly answers: Promise<readonly MemberAnswer[]>;
}

/**
 * Judges the spooled file while the members already hash their own data: what they are asked for, its revision, stands on a few of its pages.
 * An answer is compared only with the hash that the judged file gives.
 *
 * @throws what `inspect` throws, when nobody is being asked any more
 */
export async function checkAndAsk(
  edges: TakeSnapshotEdges,
  view: ClusterView,
  file: { readonly path: string; readonly databaseSha256: string },
  watch: Stopwatch,
): Promise<CheckedFile> {
  const { path } = file;
  const hash = Promise.withResolvers<string | undefined>();
  const ask = (point: { readonly revision: number; readonly compactRevision: number }) => {
    const answers = watch.time('attest', () => askMembers(edges, view, { path, ...point, hash: hash.promise }));
    answers.catch(() => undefined);
    return answers;
  };
  // A file that cannot even tell this is damaged, and the report will say how.
  const position = await edges.disk.positionOf(path).catch(() => undefined);
  const early = position && ask(position);
  try {
    const report = await watch.time('verify', () => edges.disk.inspect(path, file.databaseSha256));
    const { hashKv } = report;
    hash.resolve(hashKv?.hash);
    if (hashKv !== undefined) return { report, answers: early ?? ask(hashKv) };
    return { report, answers: Promise.resolve(early).then(() => []) };
  } catch (error) {
    hash.resolve(undefined);
    await early?.catch(() => undefined);
    throw error;
  }
}
