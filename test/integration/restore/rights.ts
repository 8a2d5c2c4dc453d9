import type { Finding } from '../../support/permissions/judge';
import { judgeCalls, linesOf } from '../../support/permissions/judge';
import { rightsOf } from '../../support/permissions/stack-rights';
import { exceptions } from '../permissions/exceptions';
import type { RestoreWorld } from './world';

/** Not every right is used in one world: those of drills, of the other runbook and of cancelling are not. */
const KINDS: readonly Finding['kind'][] = ['denied', 'not-granted'];

/** The calls of the functions of one runbook that were refused, or that its synthesized policies do not allow. */
export async function findingsOf({ cloud, lifeboat }: RestoreWorld, runbook: 'Restore' | 'ReplaceMember'): Promise<string[]> {
  const rights = rightsOf(await cloud.stack(`Lifeboat-${lifeboat.cluster}`));
  const functions = rights.functions.filter(({ label }) => label.startsWith(runbook) || label.startsWith('Nodes'));
  const place = { account: cloud.accountId, region: cloud.region };
  const findings = await judgeCalls(place, { ...rights, functions }, cloud.calls(), exceptions);
  return linesOf(findings, ...KINDS);
}
