import type { RestoreReport } from '../lambdas/contract/restore';
import { approveAsPrinted, questionOf, reportOf } from '../local/demo/approval';
import { followStates } from '../local/demo/follow-states';
import type { Narrator } from '../local/narrator';
import type { World } from './world';

const ENDS_WITHIN_MS = 900_000;

export interface RunInput {
  readonly approval?: 'skip';
  readonly rollBack?: string;
  /** @default - the latest */
  readonly snapshot?: string;
}

export interface RestoreEnd {
  readonly restoreId: string;
  /** What was asked before anything was stopped; empty where nobody was to be asked. */
  readonly question: string;
  readonly status: string;
  readonly report: RestoreReport;
  readonly endedAt: number;
}

/** Runs the deployed restore to its end, and tells its states; approves where the input does not skip that. */
export async function runRestore(narrator: Narrator, { lifeboat, cloud }: World, input: RunInput): Promise<RestoreEnd> {
  const execution = await lifeboat.restore.start(input);
  const question = input.approval === 'skip' ? undefined : await questionOf(lifeboat, execution);
  const told = followStates(narrator, execution);
  try {
    if (question !== undefined) await approveAsPrinted(cloud, question);
    const { status } = await execution.wait({ timeoutMs: ENDS_WITHIN_MS });
    return {
      restoreId: execution.name,
      question: question ?? '',
      status,
      report: await reportOf(lifeboat, execution),
      endedAt: Date.now(),
    };
  } finally {
    await told.stop();
  }
}
