import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnResourcePolicy, CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import { etcdClientSecretName } from '../../lambdas/contract/secrets';
import type { LifeboatFunction } from './lifeboat-function';

export interface EtcdClientSecretProps {
  /** Name of the cluster whose members the certificate opens. */
  readonly clusterName: string;

  /** The key that encrypts the secret. */
  readonly encryptionKey: IKey;
}

/**
 * The etcd CA, a client certificate and its key, by which functions reach the members.
 *
 * The stack makes it without a value: the operator puts one, and no template ever holds key material.
 */
export class EtcdClientSecret extends Construct {
  readonly secret: Secret;
  private readonly encryptionKey: IKey;

  constructor(scope: Construct, id: string, { clusterName, encryptionKey }: EtcdClientSecretProps) {
    super(scope, id);
    this.encryptionKey = encryptionKey;
    this.secret = new Secret(this, 'Secret', {
      secretName: etcdClientSecretName(clusterName),
      description: `kube-lifeboat ${clusterName}: etcd CA, client certificate and key as {"ca","cert","key"} of PEM texts`,
      encryptionKey,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Without this the construct generates a random password, which reads like a value and is none.
    const resource = this.secret.node.defaultChild;
    if (resource instanceof CfnSecret) resource.generateSecretString = undefined;

    this.secret.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['secretsmanager:*'],
        resources: ['*'],
        conditions: { StringNotEquals: { 'aws:PrincipalAccount': Stack.of(this).account } },
      }),
    );
    const policy = this.secret.node.findChild('Policy').node.defaultChild;
    if (policy instanceof CfnResourcePolicy) policy.blockPublicPolicy = true;
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The certificate is issued by the etcd CA of the cluster, which this stack does not hold, so no rotation function here could mint the next one.',
    });
  }

  /** Lets a function read this one secret, and tells it where it is. */
  grantRead(handler: LifeboatFunction): void {
    handler.setEnvironment(Env.etcdClientSecret, this.secret.secretArn);
    handler.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [this.secret.secretArn] }));
    handler.addToRolePolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [this.encryptionKey.keyArn],
        conditions: {
          StringEquals: {
            'kms:ViaService': `secretsmanager.${Stack.of(this).region}.${Stack.of(this).urlSuffix}`,
            'kms:EncryptionContext:SecretARN': this.secret.secretArn,
          },
        },
      }),
    );
  }
}
