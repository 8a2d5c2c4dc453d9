import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Choice, Condition, Fail, Pass, Result, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { IChainable, State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ErrorName } from '../../lambdas/contract/errors';
import { FunctionTask } from './function-task';
import { RunbookStates } from './runbook-states';
import type { RunbookFunctions, Step } from './runbook-states';

/** The functions that the states of the runbook call. */
export interface RestoreFunctions extends RunbookFunctions {
  readonly findNodes: IFunction;
  readonly planRestore: IFunction;
  readonly askApproval: IFunction;
  readonly takeSnapshot: IFunction;
  readonly materializeSnapshot: IFunction;
  readonly promiseRevisions: IFunction;
  readonly checkEtcd: IFunction;
  readonly reportRestore: IFunction;
}

/** What the nodes are found by. */
const FIND = { 'input.$': '$$.Execution.Input', 'execution.$': '$$.Execution.Name', 'arn.$': '$$.Execution.Id' };

/**
 * The states of the restore runbook, in the order in which they are read here.
 *
 * Before StopControlPlane every failure ends unharmed; from there on every failure puts the nodes back. Each state can be repeated, so that an
 * execution that was aborted can be redriven, or undone by another one with `rollBack`.
 */
export class RestoreStates extends RunbookStates<RestoreFunctions> {
  readonly start: State;

  constructor(scope: Construct, id: string, functions: RestoreFunctions) {
    super(scope, id, functions);
    const { findNodes, askApproval, takeSnapshot, materializeSnapshot, promiseRevisions } = functions;
    const rollback = this.putBack();
    const undo = new Pass(this, 'RollBack', { result: Result.fromString('rolled-back'), resultPath: '$.ending' });
    undo.next(rollback);
    const unharmed = this.report('unharmed');

    const startApiservers = this.phase('StartApiservers', {
      command: 'start',
      nodesPath: '$.plan.apiNodes',
      parametersPath: '$.plan.parameters.startApiserver',
      maxConcurrency: 1,
    });
    const repair = this.check('Repair', 'repair', '$.repaired', {});
    // Leases of API servers that are gone run out by themselves: data that every member holds is not put back for them.
    this.onFailure([repair], startApiservers.start, '$.repairFailure');
    const restored = this.inOrder(undo, [
      this.phase('StopControlPlane', { command: 'stop', nodesPath: '$.plan.apiNodes', parametersPath: '$.plan.parameters.stopApiserver' }),
      // One after the other: a leader that is stopped together with its followers waits seconds for one of them to take over.
      this.phase('StopEtcd', {
        command: 'stop',
        nodesPath: '$.plan.members',
        parametersPath: '$.plan.parameters.stopEtcd',
        maxConcurrency: 1,
      }),
      this.phase('RestoreData', { command: 'restore-data', nodesPath: '$.plan.members', parametersPath: '$.promised.parameters' }),
      // One after the other too: a member whose peers are not there at all checks its data at once; where all start together, each waits for
      // peers that do not serve yet, five seconds and two elections for each (etcd, server/embed/etcd.go: InitialCheck before servePeers).
      this.phase('StartEtcd', {
        command: 'start',
        nodesPath: '$.plan.members',
        parametersPath: '$.plan.parameters.startEtcd',
        maxConcurrency: 1,
      }),
      this.check('CheckEtcd', 'restored', '$.restored', {
        'restoreId.$': '$.restoreId',
        'above.$': '$.promised.above',
        'to.$': '$.promised.to',
      }),
      { ...repair, failing: [] },
      startApiservers,
      this.check('Verify', 'verify', '$.verified', { 'above.$': '$.promised.above' }),
    ]);
    const cleanedUp = this.cleanUp('CleanUp');
    const drilled = new Pass(this, 'DrillPassed', { result: Result.fromString('drilled'), resultPath: '$.ending' });
    drilled.next(rollback);
    restored.end.next(new Choice(this, 'Drill').when(Condition.stringEquals('$.mode', 'drill'), drilled).otherwise(cleanedUp.start));
    this.thenFollowName(cleanedUp.end, this.report('restored'));

    const cleaned = this.cleanUp('CleanUpUnharmed');
    cleaned.end.next(unharmed);
    const promise = this.task('PromiseRevisions', { handler: promiseRevisions, payload: { 'plan.$': '$.plan' }, resultPath: '$.promised' });
    const promised = this.inOrder(cleaned.start, [
      promise,
      this.phase('PrepareData', { command: 'prepare-data', nodesPath: '$.plan.members', parametersPath: '$.promised.parameters' }),
    ]);
    const staged = this.inOrder(cleaned.start, [
      this.task('Materialize', {
        handler: materializeSnapshot,
        payload: { 'restoreId.$': '$.restoreId', 'snapshotId.$': '$.plan.snapshot.id', 'allowUnverified.$': '$.request.allowUnverified' },
        resultPath: '$.materialized',
      }),
      this.phase('Stage', { command: 'stage', nodesPath: '$.plan.members', parametersPath: '$.plan.parameters.stage' }),
    ]);
    staged.end.next(
      new Choice(this, 'DryRun')
        .when(Condition.booleanEquals('$.request.dryRun', true), this.ending('dry-run', this.cleanUp('CleanUpDryRun')))
        .otherwise(promised.start),
    );
    promised.end.next(restored.start);

    const safety = new FunctionTask(this, 'SafetySnapshot', {
      handler: takeSnapshot,
      payload: { trigger: 'pre-restore', 'note.$': "States.Format('before restore {}', $.restoreId)" },
      resultPath: '$.safety',
      wait: { errors: [ErrorName.backupInProgress], every: Duration.seconds(20), times: 6 },
    });
    // Best effort: on the day of a restore etcd is mostly dead.
    safety.addCatch(staged.start, { resultPath: '$.safety' });
    safety.next(staged.start);
    const ofItself = Condition.and(Condition.stringEquals('$.mode', 'in-place'), Condition.booleanEquals('$.request.safetySnapshot', true));
    const begin = new Choice(this, 'Elsewhere').when(ofItself, safety).otherwise(staged.start);
    const asks = Condition.and(
      Condition.stringEquals('$.request.approval', 'required'),
      Condition.booleanEquals('$.request.dryRun', false),
    );
    // Somebody may have taken hours to approve: what was true then is looked at again, now that no other runbook can change it.
    const again = this.inOrder(unharmed, [
      this.task('FindNodesAgain', { handler: findNodes, payload: FIND, resultPath: '$.again' }),
      this.facts('FactsAgain', '$.again.asked', '$.facts'),
      this.plan('PlanAgain', { 'mode.$': '$.again.mode', 'nodes.$': '$.again.nodes', 'approved.$': '$.plan' }),
    ]);
    again.end.next(begin);
    const locked = this.inOrder(unharmed, [this.lock('Lock', 'acquire')]);
    locked.end.next(new Choice(this, 'Approved').when(asks, again.start).otherwise(begin));

    const approve = new FunctionTask(this, 'Approve', {
      handler: askApproval,
      payload: { 'restoreId.$': '$.restoreId', 'execution.$': '$$.Execution.Id' },
      resultPath: '$.approval',
      answeredWithin: { secondsPath: '$.request.approvalSeconds' },
    });
    approve.addCatch(unharmed, { resultPath: '$.failure' });
    approve.next(locked.start);
    const planned = this.inOrder(unharmed, [
      this.facts('Facts', '$.asked', '$.facts'),
      this.plan('Plan', { 'mode.$': '$.mode', 'nodes.$': '$.nodes' }),
    ]);
    planned.end.next(new Choice(this, 'Approval').when(asks, approve).otherwise(locked.start));

    const refused = new Fail(this, 'Locked', { errorPath: '$.failure.Error', causePath: '$.failure.Cause' });
    const undoLock = this.inOrder(refused, [this.lock('LockForRollBack', 'acquire')]);
    undoLock.end.next(undo);
    const find = new FunctionTask(this, 'FindNodes', {
      handler: findNodes,
      payload: FIND,
      resultPath: '$',
    });
    find.addCatch(this.refused(), { resultPath: '$' });
    find.next(new Choice(this, 'Mode').when(Condition.stringEquals('$.mode', 'roll-back'), undoLock.start).otherwise(planned.start));
    this.start = find;
  }

  /** Whoever starts a restore sees that it was refused; of a drill that the clock starts people are told. */
  private refused(): State {
    const tell = new FunctionTask(this, 'TellRefused', {
      handler: this.functions.reportRestore,
      payload: { ending: 'refused', 'execution.$': '$$.Execution.Id', 'input.$': '$$.Execution.Input', 'failure.$': '$' },
      resultPath: '$.told',
    });
    const refused = new Fail(this, 'Refused', { errorPath: '$.Error', causePath: '$.Cause' });
    tell.addCatch(refused, { resultPath: '$.told' });
    tell.next(refused);
    return tell;
  }

  private plan(name: string, what: Readonly<Record<string, string>>): Step {
    return this.task(name, {
      handler: this.functions.planRestore,
      payload: { 'request.$': '$.request', 'restoreId.$': '$.restoreId', 'facts.$': '$.facts', ...what },
      resultPath: '$.plan',
    });
  }

  /** Puts every node back to what it was, whatever point it had reached, and sees what came of it. */
  private putBack(): State {
    const rollback = this.phase('Rollback', {
      command: 'roll-back',
      nodesPath: '$.nodes',
      parametersPath: '$.rollBack',
      mustSucceed: false,
    });
    const facts = this.facts('FactsAfter', '$.nodes', '$.after');
    const report = this.reportTask('ReportPutBack', { 'ending.$': '$.ending' });
    const old = this.check('CheckOldEtcd', 'old', '$.old', { 'facts.$': '$.after' });
    this.onFailure([old], report, '$.oldFailure');
    this.connect([rollback, facts, old]);
    old.end.next(report);
    this.unlockAfter(report, 'PutBack');
    const only = new Pass(this, 'RollBackWhat', { parameters: { 'restoreId.$': '$.restoreId' }, resultPath: '$.rollBack' });
    only.next(rollback.start);
    return only;
  }

  /** Removes what the restore needs no more. What cannot be removed harms nobody. */
  private cleanUp(name: string): Step {
    return this.phase(name, { command: 'clean-up', nodesPath: '$.nodes', mustSucceed: false, resultPath: '$.cleaned' });
  }

  private ending(ending: 'dry-run', before: Step): IChainable {
    before.end.next(this.report(ending));
    return before.start;
  }

  private report(ending: 'restored' | 'dry-run' | 'unharmed'): State {
    const word = { restored: 'Restored', 'dry-run': 'DryRun', unharmed: 'Unharmed' }[ending];
    const report = this.reportTask(`Report${word}`, { ending });
    this.unlockAfter(report, word);
    return report;
  }

  private reportTask(name: string, ending: Readonly<Record<string, string>>): FunctionTask {
    return new FunctionTask(this, name, {
      handler: this.functions.reportRestore,
      payload: { ...ending, 'execution.$': '$$.Execution.Id', 'state.$': '$' },
      resultPath: '$.reported',
    });
  }

  /** The last states: release the lock, and end as the report says. */
  private unlockAfter(report: FunctionTask, word: string): void {
    const asked = ['RESTORED', 'DRILLED', 'DRY_RUN'].map((outcome) => Condition.stringEquals('$.reported.outcome', outcome));
    const done = new Succeed(this, `${word}: done`, { outputPath: '$.reported' });
    const failed = new Fail(this, `${word}: failed`, { errorPath: '$.reported.outcome', causePath: '$.reported.summary' });
    const end = new Choice(this, `${word}: outcome`).when(Condition.or(...asked), done).otherwise(failed);
    this.unlockBetween(report, `${word}: unlock`, end);
  }

  private check(name: string, what: string, resultPath: string, more: Readonly<Record<string, string>>): Step {
    const endpoints = what === 'old' ? {} : { 'endpoints.$': '$.plan.endpoints' };
    return this.task(name, {
      handler: this.functions.checkEtcd,
      payload: { do: what, ...endpoints, ...more },
      resultPath,
      // Right after the start a leader is still chosen; and what a moment of Secrets Manager breaks must not undo a restore.
      wait: {
        errors: [ErrorName.etcdNotReady, ErrorName.etcdUnreachable, ErrorName.secretUnusable],
        every: Duration.seconds(1),
        times: 60,
      },
    });
  }
}
