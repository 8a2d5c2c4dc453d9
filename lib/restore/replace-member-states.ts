import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Choice, Condition, Fail, Pass, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ErrorName } from '../../lambdas/contract/errors';
import { FunctionTask } from './function-task';
import { RunbookStates } from './runbook-states';
import type { RunbookFunctions, Step } from './runbook-states';

/** The functions that the states of a replacement call. */
export interface ReplaceMemberFunctions extends RunbookFunctions {
  readonly findReplacement: IFunction;
  readonly changeMembers: IFunction;
  readonly tellReplacement: IFunction;
}

/** How long a learner is waited for that catches up: a database of 8 GiB at 5 MB/s. */
const SYNC = { every: Duration.seconds(5), times: 360 };
/** etcd counts a member as connected after 5 s (server.go, HealthInterval), and a new leader takes some seconds. */
const SOON = { every: Duration.seconds(2), times: 45 };

/**
 * The states of the runbook that replaces a member, in the order in which they are read here. Before Leave every failure refuses; from there on it is
 * asked what the cluster is. Each state can be repeated, and another execution goes on where one ended.
 */
export class ReplaceMemberStates extends RunbookStates<ReplaceMemberFunctions> {
  readonly start: State;

  constructor(scope: Construct, id: string, functions: ReplaceMemberFunctions) {
    super(scope, id, functions);
    const refused = this.report('refused');
    const left = this.members('LeftMembers', 'left', '$.left', {}, { every: Duration.seconds(2), times: 5 });
    const failed = this.report('failed');
    this.onFailure([left], failed, '$.leftFailure');
    left.end.next(failed);

    const learner = { 'learner.$': '$.added.learner' };
    const promoted = this.inOrder(left.start, [
      this.members('Promote', 'promote', '$.promoted', learner, SYNC),
      this.members('Check', 'check', '$.checked', {}, SOON),
    ]);
    this.thenFollowName(promoted.end, this.report('replaced'));
    const joined = this.inOrder(left.start, [
      this.phase('Leave', { command: 'leave', nodesPath: '$.planned.nodes', parametersPath: '$.planned.parameters.leave' }),
      this.members('Remove', 'remove', '$.removed', {}, SOON),
      this.members('AddLearner', 'add', '$.added', {}, SOON),
      this.phase('Join', { command: 'join-member', nodesPath: '$.planned.nodes', parametersPath: '$.planned.parameters.join' }),
    ]);
    joined.end.next(promoted.start);
    const waiting = new Pass(this, 'LearnerWaits', { parameters: { 'learner.$': '$.planned.plan.learner' }, resultPath: '$.added' });
    waiting.next(promoted.start);
    const from = new Choice(this, 'From').when(Condition.stringEquals('$.planned.plan.from', 'promote'), waiting).otherwise(joined.start);

    // Somebody may have taken hours to approve: what was true then is looked at again.
    const locked = this.inOrder(refused, [this.lock('Lock', 'acquire'), this.plan('PlanAgain')]);
    locked.end.next(from);
    const approve = new FunctionTask(this, 'Approve', {
      handler: functions.tellReplacement,
      payload: { do: 'ask', 'plan.$': '$.planned.plan', 'execution.$': '$$.Execution.Id' },
      resultPath: '$.approval',
      answeredWithin: { secondsPath: '$.request.approvalSeconds' },
    });
    approve.addCatch(refused, { resultPath: '$.failure' });
    approve.next(locked.start);
    const planned = this.inOrder(refused, [this.facts('Facts', '$.asked', '$.facts'), this.plan('Plan')]);
    planned.end.next(
      new Choice(this, 'Approval').when(Condition.stringEquals('$.request.approval', 'required'), approve).otherwise(locked.start),
    );
    const find = new FunctionTask(this, 'FindNodes', {
      handler: functions.findReplacement,
      payload: { 'input.$': '$$.Execution.Input', 'execution.$': '$$.Execution.Name' },
      resultPath: '$',
    });
    find.addCatch(new Fail(this, 'Refused', { error: 'REFUSED', causePath: '$.Cause' }), { resultPath: '$' });
    find.next(planned.start);
    this.start = find;
  }

  /** The last states: tell it, release the lock, and end as the report says. */
  private report(ending: 'replaced' | 'refused' | 'failed'): State {
    const word = { replaced: 'Replaced', refused: 'NotBegun', failed: 'NotEnded' }[ending];
    const report = new FunctionTask(this, `Report${word}`, {
      handler: this.functions.tellReplacement,
      payload: { do: 'report', ending, 'state.$': '$' },
      resultPath: '$.reported',
    });
    const end =
      ending === 'replaced'
        ? new Succeed(this, `${word}: done`, { outputPath: '$.reported' })
        : new Fail(this, `${word}: failed`, { errorPath: '$.reported.outcome', causePath: '$.reported.summary' });
    this.unlockBetween(report, `${word}: unlock`, end);
    return report;
  }

  private plan(name: string): Step {
    return this.task(name, {
      handler: this.functions.changeMembers,
      payload: { do: 'plan', 'request.$': '$.request', 'restoreId.$': '$.restoreId', 'facts.$': '$.facts' },
      resultPath: '$.planned',
    });
  }

  private members(name: string, what: string, resultPath: string, more: Readonly<Record<string, string>>, wait: typeof SOON): Step {
    return this.task(name, {
      handler: this.functions.changeMembers,
      payload: { do: what, 'plan.$': '$.planned.plan', 'endpoints.$': '$.planned.endpoints', ...more },
      resultPath,
      wait: { errors: [ErrorName.etcdNotReady], ...wait },
    });
  }
}
