import { GetSecretValueCommand, PutSecretValueCommand, ResourceNotFoundException } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { PkiSecrets } from '../certificates/take-over';
import { PkiUnusable } from '../certificates/errors';
import type { AuthorityName, Exchangeable } from '../contract/certificate-names';
import {
  AuthoritySecret,
  HandOver,
  ServiceAccountsSecret,
  authoritySecretName,
  handOverSecretName,
  serviceAccountsSecretName,
} from '../contract/certificates';
import { jsonOf } from '../contract/json';
import { messageOf } from '../contract/lifeboat-error';
import { mistakesOf } from './environment';
import { StoreFailed } from './errors';
import { swapSecret, writeAgain } from './swap-secret';

/** What lies in the hand-over secret when nothing does: Secrets Manager keeps no empty value. */
const NOTHING = 'nothing is handed over';
/** What a node has just put there is not read by everybody at once: docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html */
const READS = 6;
const BETWEEN_READS_MS = 2_000;

/** The secrets of one cluster's PKI. The stack makes them, without a value. */
export class SecretsManagerPki implements PkiSecrets {
  constructor(
    private readonly client: SecretsManagerClient,
    private readonly cluster: string,
  ) {}

  authority: PkiSecrets['authority'] = async (name) => this.read(authoritySecretName(this.cluster, name), AuthoritySecret);
  serviceAccounts: PkiSecrets['serviceAccounts'] = async () => this.read(serviceAccountsSecretName(this.cluster), ServiceAccountsSecret);
  putAuthority: PkiSecrets['putAuthority'] = async (secret) => this.put(authoritySecretName(this.cluster, secret.authority), secret);
  /** Compare and swap. @throws PkiUnusable, StoreFailed, and what the change throws */
  changeAuthority = (name: AuthorityName, by: (document: AuthoritySecret) => AuthoritySecret): Promise<AuthoritySecret> =>
    this.change(authoritySecretName(this.cluster, name), AuthoritySecret, by);
  /** The same for the keys of service accounts. @throws PkiUnusable, StoreFailed, and what the change throws */
  changeServiceAccounts = (by: (document: ServiceAccountsSecret) => ServiceAccountsSecret): Promise<ServiceAccountsSecret> =>
    this.change(serviceAccountsSecretName(this.cluster), ServiceAccountsSecret, by);
  /** What was current before stays readable as AWSPREVIOUS; without a label Secrets Manager deletes it. @throws StoreFailed */
  forgetFormer = (name: Exchangeable): Promise<void> =>
    writeAgain(
      this.client,
      name === 'service-accounts' ? serviceAccountsSecretName(this.cluster) : authoritySecretName(this.cluster, name),
    );
  putServiceAccounts: PkiSecrets['putServiceAccounts'] = async (secret) => this.put(serviceAccountsSecretName(this.cluster), secret);

  handedOver: PkiSecrets['handedOver'] = async () => {
    const name = handOverSecretName(this.cluster);
    let text = await this.text(name);
    for (let read = 1; read < READS && (text === undefined || text === NOTHING); read++) {
      await sleep(BETWEEN_READS_MS);
      text = await this.text(name);
    }
    if (text === undefined || text === NOTHING) throw new PkiUnusable(`secret ${name} is empty: no node has handed anything over`);
    return this.parse(name, text, HandOver).archive;
  };

  /** Twice, since the value before stays readable as AWSPREVIOUS; without a label it is nobody's, and Secrets Manager deletes it. */
  forgetHandOver: PkiSecrets['forgetHandOver'] = async () => {
    const SecretId = handOverSecretName(this.cluster);
    for (let time = 0; time < 2; time++) await this.call('write', SecretId, new PutSecretValueCommand({ SecretId, SecretString: NOTHING }));
  };

  private async change<T>(SecretId: string, shape: z.ZodType<T>, by: (document: T) => T): Promise<T> {
    const text = await swapSecret(this.client, SecretId, (before) => {
      const document = this.parse(SecretId, before, shape);
      const after = by(document);
      if (after === document) return undefined;
      // What nobody could read again would stop everything.
      const parsed = shape.safeParse(after);
      if (parsed.success) return JSON.stringify(parsed.data);
      throw new PkiUnusable(
        `secret ${SecretId} would hold what the lifeboat does not read (${mistakesOf(parsed.error)}): nothing was written`,
      );
    });
    return this.parse(SecretId, text, shape);
  }

  private async read<T>(name: string, shape: z.ZodType<T>): Promise<T | undefined> {
    const text = await this.text(name);
    return text === undefined ? undefined : this.parse(name, text, shape);
  }

  private parse<T>(name: string, text: string, shape: z.ZodType<T>): T {
    const parsed = shape.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw new PkiUnusable(
      `secret ${name} does not hold what the lifeboat puts there (${mistakesOf(parsed.error)}): put its previous version back with aws secretsmanager update-secret-version-stage`,
    );
  }

  private async text(SecretId: string): Promise<string | undefined> {
    try {
      return (await this.client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
    } catch (error) {
      // Without a value, or without the secret; the second is told when somebody writes.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw new StoreFailed(`cannot read secret ${SecretId}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** A repeated write of the same value makes no second version: the token hangs on what is written. */
  private put(SecretId: string, value: object): Promise<void> {
    const SecretString = JSON.stringify(value);
    const ClientRequestToken = createHash('sha256').update(SecretString).digest('hex');
    return this.call('write', SecretId, new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken }));
  }

  private async call(what: string, name: string, command: PutSecretValueCommand): Promise<void> {
    try {
      await this.client.send(command);
    } catch (error) {
      throw new StoreFailed(`cannot ${what} secret ${name}: ${messageOf(error)}`, { cause: error });
    }
  }
}
