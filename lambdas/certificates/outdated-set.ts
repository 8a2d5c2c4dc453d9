import type { AccountKeys } from '../accounts/verifying';
import { AuthorityName } from '../contract/certificate-names';
import type { NodeSetSecret } from '../contract/certificates';
import type { SigningAuthority } from './signing-authorities';

/** Names, addresses and ports of a node may be others by then; a rotation that is tried again comes within a day. */
const LONGEST_WAIT_DAYS = 2;

/**
 * Why a set that was minted and never installed is not to be installed any more; undefined while it is.
 *
 * @param authorities as they sign now
 * @param accounts the keys of service accounts as they are distributed now
 */
export function outdatedBecause(
  { mintedAt, signers, stamps = {} }: Pick<NodeSetSecret, 'mintedAt' | 'signers' | 'stamps'>,
  authorities: Readonly<Partial<Record<AuthorityName, Pick<SigningAuthority, 'id' | 'stamp'>>>>,
  now: Date,
  accounts?: Pick<AccountKeys, 'stamp'>,
): string | undefined {
  const days = (now.getTime() - new Date(mintedAt).getTime()) / 86_400_000;
  if (days > LONGEST_WAIT_DAYS) return `it was minted on ${mintedAt}, ${Math.floor(days)} days ago`;
  const other = AuthorityName.options.find((name) => signers[name] !== undefined && signers[name] !== authorities[name]?.id);
  if (other !== undefined) return `the ${other} authority signs by another generation than ${signers[other]?.slice(0, 16)}… by now`;
  const moved = AuthorityName.options.find((name) => stamps[name] !== undefined && stamps[name] !== authorities[name]?.stamp);
  const tokens = stamps['service-accounts'];
  if (tokens !== undefined && tokens !== accounts?.stamp) return 'other keys of service accounts are distributed by now';
  return moved && `what is trusted of the ${moved} authority on this node, or served by it, is another by now`;
}
