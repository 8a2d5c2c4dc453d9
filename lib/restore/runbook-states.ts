import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { CatchProps, IChainable, INextable } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { FunctionTask } from './function-task';
import type { FunctionTaskProps } from './function-task';
import { NodePhase } from './node-phase';
import type { NodePhaseProps } from './node-phase';

/** A state or a phase, and where its failures go. */
export interface Step {
  readonly start: IChainable;
  readonly end: INextable;
  readonly failing: readonly { addCatch(handler: IChainable, props?: CatchProps): unknown }[];
}

/** What the states of every runbook call. */
export interface RunbookFunctions {
  readonly nodeCommand: IFunction;
  readonly controlPlaneLock: IFunction;
  /** Lets the record of the API follow; missing where the config names no API. */
  readonly syncApiRecord?: IFunction | undefined;
}

/** What the states of every runbook are made of. */
export abstract class RunbookStates<Functions extends RunbookFunctions> extends Construct {
  constructor(
    scope: Construct,
    id: string,
    protected readonly functions: Functions,
  ) {
    super(scope, id);
  }

  protected task(name: string, props: FunctionTaskProps): Step {
    const task = new FunctionTask(this, name, props);
    return { start: task, end: task, failing: [task] };
  }

  protected phase(name: string, props: Omit<NodePhaseProps, 'nodeCommand' | 'resultPath'> & { readonly resultPath?: string }): Step {
    const phase = new NodePhase(this, name, { nodeCommand: this.functions.nodeCommand, resultPath: '$.ends', ...props });
    const [end] = phase.endStates;
    if (end === undefined) throw new RangeError(`${name} has no end`);
    return { start: phase.startState, end, failing: phase.failing };
  }

  /** What each node says of itself; one that says nothing is for whoever plans by it. */
  protected facts(name: string, nodesPath: string, resultPath: string): Step {
    return this.phase(name, { command: 'facts', nodesPath, mustSucceed: false, resultPath });
  }

  /** The lock of the runbook, for as long as it works on nodes. */
  protected lock(name: string, action: 'acquire' | 'release'): Step {
    return this.task(name, {
      handler: this.functions.controlPlaneLock,
      payload: { do: action, 'lock.$': '$.lock', 'holder.$': '$.restoreId' },
      resultPath: '$.locked',
    });
  }

  /**
   * Asks for the record of the API to follow what was done, and for a look at what answers by its name, before `next`. The lock that keeps everybody
   * else from changing it is the runbook's own. Whatever comes of it is for the report: the control plane is what it is by now.
   */
  protected thenFollowName(before: INextable, next: IChainable): void {
    const { syncApiRecord } = this.functions;
    if (syncApiRecord === undefined) {
      before.next(next);
      return;
    }
    const follow = this.task('FollowName', { handler: syncApiRecord, payload: { 'onBehalfOf.$': '$.restoreId' }, resultPath: '$.name' });
    this.onFailure([follow], next, '$.name');
    before.next(follow.start);
    follow.end.next(next);
  }

  /** After its report a runbook releases the lock, and ends. */
  protected unlockBetween(report: INextable, name: string, end: IChainable): void {
    const unlock = this.lock(name, 'release');
    // It runs out by itself.
    this.onFailure([unlock], end, '$.unlocked');
    report.next(unlock.start);
    unlock.end.next(end);
  }

  /** One after the other; every failure goes to the same state. */
  protected inOrder(failure: IChainable, steps: readonly [Step, ...Step[]]): Step {
    this.onFailure(steps, failure, '$.failure');
    return this.connect(steps);
  }

  protected onFailure(steps: readonly Step[], failure: IChainable, resultPath: string): void {
    for (const step of steps) for (const failing of step.failing) failing.addCatch(failure, { resultPath });
  }

  protected connect(steps: readonly [Step, ...Step[]]): Step {
    steps.slice(1).forEach((step, index) => steps[index]?.end.next(step.start));
    return { start: steps[0].start, end: steps.at(-1)?.end ?? steps[0].end, failing: [] };
  }
}
