import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ExchangePolicy } from '../../lambdas/contract/exchange-policy';
import type { AlarmDefaults } from '../monitoring/lifeboat-alarm';
import type { LifeboatFunction } from '../platform/lifeboat-function';
import { Adopt } from './adopt';
import type { AdoptProps } from './adopt';
import { CertificateAlarms } from './certificate-alarms';
import { Exchange } from './exchange';
import { PkiSecrets } from './pki-secrets';
import { Repair } from './repair';
import { Rotation } from './rotation';
import type { RotationProps } from './rotation';
import { Scan } from './scan';

export interface CertificatesProps extends Omit<RotationProps, 'pki'>, Omit<AdoptProps, 'pki' | 'rotation'> {
  /** When an authority is exchanged because of its age, and who begins that. */
  readonly exchangePolicy: ExchangePolicy;
  readonly alarms: AlarmDefaults;
  readonly topic?: ITopic;
  readonly logRetention: RetentionDays;
}

/** The PKI of a cluster: taken over from its nodes, and kept fresh from then on. */
export class Certificates extends Construct {
  /** The runbook that takes the PKI over. */
  readonly adopt: IStateMachine;
  /** The runbook for certificates that have ended. */
  readonly repair: IStateMachine;
  /** The runbook that exchanges an authority. */
  readonly exchange: IStateMachine;
  /** The daily look at every certificate. */
  readonly scan: IStateMachine;
  /** Everything that works for it, by the name of its log. */
  readonly functions: Readonly<Record<string, LifeboatFunction>>;

  constructor(scope: Construct, id: string, props: CertificatesProps) {
    super(scope, id);
    const { functions, encryptionKey } = props;
    const pki = new PkiSecrets(this, 'Pki', { clusterName: functions.clusterName, encryptionKey });
    const rotation = new Rotation(this, 'Rotation', { ...props, pki });
    const adopt = new Adopt(this, 'Adopt', { ...props, pki, rotation });
    new CertificateAlarms(this, 'Alarms', { alarms: props.alarms });
    const repair = new Repair(this, 'Repair', { ...props, pki, rotation });
    const exchange = new Exchange(this, 'Exchange', { ...props, pki, rotation, enrols: adopt.adopt });
    const scan = new Scan(this, 'Scan', { ...props, rotation, exchange });
    this.exchange = exchange.stateMachine;
    this.repair = repair.stateMachine;
    this.adopt = adopt.stateMachine;
    this.scan = scan.stateMachine;
    const { rotateCertificates, probeNode } = rotation;
    this.functions = {
      adopt: adopt.adopt,
      'rotate-certificates': rotateCertificates,
      'probe-node': probeNode,
      'scan-certificates': scan.scanCertificates,
      'repair-certificates': repair.repairCertificates,
      'exchange-authority': exchange.exchangeAuthority,
      'look-around': exchange.lookAround,
    };
  }
}
