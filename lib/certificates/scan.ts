import { Duration, Size } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { NodeTags } from '../../lambdas/contract/restore';
import type { NodeSending } from '../nodes/node-sending';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import { StartSchedule } from '../platform/start-schedule';
import type { StateBucket } from '../platform/state-bucket';
import { runbookMachine } from '../restore/runbook-machine';
import type { CertificateSettings } from './certificate-settings';
import type { Exchange } from './exchange';
import type { Rotation } from './rotation';
import { ScanStates } from './scan-states';

export interface ScanProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where the inventory goes. */
  readonly state: StateBucket;

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Runs documents on nodes. */
  readonly sending: NodeSending;

  /** Looks at ports, and rotates what is due. */
  readonly rotation: Rotation;

  /** Looks after the authorities themselves. */
  readonly exchange: Exchange;

  readonly settings: CertificateSettings;

  /** How long the log of the state machine is kept. */
  readonly logRetention: RetentionDays;
}

/** At a quiet hour, apart from the drill's. */
const DAILY = 'cron(20 3 * * ? *)';

/** Looks at every certificate once a day, in its file and at its port, and has rotated what is due. */
export class Scan extends Construct {
  readonly stateMachine: StateMachine;
  readonly scanCertificates: LifeboatFunction;

  constructor(scope: Construct, id: string, props: ScanProps) {
    super(scope, id);
    const { functions, state, tags, sending, rotation, settings } = props;
    this.scanCertificates = new LifeboatFunction(this, 'ScanCertificates', {
      ...functions,
      network: undefined,
      entry: 'lambdas/certificates/scan-certificates.handler.ts',
      description: 'judge every certificate of the control plane',
      memory: Size.mebibytes(512),
      timeout: Duration.minutes(1),
    });
    this.scanCertificates.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    this.scanCertificates.setEnvironment(Env.certificateSettings, JSON.stringify(settings));
    sending.grantFind(this.scanCertificates);
    state.grantInventory(this.scanCertificates);
    rotation.grantStartWhenDue(this.scanCertificates);

    const { start } = new ScanStates(this, {
      scanCertificates: this.scanCertificates,
      probeNode: rotation.probeNode,
      exchangeAuthority: props.exchange.exchangeAuthority,
      nodeCommand: sending.nodeCommand,
    });
    this.stateMachine = runbookMachine(this, {
      name: `lifeboat-${functions.clusterName}-certificates`,
      comment: `kube-lifeboat ${functions.clusterName}: looks at every certificate, and has rotated what is due`,
      start,
      logRetention: props.logRetention,
    });
    new StartSchedule(this, 'Schedule', {
      clusterName: functions.clusterName,
      target: this.stateMachine,
      purpose: 'look at every certificate',
      expression: DAILY,
      input: ScheduleTargetInput.fromObject({}),
      deadLetterQueue: functions.deadLetterQueue,
    });
  }
}
