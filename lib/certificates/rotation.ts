import { Duration, Lazy, Size, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { nodeSecretName } from '../../lambdas/contract/certificates';
import { Env } from '../../lambdas/contract/env';
import type { NodeTags } from '../../lambdas/contract/restore';
import type { NodeSending } from '../nodes/node-sending';
import { acknowledgeWildcard } from '../platform/acknowledge';
import type { EtcdClientSecret } from '../platform/etcd-client-secret';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';
import type { CertificateSettings } from './certificate-settings';
import type { PkiSecrets } from './pki-secrets';

export interface RotationProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where the lock of the control plane is. */
  readonly state: StateBucket;

  /** The authorities that sign. */
  readonly pki: PkiSecrets;

  /** The key that encrypts the secrets of nodes. */
  readonly encryptionKey: IKey;

  /** The certificate by which the members are reached. */
  readonly etcdClient: EtcdClientSecret;

  /** Client URLs of the members, `https://host:port`. */
  readonly endpoints: readonly string[];

  /** How nodes are found. */
  readonly tags: NodeTags;

  /** Runs documents on nodes. */
  readonly sending: NodeSending;

  readonly settings: CertificateSettings;
}

const NAMED_LATER =
  'The secret of a node is named after its instance, which is known when the cluster is adopted; the wildcard ends at this cluster.';

/**
 * Rotates the certificates of control-plane nodes by Secrets Manager's own contract: one secret a node, made when the cluster is adopted.
 *
 * Two functions, since one in a VPC without NAT does not reach Systems Manager, and one outside does not reach the nodes.
 */
export class Rotation extends Construct {
  readonly rotateCertificates: LifeboatFunction;
  readonly probeNode: LifeboatFunction;
  private readonly nodeSecrets: string;
  /** Who else reads the secrets of nodes. */
  private readonly readers: LifeboatFunction[] = [];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: RotationProps,
  ) {
    super(scope, id);
    const { functions, state, pki, etcdClient, endpoints, tags, sending, settings } = props;
    const { account, partition, region } = Stack.of(this);
    this.nodeSecrets = `arn:${partition}:secretsmanager:${region}:${account}:secret:${nodeSecretName(functions.clusterName, '*')}`;

    this.probeNode = new LifeboatFunction(this, 'ProbeNode', {
      ...functions,
      entry: 'lambdas/certificates/probe-node.handler.ts',
      description: 'shake hands with every port of a control-plane node',
      speaksToEtcd: true,
    });
    this.probeNode.setEnvironment(Env.etcdEndpoints, endpoints.join(','));
    etcdClient.grantRead(this.probeNode);
    this.grantNodeSecrets(this.probeNode, ['secretsmanager:GetSecretValue'], ['kms:Decrypt']);

    this.rotateCertificates = new LifeboatFunction(this, 'RotateCertificates', {
      ...functions,
      network: undefined,
      entry: 'lambdas/certificates/rotate-certificates.handler.ts',
      description: 'rotate the certificates of one control-plane node',
      // Twelve RSA keys take seconds of a whole processor.
      memory: Size.mebibytes(1769),
      timeout: Duration.minutes(15),
    });
    this.rotateCertificates.setEnvironment(Env.nodeTags, JSON.stringify(tags));
    this.rotateCertificates.setEnvironment(Env.certificateSettings, JSON.stringify(settings));
    this.rotateCertificates.setEnvironment(Env.probeFunction, this.probeNode.functionName);
    this.rotateCertificates.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.probeNode.functionArn] }),
    );
    pki.grantSign(this.rotateCertificates);
    sending.grantFind(this.rotateCertificates);
    const sent = ['certificate-facts', 'install-certificates', 'previous-certificates'] as const;
    sending.grantSend(this.rotateCertificates, sent, [tags.controlPlane]);
    state.grantLock(this.rotateCertificates, 'control-plane');
    const rotating = ['DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
      (name) => `secretsmanager:${name}`,
    );
    this.grantNodeSecrets(this.rotateCertificates, rotating, ['kms:Decrypt', 'kms:GenerateDataKey']);
    this.rotateCertificates.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: account,
    });
  }

  /** Lets a function make the secrets of nodes and have them rotated, and tells it how. */
  grantEnrol(handler: LifeboatFunction): void {
    const { encryptionKey, settings } = this.props;
    const actions = ['CreateSecret', 'DescribeSecret', 'GetResourcePolicy', 'PutResourcePolicy', 'RotateSecret', 'TagResource'].map(
      (name) => `secretsmanager:${name}`,
    );
    // Secrets Manager makes sure that whoever makes a secret may use its key.
    this.grantNodeSecrets(handler, actions, ['kms:Decrypt', 'kms:GenerateDataKey']);
    handler.addToRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.rotateCertificates.functionArn] }));
    const readers = Lazy.any({
      produce: () => [this.rotateCertificates, this.probeNode, ...this.readers].map(({ role }) => role?.roleArn),
    });
    handler.setEnvironment(
      Env.nodeSecretSettings,
      Stack.of(this).toJsonString({
        kmsKeyId: encryptionKey.keyArn,
        rotationFunction: this.rotateCertificates.functionArn,
        everyDays: Math.max(1, settings.leafValidityDays - settings.renewBeforeDays),
        readers,
      }),
    );
  }

  /** Lets a function put sets into the secrets of nodes, past any rotation. */
  grantRepair(handler: LifeboatFunction): void {
    const actions = ['DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'].map((name) => `secretsmanager:${name}`);
    this.grantNodeSecrets(handler, actions, ['kms:Decrypt', 'kms:GenerateDataKey']);
  }

  /** Lets a function start the rotation of a node's secret that is rotated already. */
  grantStart(handler: LifeboatFunction): void {
    handler.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:RotateSecret'], resources: [this.nodeSecrets] }));
    handler.addToRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.rotateCertificates.functionArn] }));
    acknowledgeWildcard(handler, this.nodeSecrets, NAMED_LATER);
  }

  /** Lets a function see when a node was rotated last, too. */
  grantStartWhenDue(handler: LifeboatFunction): void {
    this.grantStart(handler);
    handler.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:DescribeSecret'], resources: [this.nodeSecrets] }));
  }

  /** Lets a function read which set a node has by now. */
  grantRead(handler: LifeboatFunction): void {
    this.grantNodeSecrets(handler, ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'], ['kms:Decrypt']);
    this.readers.push(handler);
  }

  private grantNodeSecrets(handler: LifeboatFunction, actions: string[], keyActions: string[]): void {
    handler.addToRolePolicy(new PolicyStatement({ actions, resources: [this.nodeSecrets] }));
    const { region, urlSuffix } = Stack.of(this);
    handler.addToRolePolicy(
      new PolicyStatement({
        actions: keyActions,
        resources: [this.props.encryptionKey.keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` },
          // Of whoever makes a secret Secrets Manager tries the key first, for no secret yet.
          StringLike: {
            'kms:EncryptionContext:SecretARN': [
              this.nodeSecrets,
              ...(actions.includes('secretsmanager:CreateSecret') ? ['RequestToValidateKeyAccess'] : []),
            ],
          },
        },
      }),
    );
    acknowledgeWildcard(handler, this.nodeSecrets, NAMED_LATER);
  }
}
