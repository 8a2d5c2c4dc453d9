import { Duration, Size } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { NodeTags } from '../../lambdas/contract/restore';
import { grantTell } from '../monitoring/tell-topic';
import type { NodeSending } from '../nodes/node-sending';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import { runbookMachine } from '../restore/runbook-machine';
import { AdoptStates } from './adopt-states';
import type { CertificateSettings } from './certificate-settings';
import type { PkiSecrets } from './pki-secrets';
import type { Rotation } from './rotation';

export interface AdoptProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where the report goes. */
  readonly state: StateBucket;

  /** Where the PKI of the cluster goes. */
  readonly pki: PkiSecrets;

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Runs documents on nodes. */
  readonly sending: NodeSending;

  /** Keeps other runbooks from changing the nodes meanwhile. */
  readonly controlPlaneLock: LifeboatFunction;

  /** Rotates the certificates of the nodes from then on. */
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

/** The runbook that takes a cluster's PKI over: one execution, repeated at will. */
export class Adopt extends Construct {
  readonly stateMachine: StateMachine;
  readonly adopt: LifeboatFunction;

  constructor(scope: Construct, id: string, props: AdoptProps) {
    super(scope, id);
    const { functions, state, pki, tags, sending, controlPlaneLock, rotation, settings, topic } = props;
    this.adopt = new LifeboatFunction(this, 'Adopt', {
      ...functions,
      network: undefined,
      entry: 'lambdas/certificates/adopt.handler.ts',
      description: 'take the authorities of a cluster over from its nodes',
      // Two processors' worth: making four RSA keys takes seconds on less.
      memory: Size.mebibytes(1024),
      timeout: Duration.minutes(2),
    });
    this.adopt.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    this.adopt.setEnvironment(Env.certificateSettings, JSON.stringify(settings));
    sending.grantFind(this.adopt);
    pki.grantTakeOver(this.adopt);
    rotation.grantEnrol(this.adopt);
    state.grantAdoptions(this.adopt);
    state.grantNoteGenerations(this.adopt);
    grantTell(topic, this.adopt);

    const { start } = new AdoptStates(this, 'States', { adopt: this.adopt, controlPlaneLock, nodeCommand: sending.nodeCommand });
    this.stateMachine = runbookMachine(this, {
      name: `lifeboat-${functions.clusterName}-adopt`,
      comment: `kube-lifeboat ${functions.clusterName}: takes the authorities of the cluster over from its nodes`,
      start,
      logRetention: props.logRetention,
    });
  }
}
