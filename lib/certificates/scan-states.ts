import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Fail, Pass, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { FunctionTask } from '../restore/function-task';
import { NodePhase } from '../restore/node-phase';

/** The functions that the states of a look at the certificates call. */
export interface ScanFunctions {
  readonly scanCertificates: IFunction;
  readonly probeNode: IFunction;
  readonly exchangeAuthority: IFunction;
  readonly nodeCommand: IFunction;
}

/** The states of a look at all certificates. It changes nothing itself, so it takes no lock. */
export class ScanStates {
  readonly start: State;

  constructor(scope: Construct, { scanCertificates, probeNode, nodeCommand, exchangeAuthority }: ScanFunctions) {
    const find = new FunctionTask(scope, 'FindNodes', {
      handler: scanCertificates,
      payload: { do: 'find', 'input.$': '$$.Execution.Input' },
      resultPath: '$',
    });
    const facts = new NodePhase(scope, 'CertificateFacts', {
      nodeCommand,
      command: 'certificate-facts',
      nodesPath: '$.asked',
      mustSucceed: false,
      resultPath: '$.facts',
    });
    const served = new FunctionTask(scope, 'LookAtPorts', {
      handler: probeNode,
      payload: { do: 'served', 'facts.$': '$.facts' },
      resultPath: '$.served',
    });
    const judge = new FunctionTask(scope, 'Judge', {
      handler: scanCertificates,
      payload: { do: 'judge', 'request.$': '$.request', 'facts.$': '$.facts', 'served.$': '$.served' },
      resultPath: '$',
    });
    const authorities = new FunctionTask(scope, 'Authorities', {
      handler: exchangeAuthority,
      payload: { do: 'daily', 'input.$': '$$.Execution.Input' },
      resultPath: '$.authorities',
    });
    const failed = new Fail(scope, 'NotScanned', { errorPath: '$.failure.Error', causePath: '$.failure.Cause' });
    // What the files say is worth much without the ports.
    const unseen = new Pass(scope, 'PortsUnseen', { parameters: [], resultPath: '$.served' });
    for (const task of [find, judge, authorities]) task.addCatch(failed, { resultPath: '$.failure' });
    served.addCatch(unseen, { resultPath: '$.unseen' });
    find.next(facts.startState);
    facts.endStates[0]?.next(served);
    served.next(judge);
    unseen.next(judge);
    judge.next(authorities);
    authorities.next(new Succeed(scope, 'Scanned'));
    this.start = find;
  }
}
