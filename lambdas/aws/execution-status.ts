import { DescribeExecutionCommand, ExecutionDoesNotExist, SFNClient } from '@aws-sdk/client-sfn';
import { BRISK } from './brisk';

/** `RUNNING`, or how an execution ended; undefined for one that Step Functions does not know. @throws the error of Step Functions */
export async function executionStatus(executionArn: string): Promise<string | undefined> {
  const client = new SFNClient(BRISK);
  try {
    return (await client.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }))).status;
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return undefined;
    throw error;
  }
}
