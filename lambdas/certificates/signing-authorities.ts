import { trustedIn } from '../authorities/trust';
import { AuthorityName } from '../contract/certificate-names';
import type { SigningAuthority } from './minted-set';
import type { PkiSecrets } from './take-over';

/** The authorities of the cluster as they sign now. @throws PkiUnusable, StoreFailed */
export async function signingAuthorities(
  pki: Pick<PkiSecrets, 'authority'>,
): Promise<Readonly<Partial<Record<AuthorityName, SigningAuthority>>>> {
  const found = await Promise.all(
    AuthorityName.options.map(async (name) => {
      const secret = await pki.authority(name);
      const issuing = secret?.generations.find(({ id }) => id === secret.issuing);
      if (secret === undefined || issuing === undefined) return [];
      const { id, certificate, key } = issuing;
      const signer: SigningAuthority = { id, certificate, key, trusted: trustedIn(secret).certificates };
      return [[name, signer] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}
