import type { AuthorityName, LeafName } from '../../lambdas/contract/certificate-names';
import { LEAVES } from '../../lambdas/contract/certificate-names';
import type { IssuedPair } from '../../lambdas/pki/issue';
import { issueLeaf, newAuthority } from '../../lambdas/pki/issue';
import { newRsaKey } from '../../lambdas/pki/keys';
import type { LeafProfile } from '../../lambdas/pki/profiles';
import { PROFILES } from '../../lambdas/pki/profiles';
import type { Pair } from '../../lambdas/pki/signer';

export const NOW = new Date('2026-11-26T12:00:00Z');
const DAY_MS = 86_400_000;
export const inDays = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);

/** Keys that tests share where the key is not the point: a new one takes longer than everything else here. */
const keys = new Map<string, string>();
export function sharedKey(name: string): string {
  const key = keys.get(name) ?? newRsaKey();
  keys.set(name, key);
  return key;
}

export const authority = (name: AuthorityName, generation = 1, notAfter = inDays(1825)): IssuedPair =>
  newAuthority(name, { generation, notAfter, now: NOW, key: sharedKey(`${name} ${generation}`) });

export const SANS = ['kubernetes.default.svc.cluster.local', '10.96.0.1', '10.0.0.4', 'fd00::4', 'api.prod.example.com'];
export const profileOf = (leaf: LeafName, sans: readonly string[] = SANS): LeafProfile => PROFILES[leaf]({ nodeName: 'cp-1', sans });

export const leafOf = (leaf: LeafName, by: Pair = authority(LEAVES[leaf].authority), notAfter = inDays(90)): IssuedPair =>
  issueLeaf(by, profileOf(leaf), { notAfter, now: NOW, key: sharedKey('leaf') });
