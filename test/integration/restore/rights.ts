import type { Finding } from '../../support/permissions/judge';
import { judgeCalls, linesOf } from '../../support/permissions/judge';
import { rightsOf } from '../../support/permissions/stack-rights';
import { exceptions } from '../permissions/exceptions';
import type { RestoreWorld } from './world';

const KINDS: readonly Finding['kind'][] = ['denied', 'not-granted', 'unused', 'wide', 'idle'];

/** What is wrong with the rights of the functions of one runbook, after it did everything that it is there for; nothing when each was needed. */
export async function findingsOf(
  { cloud, lifeboat }: RestoreWorld,
  runbook: 'Restore' | 'ReplaceMember',
  unneeded: readonly RegExp[] = [],
): Promise<string[]> {
  const rights = rightsOf(await cloud.stack(`Lifeboat-${lifeboat.cluster}`));
  const functions = rights.functions.filter(({ label }) => label.startsWith(runbook));
  const place = { account: cloud.accountId, region: cloud.region };
  const findings = await judgeCalls(place, { ...rights, functions }, cloud.calls(), exceptions);
  return linesOf(findings, ...KINDS).filter((line) => !unneeded.some((pattern) => pattern.test(line)));
}
