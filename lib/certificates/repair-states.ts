import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Choice, Condition, Fail, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ErrorName } from '../../lambdas/contract/errors';
import { FunctionTask } from '../restore/function-task';
import { RunbookStates } from '../restore/runbook-states';
import type { RunbookFunctions, Step } from '../restore/runbook-states';

/** The functions that the states of a repair call. */
export interface RepairFunctions extends RunbookFunctions {
  readonly repairCertificates: IFunction;
  readonly probeNode: IFunction;
}

/** etcd finds its members again within ten seconds of their certificates being good; kube-apiserver is started again by its kubelet. */
const SOON = { every: Duration.seconds(5), times: 36 };

/** The states of a repair, in the order in which they are read here. Before Install nothing on any node is changed; each node goes back by itself. */
export class RepairStates extends RunbookStates<RepairFunctions> {
  readonly start: State;

  constructor(scope: Construct, id: string, functions: RepairFunctions) {
    super(scope, id, functions);
    const { repairCertificates, probeNode } = functions;
    const failed = this.report('failed');
    const done = this.report('done');

    const proof = this.inOrder(failed, [
      this.certificateFacts('FactsAfter', '$.asked'),
      this.task('LookAtPorts', { handler: probeNode, payload: { do: 'served', 'facts.$': '$.facts' }, resultPath: '$.served' }),
    ]);
    proof.end.next(done);
    // What is not well after all this is for the report: there is no way back from certificates that have ended.
    const etcd = this.task('EtcdIsWell', {
      handler: probeNode,
      payload: { do: 'etcd-is-well' },
      resultPath: '$.etcd',
      wait: { errors: [ErrorName.etcdNotReady], ...SOON },
    });
    this.onFailure([etcd], proof.start, '$.unwell');
    etcd.end.next(proof.start);
    const installed = this.phase('Install', {
      command: 'install-certificates',
      nodesPath: '$.planned.plan.nodes',
      parametersPath: '$$.Map.Item.Value.parameters',
      maxConcurrency: 1,
      mustSucceed: false,
    });
    this.onFailure([installed], failed, '$.failure');
    installed.end.next(etcd.start);
    const minted = this.inOrder(failed, [
      this.lock('Lock', 'acquire'),
      this.certificateFacts('CertificateFacts', '$.asked'),
      // The facts of nine nodes fill the state: only the plan goes on.
      this.task('Mint', { handler: repairCertificates, payload: { do: 'mint', 'found.$': '$' }, resultPath: '$' }),
    ]);
    minted.end.next(new Choice(this, 'AnyNode').when(Condition.isPresent('$.planned.plan.nodes[0]'), installed.start).otherwise(done));

    const find = new FunctionTask(this, 'FindNodes', {
      handler: repairCertificates,
      payload: { do: 'find', 'input.$': '$$.Execution.Input', 'execution.$': '$$.Execution.Name' },
      resultPath: '$',
    });
    find.addCatch(new Fail(this, 'Refused', { error: 'REFUSED', causePath: '$.Cause' }), { resultPath: '$' });
    find.next(minted.start);
    this.start = find;
  }

  private certificateFacts(name: string, nodesPath: string): Step {
    return this.phase(name, { command: 'certificate-facts', nodesPath, mustSucceed: false, resultPath: '$.facts' });
  }

  /** The last states: tell it, release the lock, and end as the report says. */
  private report(ending: 'done' | 'failed'): State {
    const word = { done: 'Done', failed: 'Failed' }[ending];
    const report = new FunctionTask(this, `Report${word}`, {
      handler: this.functions.repairCertificates,
      payload: { do: 'report', 'state.$': '$' },
      resultPath: '$.reported',
    });
    const fail = new Fail(this, `${word}: failed`, { errorPath: '$.reported.outcome', causePath: '$.reported.summary' });
    const succeed = new Succeed(this, `${word}: end`, { outputPath: '$.reported' });
    const well = Condition.or(
      Condition.stringEquals('$.reported.outcome', 'REPAIRED'),
      Condition.stringEquals('$.reported.outcome', 'NOTHING_TO_DO'),
    );
    this.unlockBetween(report, `${word}: unlock`, new Choice(this, `${word}: outcome`).when(well, succeed).otherwise(fail));
    return report;
  }
}
