import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { CfnPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { ApiRecordSettings } from '../../lambdas/contract/api-record';
import { Env } from '../../lambdas/contract/env';
import type { NodeTags } from '../../lambdas/contract/restore';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import type { NodeSending } from '../nodes/node-sending';
import { acknowledgeWildcard } from '../platform/acknowledge';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import { StartSchedule } from '../platform/start-schedule';
import type { StateBucket } from '../platform/state-bucket';
import { ApiRecordAlarms } from './api-record-alarms';

export interface ApiRecordProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  readonly alarms: AlarmDefaults;

  /** Where the state of the record and the lock of the control plane are. */
  readonly state: StateBucket;

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Finds nodes. */
  readonly sending: NodeSending;

  /** The name, its zone, and what it leads to. */
  readonly settings: ApiRecordSettings;
}

/**
 * Keeps the API's name leading to something that answers.
 *
 * Two functions: one in a VPC without NAT does not reach the API of Route 53, which has no VPC endpoint, and one outside does not reach the nodes.
 * The record itself is no resource of the stack: CloudFormation would write over what the function knows better, and take the name away with the stack.
 *
 * ## Limitations
 *
 * A name has simple records alone: no weights, no failover, no routing by place.
 */
export class ApiRecord extends Construct {
  readonly syncApiRecord: LifeboatFunction;
  readonly probeApi: LifeboatFunction;
  /** Both, by the names of their logs. */
  readonly functions: Readonly<Record<string, LifeboatFunction>>;

  constructor(scope: Construct, id: string, { functions, alarms, state, tags, sending, settings }: ApiRecordProps) {
    super(scope, id);
    this.probeApi = new LifeboatFunction(this, 'ProbeApi', {
      ...functions,
      entry: 'lambdas/dns/probe-api.handler.ts',
      description: 'shake hands with whatever the name of the API leads to',
      timeout: Duration.seconds(20),
    });
    this.syncApiRecord = new LifeboatFunction(this, 'SyncApiRecord', {
      ...functions,
      network: undefined,
      entry: 'lambdas/dns/sync-api-record.handler.ts',
      description: 'keep the DNS record of the API right',
      // Route 53 is INSYNC "generally within 60 seconds"; a run that waits for it may overlap with the next one, which finds nothing to change.
      timeout: Duration.seconds(100),
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
    });
    const sync = this.syncApiRecord;
    sync.setEnvironment(Env.apiRecord, JSON.stringify(settings));
    sync.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    sync.setEnvironment(Env.probeFunction, this.probeApi.functionName);
    sync.setEnvironment(Env.ownRole, sync.role?.roleName ?? '');
    this.grantHistory();
    sync.addToRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.probeApi.functionArn] }));
    state.grantApiRecord(sync);
    state.grantReadLock(sync, 'control-plane');
    if (settings.target.kind !== 'addresses') sending.grantFind(sync);
    this.grantZone(settings);
    if (settings.target.kind === 'load-balancer') this.grantLookAtBalancers();

    new StartSchedule(this, 'Schedule', {
      clusterName: functions.clusterName,
      target: sync,
      purpose: 'keep the DNS record of the API right',
      expression: 'rate(1 minute)',
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: functions.deadLetterQueue,
      retry: false,
    });
    for (const [name, pattern] of Object.entries(changesOf(settings))) {
      new Rule(this, name, {
        description: `kube-lifeboat ${functions.clusterName}: look at the record of the API at once`,
        eventPattern: pattern,
        targets: [new LambdaFunction(sync, { event: RuleTargetInput.fromObject({}), retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
      });
    }
    new ApiRecordAlarms(this, 'Alarms', { alarms });
    this.functions = { 'sync-api-record': sync, 'probe-api': this.probeApi };
  }

  /** The one name and the notes whose it is, in the one zone; nothing else of the zone is ever written. */
  private grantZone({ zoneId, name }: ApiRecordSettings): void {
    const { partition } = Stack.of(this);
    const zone = `arn:${partition}:route53:::hostedzone/${zoneId}`;
    const sync = this.syncApiRecord;
    sync.addToRolePolicy(
      new PolicyStatement({
        actions: ['GetHostedZone', 'ListResourceRecordSets', ...PROTECTING].map((action) => `route53:${action}`),
        resources: [zone],
      }),
    );
    // cfn-lint 1.58 does not know the protections of record sets yet.
    const policy = sync.role?.node.tryFindChild('DefaultPolicy')?.node.defaultChild;
    if (policy instanceof CfnPolicy) policy.addMetadata('cfn-lint', { config: { ignore_checks: ['W3037'] } });
    const change = (names: string[], types: string[]) =>
      sync.addToRolePolicy(
        new PolicyStatement({
          actions: ['route53:ChangeResourceRecordSets'],
          resources: [zone],
          conditions: {
            'ForAllValues:StringEquals': {
              'route53:ChangeResourceRecordSetsNormalizedRecordNames': names,
              'route53:ChangeResourceRecordSetsRecordTypes': types,
              'route53:ChangeResourceRecordSetsActions': ['UPSERT', 'DELETE'],
            },
            // Of nothing, "for all" is true.
            Null: {
              'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
              'route53:ChangeResourceRecordSetsRecordTypes': 'false',
              'route53:ChangeResourceRecordSetsActions': 'false',
            },
          },
        }),
      );
    change([name, `a-${name}`, `aaaa-${name}`, `cname-${name}`], ['A', 'AAAA', 'TXT']);
    const changes = `arn:${partition}:route53:::change/*`;
    sync.addToRolePolicy(new PolicyStatement({ actions: ['route53:GetChange'], resources: [changes] }));
    acknowledgeWildcard(sync, changes, 'A change has its id from Route 53 when it is made; reading whether it is done tells nothing else.');
  }

  /** Who changed the record: event history, which every account has, with or without a trail. */
  private grantHistory(): void {
    this.syncApiRecord.addToRolePolicy(new PolicyStatement({ actions: ['cloudtrail:LookupEvents'], resources: ['*'] }));
    acknowledgeWildcard(
      this.syncApiRecord,
      '*',
      'LookupEvents takes no resource; it reads the history of calls, which holds no secret, and changes nothing.',
    );
  }

  private grantLookAtBalancers(): void {
    const actions = ['DescribeListeners', 'DescribeLoadBalancers', 'DescribeTargetHealth'].map(
      (action) => `elasticloadbalancing:${action}`,
    );
    this.syncApiRecord.addToRolePolicy(new PolicyStatement({ actions, resources: ['*'] }));
    acknowledgeWildcard(
      this.syncApiRecord,
      '*',
      'These actions of Elastic Load Balancing take no resource; they read, and change nothing.',
    );
  }
}

const PROTECTING = ['CreateResourceRecordSetProtections', 'DeleteResourceRecordSetProtections', 'ListResourceRecordSetProtections'];

/** Calls that change what a balancer leads to. Its events come by way of CloudTrail, where the account has a trail. */
const BALANCER_CALLS = [
  'CreateListener',
  'DeleteListener',
  'DeleteLoadBalancer',
  'DeregisterTargets',
  'ModifyListener',
  'RegisterTargets',
  'SetIpAddressType',
  'SetSubnets',
];

function changesOf({ target }: ApiRecordSettings): Readonly<Record<string, EventPattern>> {
  const nodes = {
    source: ['aws.ec2'],
    detailType: ['EC2 Instance State-change Notification'],
    detail: { state: ['running', 'stopping', 'shutting-down'] },
  };
  switch (target.kind) {
    case 'addresses':
      return {};
    case 'healthy-nodes':
      return { NodeChanged: nodes };
    case 'load-balancer':
      return {
        BalancerChanged: {
          source: ['aws.elasticloadbalancing'],
          detailType: ['AWS API Call via CloudTrail'],
          detail: { eventName: BALANCER_CALLS },
        },
      };
  }
}
