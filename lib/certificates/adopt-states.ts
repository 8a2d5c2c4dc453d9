import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Choice, Condition, Fail, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { FunctionTask } from '../restore/function-task';
import { RunbookStates } from '../restore/runbook-states';
import type { RunbookFunctions } from '../restore/runbook-states';

/** The functions that the states of an adoption call. */
export interface AdoptFunctions extends RunbookFunctions {
  readonly adopt: IFunction;
}

/** The states of an adoption, in the order in which they are read here. Nothing on any node is changed. */
export class AdoptStates extends RunbookStates<AdoptFunctions> {
  readonly start: State;

  constructor(scope: Construct, id: string, functions: AdoptFunctions) {
    super(scope, id, functions);
    const failed = this.report('failed');
    const done = this.report('done');

    const minted = this.inOrder(failed, [this.task('Mint', { handler: functions.adopt, payload: { do: 'mint' }, resultPath: '$.taken' })]);
    minted.end.next(done);
    const adopted = this.inOrder(failed, [
      this.lock('Lock', 'acquire'),
      this.phase('CertificateFacts', { command: 'certificate-facts', nodesPath: '$.asked', mustSucceed: false, resultPath: '$.facts' }),
      // The facts of nine nodes fill the state: only the plan goes on.
      this.task('Plan', {
        handler: functions.adopt,
        payload: { do: 'plan', 'found.$': '$' },
        resultPath: '$',
      }),
      this.phase('HandOver', {
        command: 'hand-over',
        nodesPath: '$.planned.plan.handOver',
        parametersPath: '$.planned.parameters',
      }),
      this.task('TakeOver', {
        handler: functions.adopt,
        payload: { do: 'take-over', 'plan.$': '$.planned.plan' },
        resultPath: '$.taken',
      }),
      this.task('Enrol', { handler: functions.adopt, payload: { do: 'enrol', 'plan.$': '$.planned.plan' }, resultPath: '$.enrolled' }),
    ]);
    adopted.end.next(done);

    const find = new FunctionTask(this, 'FindNodes', {
      handler: functions.adopt,
      payload: { do: 'find', 'input.$': '$$.Execution.Input', 'execution.$': '$$.Execution.Name' },
      resultPath: '$',
    });
    find.addCatch(new Fail(this, 'Refused', { error: 'REFUSED', causePath: '$.Cause' }), { resultPath: '$' });
    find.next(new Choice(this, 'New').when(Condition.booleanEquals('$.request.mint', true), minted.start).otherwise(adopted.start));
    this.start = find;
  }

  /** The last states: tell it, release the lock, and end as the report says. */
  private report(ending: 'done' | 'failed'): State {
    const word = { done: 'Done', failed: 'Failed' }[ending];
    const report = new FunctionTask(this, `Report${word}`, {
      handler: this.functions.adopt,
      payload: { do: 'report', 'state.$': '$' },
      resultPath: '$.reported',
    });
    const end =
      ending === 'done'
        ? new Succeed(this, `${word}: end`, { outputPath: '$.reported' })
        : new Fail(this, `${word}: end`, { errorPath: '$.reported.outcome', causePath: '$.reported.summary' });
    this.unlockBetween(report, `${word}: unlock`, end);
    return report;
  }
}
