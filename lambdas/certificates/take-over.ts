import { X509Certificate, createPrivateKey } from 'node:crypto';
import { publicKeyId } from '../accounts/key-id';
import { signingIn } from '../authorities/trust';
import { AUTHORITY_FILES } from '../contract/certificate-names';
import type { AuthorityName } from '../contract/certificate-names';
import type { AdoptionPlan, AuthoritySecret, HeldAuthority, PlannedAuthority, ServiceAccountsSecret } from '../contract/certificates';
import { shortId } from '../contract/short-id';
import { inspect } from '../pki/inspect';
import { filesOf } from './archive';
import type { Files } from './archive';
import { PkiUnusable } from './errors';

/** The PKI of the cluster as it lies in Secrets Manager. */
export interface PkiSecrets {
  /** undefined: it has no value yet. @throws PkiUnusable when it has another one, never with the content */
  authority(name: AuthorityName): Promise<AuthoritySecret | undefined>;
  serviceAccounts(): Promise<ServiceAccountsSecret | undefined>;
  putAuthority(secret: AuthoritySecret): Promise<void>;
  putServiceAccounts(secret: ServiceAccountsSecret): Promise<void>;
  /** The archive that a node handed over. @throws PkiUnusable when there is none */
  handedOver(): Promise<string>;
  /** Takes what was handed over away, its previous version too. */
  forgetHandOver(): Promise<void>;
}

export interface TakeOverEdges {
  readonly secrets: PkiSecrets;
  readonly now: () => Date;
}

/** What the lifeboat holds afterwards, and whether anything of it is new. */
export interface TakenOver {
  readonly changed: readonly string[];
}

/**
 * Puts what a node handed over into the secrets of the authorities. Only what the plan names, by its fingerprint, and only keys that fit; it can
 * be repeated.
 *
 * @throws PkiUnusable when the node handed over something else than it told before
 */
export async function takeOver({ secrets, now }: TakeOverEdges, plan: AdoptionPlan): Promise<TakenOver> {
  if (plan.handOver.length === 0) return { changed: [] };
  const files = await filesOf(await secrets.handedOver(), 'what was handed over');
  const since = now().toISOString();
  const changed: string[] = [];
  for (const planned of plan.authorities.filter(isPending)) {
    await secrets.putAuthority(withGeneration(await secrets.authority(planned.authority), authoritySecret(planned, files, since)));
    changed.push(planned.authority);
  }
  if (plan.serviceAccounts !== undefined && isPending(plan.serviceAccounts)) {
    await secrets.putServiceAccounts(serviceAccountsSecret(plan.serviceAccounts, files, since));
    changed.push('service-accounts');
  }
  await secrets.forgetHandOver();
  return { changed };
}

/** A key that turns up later joins its certificate: generations that are there already stay. */
function withGeneration(before: AuthoritySecret | undefined, taken: AuthoritySecret): AuthoritySecret {
  if (before === undefined) return taken;
  const key = taken.generations.find(({ id }) => id === taken.issuing)?.key;
  return {
    ...before,
    generations: before.generations.map((each) => (each.id === taken.issuing && key !== undefined ? { ...each, key } : each)),
  };
}

const isPending = ({ key, stored }: Pick<PlannedAuthority, 'key' | 'stored'>): boolean => key === 'import' || !stored;

function authoritySecret({ authority, id, key }: PlannedAuthority, files: Files, since: string): AuthoritySecret {
  const file = `pki/${AUTHORITY_FILES[authority]}`;
  const certificate = fileOf(files, `${file}.crt`);
  const found = shown(`${file}.crt`, () => inspect(certificate).sha256);
  if (found !== id)
    throw new PkiUnusable(`${file}.crt is ${shortId(found)} by now, and was ${shortId(id)} when it was planned: adopt again`);
  if (key === 'external') return { version: 1, authority, generations: [{ id, certificate, since }], issuing: id };
  const privateKey = fileOf(files, `${file}.key`);
  const fits = shown(`${file}.key`, () => new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey)));
  if (!fits) throw new PkiUnusable(`${file}.key is not the key of ${file}.crt`);
  return { version: 1, authority, generations: [{ id, certificate, key: privateKey, since }], issuing: id };
}

function serviceAccountsSecret(
  { id, key }: NonNullable<AdoptionPlan['serviceAccounts']>,
  files: Files,
  since: string,
): ServiceAccountsSecret {
  const publicKey = fileOf(files, 'pki/sa.pub');
  const privateKey = key === 'external' ? undefined : fileOf(files, 'pki/sa.key');
  for (const [name, pem] of [
    ['pki/sa.pub', publicKey],
    ['pki/sa.key', privateKey],
  ] as const) {
    if (pem !== undefined && shown(name, () => publicKeyId(pem)) !== id)
      throw new PkiUnusable(`${name} is another key than when it was planned: adopt again`);
  }
  return { version: 1, generations: [{ id, publicKey, ...(privateKey !== undefined && { privateKey }), since }], issuing: id };
}

function fileOf(files: Files, name: string): string {
  const content = files.get(name);
  if (content === undefined || content === '') throw new PkiUnusable(`the node did not hand over ${name}`);
  return content;
}

/** OpenSSL's own message stays away: it says nothing to an operator, and what it read is secret. */
function shown<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new PkiUnusable(`${name} cannot be read as PEM, or is encrypted`);
  }
}

/** What the secrets hold of the authorities. @throws PkiUnusable */
export async function heldAuthorities(secrets: PkiSecrets, names: readonly AuthorityName[]): Promise<HeldAuthority[]> {
  const found = await Promise.all(names.map((name) => secrets.authority(name)));
  return found.flatMap((secret): HeldAuthority[] => {
    const issuing = secret && signingIn(secret);
    if (secret === undefined || issuing === undefined) return [];
    const { subject, notAfter } = inspect(issuing.certificate);
    const key = issuing.key === undefined ? 'external' : 'held';
    return [{ authority: secret.authority, id: issuing.id, subject: subject.text, notAfter: notAfter.toISOString(), key }];
  });
}
