import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import { authoritySecretName, handOverSecretName, serviceAccountsSecretName } from '../../lambdas/contract/certificates';
import type { LifeboatFunction } from '../platform/lifeboat-function';
import { ValuelessSecret } from '../platform/valueless-secret';

export interface PkiSecretsProps {
  /** Name of the cluster whose PKI they hold. */
  readonly clusterName: string;

  /** The key that encrypts them. */
  readonly encryptionKey: IKey;
}

/** The authorities of a cluster and its keys for service accounts, and the letter box by which a node hands them over. */
export class PkiSecrets extends Construct {
  private readonly authorities: readonly ValuelessSecret[];
  private readonly serviceAccounts: ValuelessSecret;
  private readonly handOver: ValuelessSecret;

  constructor(scope: Construct, id: string, { clusterName, encryptionKey }: PkiSecretsProps) {
    super(scope, id);
    const made = (name: string, secretName: string, holds: string, notRotatedBecause: string): ValuelessSecret =>
      new ValuelessSecret(this, name, {
        name: secretName,
        description: `kube-lifeboat ${clusterName}: ${holds}`,
        encryptionKey,
        notRotatedBecause,
      });
    const wholeCluster =
      'What everything in the cluster trusts is changed step by step, by proof that everybody knows the next one; never by a schedule.';
    this.authorities = AuthorityName.options.map((authority) =>
      made(authority, authoritySecretName(clusterName, authority), `the ${authority} authority, with its key`, wholeCluster),
    );
    const tokens = 'the keys that sign tokens of service accounts';
    this.serviceAccounts = made('service-accounts', serviceAccountsSecretName(clusterName), tokens, wholeCluster);
    const empty = 'It holds nothing but for the seconds in which a node hands something over.';
    this.handOver = made('hand-over', handOverSecretName(clusterName), 'what a node hands over, until it is taken', empty);
    this.handOver.denyFormerVersions();
  }

  /** Lets a function read the authorities, to sign by their keys, and the keys of service accounts, which nodes are given once they were exchanged. */
  grantSign(handler: LifeboatFunction): void {
    for (const secret of [...this.authorities, this.serviceAccounts]) secret.allowRead(handler);
  }

  /** Lets a function write the next generation of an authority or of the keys of service accounts, and where its exchange is: only by comparing first. */
  grantExchange(handler: LifeboatFunction): void {
    for (const secret of [...this.authorities, this.serviceAccounts]) secret.allowSwap(handler);
  }

  /** Lets a function take over what a node hands over, and put it into the secrets of the authorities. */
  grantTakeOver(handler: LifeboatFunction): void {
    for (const secret of [...this.authorities, this.serviceAccounts, this.handOver]) secret.allowReadAndPut(handler);
  }
}
