import { Validations } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from '../platform/acknowledge';

export interface RunbookMachineProps {
  readonly name: string;

  /** What it does, for people in the console. */
  readonly comment: string;

  /** Where it begins. */
  readonly start: State;

  readonly logRetention: RetentionDays;
}

/** The state machine of a runbook, and its log. */
export function runbookMachine(scope: Construct, { name, comment, start, logRetention }: RunbookMachineProps): StateMachine {
  const machine = new StateMachine(scope, 'StateMachine', {
    stateMachineName: name,
    comment,
    definitionBody: DefinitionBody.fromChainable(start),
    // Without data: the history holds it for ninety days, and the token of an approval is part of it.
    logs: { destination: new LogGroup(scope, 'Log', { retention: logRetention }), level: LogLevel.ALL, includeExecutionData: false },
  });
  const reason = 'Delivering logs has no rights on single resources: docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html.';
  acknowledgeWildcard(machine.role, '*', reason);
  Validations.of(machine).acknowledge({
    id: 'AwsSolutions-SF2',
    reason: 'report.json and the history tell what happened and when; a trace would tell no more.',
  });
  return machine;
}
