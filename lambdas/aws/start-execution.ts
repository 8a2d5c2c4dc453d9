import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { BRISK } from './brisk';

/**
 * Starts an execution of a state machine. One of that name that there is already is the one that is meant: a name stands for ninety days.
 *
 * @param stateMachineArn `arn:aws:states:<region>:<account>:stateMachine:<name>`
 * @returns the ARN of the execution, and whether this call began it
 * @throws the error of Step Functions
 */
export async function startExecution(
  stateMachineArn: string,
  name: string,
  input: object,
): Promise<{ readonly execution: string; readonly was: 'started' | 'there' }> {
  const execution = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  const client = new SFNClient(BRISK);
  try {
    await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
    return { execution, was: 'started' };
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return { execution, was: 'there' };
    throw error;
  }
}

/** Starts another execution of the state machine of which this is one. Its ARN. @throws the error of Step Functions */
export async function startBeside(executionArn: string, name: string, input: object): Promise<string> {
  const [arn, partition, service, region, account, , machine] = executionArn.split(':');
  const { execution } = await startExecution([arn, partition, service, region, account, 'stateMachine', machine].join(':'), name, input);
  return execution;
}
