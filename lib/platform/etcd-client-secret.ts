import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import { etcdClientSecretName } from '../../lambdas/contract/secrets';
import type { LifeboatFunction } from './lifeboat-function';
import { ValuelessSecret } from './valueless-secret';

export interface EtcdClientSecretProps {
  /** Name of the cluster whose members the certificate opens. */
  readonly clusterName: string;

  /** The key that encrypts the secret. */
  readonly encryptionKey: IKey;
}

/** The etcd CA, a client certificate and its key, by which functions reach the members. The operator puts them there. */
export class EtcdClientSecret extends Construct {
  readonly secret: ValuelessSecret;

  constructor(scope: Construct, id: string, { clusterName, encryptionKey }: EtcdClientSecretProps) {
    super(scope, id);
    this.secret = new ValuelessSecret(this, 'Secret', {
      name: etcdClientSecretName(clusterName),
      description: `kube-lifeboat ${clusterName}: etcd CA, client certificate and key as {"ca","cert","key"} of PEM texts`,
      encryptionKey,
      notRotatedBecause:
        'The operator puts the certificate there, before the lifeboat holds the authority that issued it: no rotation could mint the next one.',
    });
  }

  /** Lets a function read this one secret, and tells it where it is. */
  grantRead(handler: LifeboatFunction): void {
    handler.setEnvironment(Env.etcdClientSecret, this.secret.secretArn);
    this.secret.allowRead(handler);
  }

  /** Lets a function renew it, too. */
  grantRenew(handler: LifeboatFunction): void {
    handler.setEnvironment(Env.etcdClientSecret, this.secret.secretArn);
    this.secret.allowReadAndPut(handler);
  }
}
