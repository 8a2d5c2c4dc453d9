import { Duration } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { NodeTags } from '../../lambdas/contract/restore';
import { grantTell } from '../monitoring/tell-topic';
import type { NodeSending } from '../nodes/node-sending';
import type { EtcdClientSecret } from '../platform/etcd-client-secret';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import { ReplaceMemberStates } from './replace-member-states';
import { runbookMachine } from './runbook-machine';

export interface ReplaceMemberProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where the report goes. */
  readonly state: StateBucket;

  /** The certificate by which the members are reached. */
  readonly etcdClient: EtcdClientSecret;

  /** Client URLs of the members, `https://host:port`. */
  readonly endpoints: readonly string[];

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Runs documents on nodes. */
  readonly sending: NodeSending;

  /**
   * Lets the record of the API follow.
   *
   * @default - the config names no API
   */
  readonly syncApiRecord?: LifeboatFunction;

  /** Lets one runbook at a time change the nodes. */
  readonly controlPlaneLock: LifeboatFunction;

  /**
   * Who is asked for approval and told of the end.
   *
   * @default - nobody: approval.txt and report.json in the bucket tell it
   */
  readonly topic?: ITopic;

  /** How long the log of the state machine is kept. */
  readonly logRetention: RetentionDays;
}

/** The runbook that replaces one member of etcd while the others serve. */
export class ReplaceMember extends Construct {
  readonly stateMachine: StateMachine;
  /** What it calls and nobody else does, by the name of its log. */
  readonly functions: Readonly<Record<string, LifeboatFunction>>;

  constructor(scope: Construct, id: string, props: ReplaceMemberProps) {
    super(scope, id);
    const { functions, state, etcdClient, tags, sending, controlPlaneLock, topic } = props;
    const outside = { ...functions, network: undefined };

    const findReplacement = new LifeboatFunction(this, 'FindReplacement', {
      ...outside,
      entry: 'lambdas/restore/find-replacement.handler.ts',
      description: 'find the node on which a member is replaced',
    });
    findReplacement.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    sending.grantFind(findReplacement);

    const changeMembers = new LifeboatFunction(this, 'ChangeMembers', {
      ...functions,
      entry: 'lambdas/restore/change-members.handler.ts',
      description: 'remove, add and promote a member of etcd',
      speaksToEtcd: true,
      // Each of nine members may let a change run out, 15 s each, and checking hashes the whole key space.
      timeout: Duration.minutes(5),
    });
    changeMembers.setEnvironment(Env.etcdEndpoints, props.endpoints.join(','));
    state.grantManifests(changeMembers);
    etcdClient.grantRead(changeMembers);

    const tellReplacement = new LifeboatFunction(this, 'TellReplacement', {
      ...outside,
      entry: 'lambdas/restore/tell-replacement.handler.ts',
      description: 'ask people to approve a replacement and tell how it ended',
    });
    state.grantRestoreFiles(tellReplacement, { write: ['approval.txt', 'report.json'] });
    grantTell(topic, tellReplacement);

    const called = {
      findReplacement,
      changeMembers,
      tellReplacement,
      controlPlaneLock,
      nodeCommand: sending.nodeCommand,
      syncApiRecord: props.syncApiRecord,
    };
    const { start } = new ReplaceMemberStates(this, 'States', called);
    this.stateMachine = runbookMachine(this, {
      name: `lifeboat-${functions.clusterName}-replace-member`,
      comment: `kube-lifeboat ${functions.clusterName}: replaces one member of etcd while the others serve`,
      start,
      logRetention: props.logRetention,
    });
    this.functions = { 'find-replacement': findReplacement, 'change-members': changeMembers, 'tell-replacement': tellReplacement };
  }
}
