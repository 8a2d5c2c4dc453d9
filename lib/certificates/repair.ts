import { Duration, Size } from 'aws-cdk-lib';
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
import { runbookMachine } from '../restore/runbook-machine';
import type { CertificateSettings } from './certificate-settings';
import type { PkiSecrets } from './pki-secrets';
import { RepairStates } from './repair-states';
import type { Rotation } from './rotation';

export interface RepairProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where the report goes. */
  readonly state: StateBucket;

  /** The authorities that sign. */
  readonly pki: PkiSecrets;

  /** The certificate by which the functions reach etcd, which ends like any other. */
  readonly etcdClient: EtcdClientSecret;

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Runs documents on nodes. */
  readonly sending: NodeSending;

  /** Lets one runbook at a time change the nodes. */
  readonly controlPlaneLock: LifeboatFunction;

  /** Whose secrets get the new sets, and who looks at the ports. */
  readonly rotation: Rotation;

  readonly settings: CertificateSettings;

  /**
   * Who is told of the end.
   *
   * @default - nobody: the report in the bucket tells it
   */
  readonly topic?: ITopic;

  /** How long the log of the state machine is kept. */
  readonly logRetention: RetentionDays;
}

/** The runbook for a cluster whose certificates have ended: it needs no Kubernetes API, no etcd and no valid certificate. */
export class Repair extends Construct {
  readonly stateMachine: StateMachine;
  readonly repairCertificates: LifeboatFunction;

  constructor(scope: Construct, id: string, props: RepairProps) {
    super(scope, id);
    const { functions, state, pki, etcdClient, tags, sending, controlPlaneLock, rotation, settings, topic } = props;
    this.repairCertificates = new LifeboatFunction(this, 'RepairCertificates', {
      ...functions,
      network: undefined,
      entry: 'lambdas/certificates/repair-certificates.handler.ts',
      description: 'mint new certificates for nodes whose own have ended',
      // A dozen RSA keys for each of nine nodes, a few seconds a node of a whole processor.
      memory: Size.mebibytes(1769),
      timeout: Duration.minutes(5),
    });
    this.repairCertificates.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    this.repairCertificates.setEnvironment(Env.certificateSettings, JSON.stringify(settings));
    sending.grantFind(this.repairCertificates);
    pki.grantSign(this.repairCertificates);
    rotation.grantRepair(this.repairCertificates);
    etcdClient.grantRenew(this.repairCertificates);
    state.grantRepairs(this.repairCertificates);
    grantTell(topic, this.repairCertificates);

    const { start } = new RepairStates(this, 'States', {
      repairCertificates: this.repairCertificates,
      probeNode: rotation.probeNode,
      controlPlaneLock,
      nodeCommand: sending.nodeCommand,
    });
    this.stateMachine = runbookMachine(this, {
      name: `lifeboat-${functions.clusterName}-repair-certificates`,
      comment: `kube-lifeboat ${functions.clusterName}: gives nodes new certificates when their own have ended`,
      start,
      logRetention: props.logRetention,
    });
  }
}
