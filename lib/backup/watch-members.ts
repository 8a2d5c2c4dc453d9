import { Duration } from 'aws-cdk-lib';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { EtcdClientSecret } from '../platform/etcd-client-secret';
import { StartSchedule } from '../platform/start-schedule';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';

export interface WatchMembersProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where the ledger is. */
  readonly state: StateBucket;

  /** The certificate by which the members are reached. */
  readonly etcdClient: EtcdClientSecret;

  /** Client URLs of the members, `https://host:port`. */
  readonly endpoints: readonly string[];
}

/**
 * Looks at every member once a minute: keeps the ledger of revisions, and tells how the members are.
 *
 * Nothing is tried again: the next minute is the next try, and it knows more. What fails from outside is an outcome of a run that its
 * metrics tell of, so only a run that crashed or could not be started leaves something in the dead-letter queue.
 */
export class WatchMembers extends Construct {
  readonly watchMembers: LifeboatFunction;

  constructor(scope: Construct, id: string, { functions, state, etcdClient, endpoints }: WatchMembersProps) {
    if (endpoints.length === 0) throw new RangeError('endpoints is empty, give at least 1 etcd member');
    super(scope, id);
    this.watchMembers = new LifeboatFunction(this, 'WatchMembers', {
      ...functions,
      entry: 'lambdas/backup/watch-members.handler.ts',
      description: 'look at every etcd member and keep the ledger of revisions',
      speaksToEtcd: true,
      // Ends before the next one starts.
      timeout: Duration.seconds(50),
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
    });
    this.watchMembers.setEnvironment(Env.etcdEndpoints, endpoints.join(','));
    state.grantLedger(this.watchMembers);
    state.grantManifests(this.watchMembers);
    etcdClient.grantRead(this.watchMembers);

    new StartSchedule(this, 'Schedule', {
      clusterName: functions.clusterName,
      target: this.watchMembers,
      purpose: 'look at the etcd members',
      expression: 'rate(1 minute)',
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: functions.deadLetterQueue,
      retry: false,
    });
  }
}
