import { Choice, Condition, CustomState, Map as MapState, Pass, StateMachineFragment, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { INextable, State } from 'aws-cdk-lib/aws-stepfunctions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import { FunctionTask } from './function-task';

export interface NodePhaseProps {
  /** The function that sends documents and reads what became of them. */
  readonly nodeCommand: IFunction;

  /** The document. */
  readonly command: NodeCommandName;

  /** Where the list of nodes is in the state, `{ instanceId, host }` each. */
  readonly nodesPath: string;

  /**
   * Where the parameters of the document are in the state.
   *
   * @default - the document's own defaults
   */
  readonly parametersPath?: string;

  /**
   * How many nodes work at the same time.
   *
   * @default - all
   */
  readonly maxConcurrency?: number;

  /**
   * Whether the phase fails when the document does on some node. Either way every node comes to its own end first: one that
   * fails keeps no other from ending what it began.
   *
   * @default true
   */
  readonly mustSucceed?: boolean;

  /** Where the ends of the nodes go, a list of NodeEnd. */
  readonly resultPath: string;
}

/**
 * One document on several nodes: Send, Wait, Read, Decide on each, then a verdict on all of them.
 *
 * The state of the console that carries the phase's own name is the Map; its failure is that of the state `<name>: verdict`.
 */
export class NodePhase extends StateMachineFragment {
  readonly startState: State;
  readonly endStates: INextable[];
  /** The states that a failure of the phase comes from. */
  readonly failing: readonly (MapState | FunctionTask)[];

  constructor(scope: Construct, id: string, props: NodePhaseProps) {
    const { nodeCommand, command, nodesPath, parametersPath, maxConcurrency, mustSucceed = true, resultPath } = props;
    super(scope, id);
    const name = (part: string): string => `${id}: ${part}`;
    const ask = (part: 'send' | 'read', payload: Readonly<Record<string, unknown>>): FunctionTask =>
      new FunctionTask(this, name(part), {
        handler: nodeCommand,
        payload: { do: part, command, 'node.$': '$.node', 'silenceSeconds.$': '$.silenceSeconds', 'run.$': '$.run', ...payload },
        resultPath: '$.run',
      });
    const send = ask('send', { 'parameters.$': '$.parameters' });
    const read = ask('read', {});
    const wait = new Wait(this, name('wait'), { time: WaitTime.secondsPath('$.run.waitSeconds') });
    const end = new Pass(this, name('end'), { outputPath: '$.run.end' });
    // What Systems Manager did not say is an end too: it must not take the others with it.
    const lost = new CustomState(this, name('lost'), {
      stateJson: {
        Type: 'Pass',
        Parameters: {
          'instanceId.$': '$.node.instanceId',
          'host.$': '$.node.host',
          outcome: 'lost',
          'because.$': '$.lost.Cause',
        },
        End: true,
      },
    });
    send.addCatch(lost, { resultPath: '$.lost' });
    read.addCatch(lost, { resultPath: '$.lost' });
    const again = new Choice(this, name('decide')).when(Condition.stringEquals('$.run.next', 'over'), end).otherwise(wait);
    wait.next(new Choice(this, name('again')).when(Condition.stringEquals('$.run.next', 'send'), send).otherwise(read));
    send.next(again);
    read.next(again);

    const onNodes = new MapState(this, id, {
      itemsPath: nodesPath,
      maxConcurrency,
      itemSelector: {
        'node.$': '$$.Map.Item.Value',
        'silenceSeconds.$': '$.request.waitForNodesSeconds',
        ...(parametersPath === undefined ? { parameters: {} } : { 'parameters.$': parametersPath }),
        run: {},
      },
      resultPath,
      stateName: id,
    });
    onNodes.itemProcessor(send);
    this.startState = onNodes;
    if (!mustSucceed) {
      this.endStates = [onNodes];
      this.failing = [onNodes];
      return;
    }
    const verdict = new FunctionTask(this, name('verdict'), {
      handler: nodeCommand,
      payload: { do: 'judge', command, 'ends.$': resultPath },
      resultPath: '$.verdict',
    });
    onNodes.next(verdict);
    this.endStates = [verdict];
    this.failing = [onNodes, verdict];
  }
}
