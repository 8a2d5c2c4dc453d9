import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { NodeTags } from '../../lambdas/contract/restore';
import { grantTell } from '../monitoring/tell-topic';
import type { NodeSending } from '../nodes/node-sending';
import { acknowledgeWildcard } from '../platform/acknowledge';
import type { EtcdClientSecret } from '../platform/etcd-client-secret';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import { RestoreStates } from './restore-states';
import { runbookMachine } from './runbook-machine';

export interface RestoreProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where snapshots are, and where restores leave their plans and reports. */
  readonly state: StateBucket;

  /** The certificate by which the members are reached. */
  readonly etcdClient: EtcdClientSecret;

  /** Client URLs of the members, `https://host:port`. */
  readonly endpoints: readonly string[];

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Takes the snapshot before anything is changed. */
  readonly takeSnapshot: LifeboatFunction;

  /** Makes the plain file that nodes download. */
  readonly materializeSnapshot: LifeboatFunction;

  /**
   * Who is asked for approval and told of the end.
   *
   * @default - nobody: approval.txt and report.json in the bucket tell it
   */
  readonly topic?: ITopic;

  /**
   * `https://name:port` of the Kubernetes API.
   *
   * @default - its own name is not tried after a restore
   */
  readonly apiUrl?: string;

  /** Runs documents on nodes. */
  readonly sending: NodeSending;

  /**
   * Lets the record of the API follow.
   *
   * @default - the config names no API
   */
  readonly syncApiRecord?: LifeboatFunction;

  /**
   * The ARN of the runbook that heals what restored data says of the PKI.
   *
   * @default - the config has no certificates, and the report says what to look at
   */
  readonly rotateCa?: string;

  /** How long the log of the state machine is kept. */
  readonly logRetention: RetentionDays;
}

/** The restore runbook: one execution brings a whole control plane back, or puts everything back as it was. */
export class Restore extends Construct {
  readonly stateMachine: StateMachine;
  /** Everything that it calls, by the name of its log. */
  readonly functions: Readonly<Record<string, LifeboatFunction>>;
  /** For the other runbooks that change nodes. */
  readonly controlPlaneLock: LifeboatFunction;

  constructor(scope: Construct, id: string, props: RestoreProps) {
    super(scope, id);
    const { functions, state, etcdClient, tags, topic, takeSnapshot, materializeSnapshot, sending, syncApiRecord } = props;
    const { clusterName } = functions;
    const outside = { ...functions, network: undefined };

    const findNodes = new LifeboatFunction(this, 'FindNodes', {
      ...outside,
      entry: 'lambdas/restore/find-nodes.handler.ts',
      description: 'find the nodes that a restore is about',
    });
    findNodes.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    sending.grantFind(findNodes);
    state.grantRestoreFiles(findNodes, { read: ['plan.json', 'report.json'] });

    const planRestore = new LifeboatFunction(this, 'PlanRestore', {
      ...functions,
      entry: 'lambdas/restore/plan-restore.handler.ts',
      description: 'plan a restore and tell what it would lose',
      speaksToEtcd: true,
      // Counting the objects of a large cluster, and reading as many manifests as ever were kept.
      timeout: Duration.minutes(5),
      retryAttempts: 0,
    });
    planRestore.setEnvironment(Env.etcdEndpoints, props.endpoints.join(','));
    state.grantManifests(planRestore);
    state.grantReadLedger(planRestore);
    state.grantReadGenerations(planRestore);
    state.grantRestoreFiles(planRestore, { write: ['plan.json'] });
    etcdClient.grantRead(planRestore);

    const askApproval = new LifeboatFunction(this, 'AskApproval', {
      ...outside,
      entry: 'lambdas/restore/ask-approval.handler.ts',
      description: 'ask people to approve a restore',
    });
    state.grantRestoreFiles(askApproval, { read: ['plan.json'], write: ['approval.txt'] });

    const controlPlaneLock = new LifeboatFunction(this, 'ControlPlaneLock', {
      ...outside,
      entry: 'lambdas/restore/control-plane-lock.handler.ts',
      description: 'let one runbook at a time change the nodes',
    });
    state.grantLock(controlPlaneLock, 'control-plane');
    state.grantLock(controlPlaneLock, 'drill');

    const promiseRevisions = new LifeboatFunction(this, 'PromiseRevisions', {
      ...outside,
      entry: 'lambdas/restore/promise-revisions.handler.ts',
      description: 'write into the ledger how far a restore raises revisions',
    });
    state.grantManifests(promiseRevisions);
    state.grantLedger(promiseRevisions);

    const checkEtcd = new LifeboatFunction(this, 'CheckEtcd', {
      ...functions,
      entry: 'lambdas/restore/check-etcd.handler.ts',
      description: 'ask the members what they hold after a restore',
      speaksToEtcd: true,
      // Every member hashes its whole key space: seconds per GiB.
      timeout: Duration.minutes(5),
    });
    state.grantRestoreFiles(checkEtcd, { read: ['plan.json'] });
    etcdClient.grantRead(checkEtcd);
    if (props.apiUrl !== undefined) checkEtcd.setEnvironment(Env.apiUrl, props.apiUrl);

    const reportRestore = new LifeboatFunction(this, 'ReportRestore', {
      ...outside,
      entry: 'lambdas/restore/report-restore.handler.ts',
      description: 'tell how a restore ended',
    });
    state.grantDrillStamp(reportRestore);
    state.grantLedger(reportRestore);
    state.grantRestoreFiles(reportRestore, { write: ['report.json'] });
    for (const handler of [askApproval, reportRestore]) grantTell(topic, handler);
    if (props.rotateCa !== undefined) {
      reportRestore.setEnvironment(Env.rotateCa, props.rotateCa);
      reportRestore.addToRolePolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [props.rotateCa] }));
    }

    const { nodeCommand } = sending;
    this.controlPlaneLock = controlPlaneLock;
    const called = { findNodes, nodeCommand, planRestore, askApproval, controlPlaneLock, promiseRevisions, checkEtcd, reportRestore };
    const { start } = new RestoreStates(this, 'States', { ...called, takeSnapshot, materializeSnapshot, syncApiRecord });
    this.stateMachine = runbookMachine(this, {
      name: `lifeboat-${clusterName}-restore`,
      comment: `kube-lifeboat ${clusterName}: brings the control plane back from a snapshot, or puts everything back as it was`,
      start,
      logRetention: props.logRetention,
    });
    const { account, partition, region } = Stack.of(this);
    const executions = `arn:${partition}:states:${region}:${account}:execution:lifeboat-${clusterName}-restore:*`;
    for (const [handler, action] of [
      [findNodes, 'states:DescribeExecution'],
      [reportRestore, 'states:GetExecutionHistory'],
    ] as const) {
      handler.addToRolePolicy(new PolicyStatement({ actions: [action], resources: [executions] }));
      acknowledgeWildcard(handler, executions, 'Executions are named when they are started; the wildcard ends at this state machine.');
    }
    this.functions = {
      'find-nodes': findNodes,
      'node-command': nodeCommand,
      'plan-restore': planRestore,
      'ask-approval': askApproval,
      'control-plane-lock': controlPlaneLock,
      'promise-revisions': promiseRevisions,
      'check-etcd': checkEtcd,
      'report-restore': reportRestore,
    };
  }
}
