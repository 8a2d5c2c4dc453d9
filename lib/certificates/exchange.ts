import { ArnFormat, Duration, Size, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { ExchangePolicy } from '../../lambdas/contract/exchange-policy';
import { rotateCaName } from '../../lambdas/contract/exchange-policy';
import type { NodeTags } from '../../lambdas/contract/restore';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import { grantTell } from '../monitoring/tell-topic';
import type { NodeSending } from '../nodes/node-sending';
import { acknowledgeWildcard } from '../platform/acknowledge';
import type { EtcdClientSecret } from '../platform/etcd-client-secret';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import { runbookMachine } from '../restore/runbook-machine';
import type { CertificateSettings } from './certificate-settings';
import { ExchangeAlarms } from './exchange-alarms';
import { ExchangeStates } from './exchange-states';
import type { PkiSecrets } from './pki-secrets';
import type { Rotation } from './rotation';

export interface ExchangeProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where the report goes, and where snapshots are. */
  readonly state: StateBucket;

  /** The authorities that are exchanged. */
  readonly pki: PkiSecrets;

  /** The certificate by which the functions reach etcd, which goes with etcd's authority. */
  readonly etcdClient: EtcdClientSecret;

  /** Client URLs of the members, `https://host:port`. */
  readonly endpoints: readonly string[];

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Runs documents on nodes. */
  readonly sending: NodeSending;

  /** By whom nodes get what an authority is by now, and who looks at the ports. */
  readonly rotation: Rotation;

  /** Gives a node that joined since the adoption a secret of its own. */
  readonly enrols: LifeboatFunction;

  readonly settings: CertificateSettings;

  /** When an authority is exchanged because of its age, and who begins that. */
  readonly exchangePolicy: ExchangePolicy;

  /**
   * Who is asked for approval and told of the end.
   *
   * @default - nobody: the report in the bucket tells it
   */
  readonly topic?: ITopic;

  readonly alarms: AlarmDefaults;

  /** How long the log of the state machine is kept. */
  readonly logRetention: RetentionDays;
}

/** The ARN of the runbook of a cluster, for who is made before it. */
export const rotateCaArn = (scope: Construct, clusterName: string): string =>
  Stack.of(scope).formatArn({
    ...{ service: 'states', resource: 'stateMachine', resourceName: rotateCaName(clusterName) },
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

/** The runbook that exchanges an authority of the cluster by its next generation, and can turn back in every state. */
export class Exchange extends Construct {
  readonly stateMachine: StateMachine;
  readonly exchangeAuthority: LifeboatFunction;
  readonly lookAround: LifeboatFunction;

  constructor(scope: Construct, id: string, props: ExchangeProps) {
    super(scope, id);
    const { functions, state, pki, etcdClient, endpoints, tags, sending, rotation, enrols, settings, topic } = props;
    this.lookAround = new LifeboatFunction(this, 'LookAround', {
      ...functions,
      entry: 'lambdas/exchange/look-around.handler.ts',
      description: 'see what ports, etcd and the API show of an authority',
      speaksToEtcd: true,
      // Answers of the API have up to 32 MiB each.
      memory: Size.mebibytes(512),
      timeout: Duration.minutes(2),
    });
    this.lookAround.setEnvironment(Env.etcdEndpoints, endpoints.join(','));
    etcdClient.grantRead(this.lookAround);
    rotation.grantRead(this.lookAround);

    this.exchangeAuthority = new LifeboatFunction(this, 'ExchangeAuthority', {
      ...functions,
      network: undefined,
      entry: 'lambdas/exchange/exchange-authority.handler.ts',
      description: 'exchange an authority of the cluster, state by state',
      memory: Size.mebibytes(1024),
      timeout: Duration.minutes(5),
    });
    this.exchangeAuthority.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    this.exchangeAuthority.setEnvironment(Env.certificateSettings, JSON.stringify(settings));
    this.exchangeAuthority.setEnvironment(Env.probeFunction, this.lookAround.functionName);
    this.exchangeAuthority.setEnvironment(Env.enrolFunction, enrols.functionName);
    this.exchangeAuthority.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.lookAround.functionArn, enrols.functionArn] }),
    );
    sending.grantFind(this.exchangeAuthority);
    pki.grantExchange(this.exchangeAuthority);
    rotation.grantStart(this.exchangeAuthority);
    etcdClient.grantRenew(this.exchangeAuthority);
    state.grantManifests(this.exchangeAuthority);
    state.grantExchanges(this.exchangeAuthority);
    state.grantNoteGenerations(this.exchangeAuthority);
    state.grantLock(this.exchangeAuthority, 'control-plane');
    grantTell(topic, this.exchangeAuthority);
    this.exchangeAuthority.setEnvironment(Env.exchangePolicy, JSON.stringify(props.exchangePolicy));

    const { start } = new ExchangeStates(this, { exchangeAuthority: this.exchangeAuthority, nodeCommand: sending.nodeCommand });
    const name = rotateCaName(functions.clusterName);
    this.stateMachine = runbookMachine(this, {
      name,
      comment: `kube-lifeboat ${functions.clusterName}: exchanges an authority of the cluster, and can turn back in every state`,
      start,
      logRetention: props.logRetention,
    });
    new ExchangeAlarms(this, 'Alarms', { alarms: props.alarms, stateMachine: this.stateMachine });
    const { account, partition, region } = Stack.of(this);
    const executions = `arn:${partition}:states:${region}:${account}:execution:${name}:*`;
    // By its name: by its ARN each of the two would have to be there before the other.
    this.exchangeAuthority.addToRolePolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [rotateCaArn(this, functions.clusterName)] }),
    );
    this.exchangeAuthority.addToRolePolicy(new PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] }));
    acknowledgeWildcard(
      this.exchangeAuthority,
      executions,
      'Executions are named when they are started; the wildcard ends at this state machine.',
    );
  }
}
