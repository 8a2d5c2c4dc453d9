import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
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

/**
 * Starts another execution of the state machine of which this is one. An execution of that name that there is already is the one that is meant: a name
 * stands for ninety days.
 *
 * @returns its ARN
 * @throws the error of Step Functions
 */
export async function startBeside(executionArn: string, name: string, input: object): Promise<string> {
  const [arn, partition, service, region, account, , machine] = executionArn.split(':');
  const own = [arn, partition, service, region, account];
  try {
    const stateMachineArn = [...own, 'stateMachine', machine].join(':');
    await new SFNClient(BRISK).send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
  }
  return [...own, 'execution', machine, name].join(':');
}
