import type { Manifest } from '../../lambdas/contract/manifest';
import { readLedger } from '../../lambdas/backup/ledger';

/**
 * What is wrong with the ledger after the members were looked at: it must hold every revision that a snapshot holds or that etcd had answered
 * to a client before, and never come down.
 *
 * @param served the highest revision that a client was ever answered, while some member could tell of it; 0 otherwise
 * @param ceiling the ceiling of the slot before
 */
export function judgeLedger(
  text: string | undefined,
  manifests: readonly Manifest[],
  ceiling: number,
  served: number,
): { ceiling: number; problems: string[] } {
  const read = readLedger(text);
  if (read.state !== 'fine') return { ceiling, problems: [`the ledger is ${read.state}`] };
  const highest = Math.max(0, ...manifests.map(({ revision }) => revision));
  const { ledger } = read;
  return {
    ceiling: Math.max(ceiling, ledger.ceiling),
    problems: [
      ...(ledger.ceiling < highest ? [`the ledger ends at ${ledger.ceiling}, and a snapshot holds ${highest}`] : []),
      ...(ledger.ceiling < served ? [`the ledger ends at ${ledger.ceiling}, and a client was answered ${served}`] : []),
      ...(ledger.ceiling < ceiling ? [`the ledger came down from ${ceiling} to ${ledger.ceiling}`] : []),
    ],
  };
}
