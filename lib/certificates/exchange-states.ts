import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Choice, Condition, Fail, Succeed, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ErrorName } from '../../lambdas/contract/errors';
import { FunctionTask } from '../restore/function-task';
import { NodePhase } from '../restore/node-phase';

/** The functions that the states of an exchange call. */
export interface ExchangeFunctions {
  readonly exchangeAuthority: IFunction;
  readonly nodeCommand: IFunction;
}

/**
 * The states of an exchange: a step, and what it says comes next. Where the rotation is lies in the secret of the authority and not here, so that
 * another execution can take it up.
 */
export class ExchangeStates {
  readonly start: State;

  constructor(scope: Construct, { exchangeAuthority, nodeCommand }: ExchangeFunctions) {
    const begin = new FunctionTask(scope, 'Begin', {
      handler: exchangeAuthority,
      payload: { do: 'begin', 'input.$': '$$.Execution.Input', 'execution.$': '$$.Execution.Name', 'driver.$': '$$.Execution.Id' },
      resultPath: '$',
    });
    begin.addCatch(new Fail(scope, 'Refused', { errorPath: '$.Error', causePath: '$.Cause' }), { resultPath: '$' });
    const step = new FunctionTask(scope, 'Step', {
      handler: exchangeAuthority,
      payload: { do: 'step', 'state.$': '$.state' },
      resultPath: '$',
      // The function beside the cluster, or a service of AWS, may be away for a while, and what is under way for weeks is not to end by that.
      wait: {
        errors: [ErrorName.functionCallFailed, ErrorName.storeFailed, ErrorName.nodesUnreachable],
        every: Duration.seconds(30),
        times: 20,
      },
    });
    // Nobody may be waiting for it: what ends it is told as any other end is.
    const tell = new FunctionTask(scope, 'TellFailure', {
      handler: exchangeAuthority,
      payload: { do: 'fail', 'state.$': '$.state', 'failure.$': '$.failure' },
      resultPath: '$',
    });
    tell.addCatch(new Fail(scope, 'NobodyTold', { errorPath: '$.failure.Error', causePath: '$.failure.Cause' }), {
      resultPath: '$.untold',
    });
    step.addCatch(tell, { resultPath: '$.failure' });
    const facts = new NodePhase(scope, 'CertificateFacts', {
      nodeCommand,
      command: 'certificate-facts',
      nodesPath: '$.state.asked',
      mustSucceed: false,
      resultPath: '$.state.facts',
    });
    for (const each of facts.failing) each.addCatch(tell, { resultPath: '$.failure' });
    facts.endStates[0]?.next(step);

    const ends = (name: string): Condition => Condition.stringEquals('$.told.outcome', name);
    const ended = new Choice(scope, 'Outcome')
      .when(
        Condition.or(...['EXCHANGED', 'TURNED_BACK', 'PLANNED', 'NOTED', 'HEALED', 'AWAITS_APPROVAL'].map(ends)),
        new Succeed(scope, 'Ended', { outputPath: '$.told' }),
      )
      .otherwise(new Fail(scope, 'NotEnded', { errorPath: '$.told.outcome', causePath: '$.told.summary' }));
    const patience = new Wait(scope, 'Patience', { time: WaitTime.secondsPath('$.seconds') });
    const asks = new Choice(scope, 'Asks').when(Condition.stringEquals('$.act', 'look'), facts.startState).otherwise(step);
    patience.next(asks);
    const next = new Choice(scope, 'Whereto')
      .when(Condition.stringEquals('$.act', 'end'), ended)
      .when(Condition.numberGreaterThan('$.seconds', 0), patience)
      .otherwise(asks);
    begin.next(next);
    step.next(next);
    tell.next(ended);
    this.start = begin;
  }
}
