import type { ClusterSeen, ProcessSeen } from '../authorities/common-checks';
import type { Component } from '../authorities/restarts';
import type { AccountsRotation } from '../contract/authority-rotation';

/** A Secret with a token that never expires, by which key it was signed, and when it was used last, as far as the cluster notes that. */
export interface LegacyToken {
  readonly namespace: string;
  readonly name: string;
  /** As its generation is called; undefined for a token that names none. */
  readonly key: string | undefined;
  /** `2026-11-26`; undefined where the cluster notes none. */
  readonly lastUsed: string | undefined;
}

/** What one API server showed, asked by itself and not through a balancer. */
export interface ApiServerSeen {
  /** The node. */
  readonly place: string;
  /** By which keys it verifies, out of its memory: /openid/v1/jwks. Undefined where it did not tell. */
  readonly verifies: readonly string[] | undefined;
  /** By which key the token is signed that it was asked for. */
  readonly signs: string | undefined;
  /** Whether the others accept that token: undefined for one that did not answer. */
  readonly acceptedBy: readonly { readonly place: string; readonly accepted: boolean | undefined }[];
}

/** What a node told of its files, and of who reads them at his start alone. */
export interface AccountFilesSeen {
  readonly name: string;
  /** Keys in sa.pub, in their order. */
  readonly verifies: readonly string[];
  /** Whether sa.key is that of the first of them. */
  readonly signsByFirst: boolean;
  /** All components that run. */
  readonly runs: readonly Component[];
  /** Of those that read the keys. */
  readonly processes: readonly ProcessSeen[];
  /** When sa.key was written. */
  readonly keyWrittenAt?: Date;
}

/** What was found in one round. */
export interface AccountsObservation extends ClusterSeen {
  readonly rotation: AccountsRotation;
  readonly expected: ClusterSeen['expected'] & {
    /** Keys that verify now, the one that signs first. */
    readonly keys: readonly string[];
  };
  readonly nodes?: readonly AccountFilesSeen[];
  readonly apiServers?: readonly ApiServerSeen[];
  readonly legacy?: readonly LegacyToken[];
}

/** Of whom nobody can say that he ends with the key that goes; in the order of their names. */
export const legacyTokensBy = (legacy: readonly LegacyToken[], stays: readonly string[]): readonly LegacyToken[] =>
  legacy
    .filter(({ key }) => key === undefined || !stays.includes(key))
    .sort((one, other) => `${one.namespace}/${one.name}`.localeCompare(`${other.namespace}/${other.name}`));

/** How a person is told of one. The words at its beginning are those by which it is known for a matter of approval. */
export const legacyTokenText = ({ namespace, name, key, lastUsed }: LegacyToken, old: string): string =>
  `the legacy token ${namespace}/${name} is by ${key === old ? 'the old key' : key === undefined ? 'a key that it does not name' : 'a key that nobody knows'}, and never ends by itself (${lastUsed === undefined ? 'no last use is noted' : `last used ${lastUsed}`}): have its users ask for tokens that end, and delete the Secret`;

/** So many are told by their names: a message of SNS has 256 KiB. */
export const MOST_TOKENS = 200;

/** What people are told at the end of those that are refused from then on. */
export function refusedTokens(legacy: readonly LegacyToken[], stays: string): string[] {
  const left = legacyTokensBy(legacy, [stays]);
  const told = left
    .slice(0, MOST_TOKENS)
    .map(({ namespace, name }) => `the token that never ends of the Secret ${namespace}/${name} is refused now: delete the Secret`);
  return left.length > MOST_TOKENS ? [...told, `and ${left.length - MOST_TOKENS} more`] : told;
}
