import { createHash } from 'node:crypto';
import { accountKeysOf } from '../accounts/verifying';
import type { AccountKeys } from '../accounts/verifying';
import { serversToRestart } from '../authorities/restarts';
import type { Server } from '../authorities/restarts';
import { issuingIn, trustedIn } from '../authorities/trust';
import { AuthorityName } from '../contract/certificate-names';
import type { AuthoritySecret } from '../contract/certificates';
import type { PkiSecrets } from './take-over';

/** An authority as it signs now for one node, and everything that is to be trusted of its kind there. */
export interface SigningAuthority {
  readonly id: string;
  readonly certificate: string;
  /** Missing for an external CA. */
  readonly key: string | undefined;
  /** PEM, served after each leaf. */
  readonly chain: readonly string[];
  /** PEM, the one that signs first. */
  readonly trusted: readonly string[];
  /** Whether the node is given what is trusted too: one that was never exchanged lies on its nodes since kubeadm put it there. */
  readonly distributed: boolean;
  /** What is started again when what is trusted changes. */
  readonly restarts: readonly Server[];
  /** The same as long as signer, chain and trust are the same. */
  readonly stamp: string;
}

export type SigningAuthorities = Readonly<Partial<Record<AuthorityName, SigningAuthority>>>;

/**
 * The authorities of the cluster as they sign now.
 *
 * @param host the node for which they sign. One may distrust before the others do
 * @throws PkiUnusable, StoreFailed
 */
export async function signingAuthorities(pki: Pick<PkiSecrets, 'authority'>, host: string): Promise<SigningAuthorities> {
  const found = await Promise.all(
    AuthorityName.options.map(async (name) => {
      const secret = await pki.authority(name);
      const signer = secret && signingFor(secret, host);
      return signer === undefined ? [] : [[name, signer] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

/** The keys of service accounts as they are distributed now; undefined where none were ever adopted. @throws PkiUnusable, StoreFailed */
export async function accountKeys(pki: Pick<PkiSecrets, 'serviceAccounts'>): Promise<AccountKeys | undefined> {
  const document = await pki.serviceAccounts();
  return document && accountKeysOf(document);
}

/** One authority as it signs for a node; undefined for a document that names none of its generations. */
export function signingFor(document: AuthoritySecret, host: string): SigningAuthority | undefined {
  const issuing = issuingIn(document);
  if (issuing === undefined) return undefined;
  const canary = document.rotation?.canary === host;
  const { ids, certificates } = trustedIn(document, { canary });
  const { id, certificate, key, chain } = issuing;
  return {
    ...{ id, certificate, key, chain, trusted: certificates },
    distributed: document.rotation !== undefined || document.generations.length > 1,
    restarts: serversToRestart(document, canary),
    stamp: createHash('sha256')
      .update(JSON.stringify([id, chain, ids]))
      .digest('hex'),
  };
}
