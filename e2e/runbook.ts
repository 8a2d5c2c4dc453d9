import type { Manifest } from '../lambdas/contract/manifest';
import type { RestoreReport } from '../lambdas/contract/restore';
import { approveAsPrinted, questionOf, reportOf } from '../local/demo/approval';
import { followStates } from '../local/demo/follow-states';
import type { Narrator } from '../local/narrator';
import type { World } from './world';

const ENDS_WITHIN_MS = 900_000;

/** By the deployed functions, as their schedules call them: the second one remembers how far revisions went. */
export async function takeSnapshot({ lifeboat }: World): Promise<Manifest> {
  const answer = await lifeboat.takeSnapshot({ trigger: 'scheduled' });
  if (answer.outcome === 'failed') throw new Error(`take-snapshot failed with ${answer.error.name}: ${answer.error.message}`);
  await lifeboat.watchMembers();
  const taken = (await lifeboat.snapshots()).at(-1);
  if (taken?.verified !== true) throw new Error('the snapshot that was taken is not listed as verified');
  return taken;
}

export interface RunInput {
  readonly approval?: 'skip';
  readonly rollBack?: string;
}

export interface RestoreEnd {
  readonly restoreId: string;
  readonly status: string;
  readonly report: RestoreReport;
  readonly endedAt: number;
}

/** Runs the deployed restore to its end, and tells its states; approves where the input does not skip that. */
export async function runRestore(narrator: Narrator, { lifeboat, cloud }: World, input: RunInput): Promise<RestoreEnd> {
  const execution = await lifeboat.restore.start(input);
  // What undoes a restore reports in its place.
  const name = input.rollBack ?? execution.name;
  const question = input.approval === 'skip' ? undefined : await questionOf(lifeboat, execution);
  const told = followStates(narrator, execution);
  try {
    if (question !== undefined) await approveAsPrinted(cloud, question);
    const { status } = await execution.wait({ timeoutMs: ENDS_WITHIN_MS });
    return { restoreId: name, status, report: await reportOf(lifeboat, { name }), endedAt: Date.now() };
  } finally {
    await told.stop();
  }
}
