import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnResourcePolicy, CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { LifeboatFunction } from './lifeboat-function';

export interface ValuelessSecretProps {
  readonly name: string;

  /** What it holds, for people in the console. */
  readonly description: string;

  /** The key that encrypts it. */
  readonly encryptionKey: IKey;

  /** Why Secrets Manager does not rotate it by itself. */
  readonly notRotatedBecause: string;
}

/** A secret that the stack makes without a value, so that no template ever holds key material. It outlives the stack. */
export class ValuelessSecret extends Secret {
  private readonly key: IKey;

  constructor(scope: Construct, id: string, { name, description, encryptionKey, notRotatedBecause }: ValuelessSecretProps) {
    super(scope, id, { secretName: name, description, encryptionKey, removalPolicy: RemovalPolicy.RETAIN });
    this.key = encryptionKey;
    // Without this the construct generates a random password, which reads like a value and is none.
    const resource = this.node.defaultChild;
    if (resource instanceof CfnSecret) resource.generateSecretString = undefined;
    this.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['secretsmanager:*'],
        resources: ['*'],
        conditions: { StringNotEquals: { 'aws:PrincipalAccount': Stack.of(this).account } },
      }),
    );
    const policy = this.node.findChild('Policy').node.defaultChild;
    if (policy instanceof CfnResourcePolicy) policy.blockPublicPolicy = true;
    Validations.of(this).acknowledge({ id: 'AwsSolutions-SMG4', reason: notRotatedBecause });
  }

  /** Refuses everybody what it held before: a version that lost its label is still there, for whoever has its id, until Secrets Manager drops it. */
  denyFormerVersions(): void {
    const asks = (key: string) => ({ Null: { [`secretsmanager:${key}`]: 'false' } });
    const former = [asks('VersionId'), { ...asks('VersionStage'), StringNotEquals: { 'secretsmanager:VersionStage': 'AWSCURRENT' } }];
    for (const conditions of former)
      this.addToResourcePolicy(
        new PolicyStatement({
          ...{ effect: Effect.DENY, principals: [new AnyPrincipal()], actions: ['secretsmanager:GetSecretValue'], resources: ['*'] },
          conditions,
        }),
      );
  }

  /** Lets a function read this one secret. */
  allowRead(handler: LifeboatFunction): void {
    this.allow(handler, ['secretsmanager:GetSecretValue'], ['kms:Decrypt']);
  }

  /** Lets a function read this one secret and put new values into it. */
  allowReadAndPut(handler: LifeboatFunction): void {
    // Secrets Manager reads a value that it is about to store again, to compare it: docs.aws.amazon.com/kms/latest/developerguide/services-secrets-manager.html
    this.allow(handler, ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'], ['kms:Decrypt', 'kms:GenerateDataKey']);
  }

  /** Lets a function read this one secret and exchange its value by moving the label of the current one. */
  allowSwap(handler: LifeboatFunction): void {
    const actions = ['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map((name) => `secretsmanager:${name}`);
    this.allow(handler, actions, ['kms:Decrypt', 'kms:GenerateDataKey']);
  }

  private allow(handler: LifeboatFunction, actions: string[], keyActions: string[]): void {
    handler.addToRolePolicy(new PolicyStatement({ actions, resources: [this.secretArn] }));
    const { region, urlSuffix } = Stack.of(this);
    handler.addToRolePolicy(
      new PolicyStatement({
        actions: keyActions,
        resources: [this.key.keyArn],
        conditions: {
          StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}`, 'kms:EncryptionContext:SecretARN': this.secretArn },
        },
      }),
    );
  }
}
