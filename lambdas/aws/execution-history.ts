import { SFNClient, paginateGetExecutionHistory } from '@aws-sdk/client-sfn';
import { BRISK } from './brisk';
import type { HistoryEntry } from '../restore/phases';

/** When the states of an execution were entered and left, oldest first. @throws the error of Step Functions */
export async function executionHistory(executionArn: string): Promise<HistoryEntry[]> {
  const client = new SFNClient(BRISK);
  const found: HistoryEntry[] = [];
  for await (const page of paginateGetExecutionHistory({ client }, { executionArn, includeExecutionData: false, maxResults: 1000 })) {
    for (const { timestamp, type, stateEnteredEventDetails, stateExitedEventDetails } of page.events ?? []) {
      const state = stateEnteredEventDetails?.name ?? stateExitedEventDetails?.name;
      const kind = type?.endsWith('StateEntered') === true ? 'entered' : 'exited';
      if (timestamp !== undefined && state !== undefined) found.push({ at: timestamp, kind, state });
    }
  }
  return found;
}
