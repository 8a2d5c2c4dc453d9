import { generateKeyPairSync } from 'node:crypto';
import type { ServiceAccountsSecret } from '../../lambdas/contract/certificates';
import { publicKeyId } from '../../lambdas/accounts/key-id';
import { mintPair } from '../../lambdas/accounts/key-generations';
import type { KeyPair } from '../../lambdas/accounts/new-pair';

export const NOW = new Date('2026-11-27T12:00:00.000Z');
export const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1_000);

const made: KeyPair[] = [];
/** The pairs of this process, made once each: on P-256, since that takes no time. */
export function pair(number: number): KeyPair {
  return (made[number] ??= generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  }));
}
export const idOf = (number: number): string => publicKeyId(pair(number).publicKey);

/** As an adoption leaves it. */
export const adoptedPair = (): ServiceAccountsSecret => ({
  version: 1,
  generations: [{ id: idOf(1), ...pair(1), since: NOW.toISOString() }],
  issuing: idOf(1),
});

export const mintedPair = (mode: 'planned' | 'compromise' = 'planned', id = 'r-1'): ServiceAccountsSecret =>
  mintPair(adoptedPair(), pair(2), { id, mode, now: NOW });
