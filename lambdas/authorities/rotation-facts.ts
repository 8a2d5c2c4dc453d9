import type { RotationMode, RotationState } from '../contract/authority-rotation';
import type { AuthorityName, LeafName } from '../contract/certificate-names';
import type { AuthoritySecret } from '../contract/certificates';
import type { Component } from './restarts';

/** What is known of a node before a rotation. */
export interface NodeFacts {
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
  /** Whether it told of its files in this round. */
  readonly told: boolean;
  /** Seconds between its clock and the one of whoever asked; undefined where it did not tell. */
  readonly clockOff?: number;
  /** Whether the controller-manager signs by a file apart from those that are trusted; undefined where it is not known, or none runs. */
  readonly signer?: 'split' | 'shared';
  readonly runs: readonly Component[];
  /** By which generation each leaf is signed, SHA-256 of its certificate; undefined for a stranger. */
  readonly leaves: readonly { readonly leaf: LeafName; readonly issuer: string | undefined; readonly keyType: string }[];
}

export interface RotationFacts {
  readonly now: Date;
  /** The secret of the authority; undefined for a cluster that was never adopted. */
  readonly document: AuthoritySecret | undefined;
  /** Rotations of any authority, and of the key pair of service accounts. */
  readonly underWay: readonly { readonly of: AuthorityName | 'service-accounts'; readonly id: string; readonly state: string }[];
  readonly lockedBy?: string;
  readonly nodes: readonly NodeFacts[];
  /** Nodes that the cluster or the lifeboat knows of and that were not found. */
  readonly missing: readonly string[];
  /** Undefined where etcd did not answer. */
  readonly etcd: { readonly voters: number; readonly healthy: number; readonly learners: number } | undefined;
  /** The newest snapshot that was verified. */
  readonly snapshot: { readonly id: string; readonly takenAt: Date } | undefined;
}

export interface RotationRequest {
  readonly id: string;
  readonly authority: AuthorityName;
  readonly mode: RotationMode;
  /** How long both are served, seconds. @default 604800 for the cluster's authority, whose clients are people and pods too, and 3600 for others */
  readonly soakSeconds?: number;
  /** The holder of the lock for whom this is done. */
  readonly onBehalfOf?: string;
  /** The control-plane node that distrusts first. @default - the first by name */
  readonly canary?: string;
}

export interface Limits {
  readonly snapshotYoungerThanSeconds: number;
  readonly clockOffSeconds: number;
  readonly canarySeconds: number;
  /** What work on one node takes in one state, at most. */
  readonly nodeSeconds: number;
}

export const LIMITS: Limits = { snapshotYoungerThanSeconds: 3_600, clockOffSeconds: 60, canarySeconds: 1_800, nodeSeconds: 300 };

/**
 * So long the apiserver may take to use a new client certificate, seconds: 128 were measured for the one towards kubelets, since it reads the file
 * each minute and looks at the connections each five. It takes the one of the front proxy within 0.3 s, which nobody can see from outside either.
 */
export const KUBELET_CLIENT_SECONDS = 128;

const SOAK_SECONDS: Readonly<Record<AuthorityName, number>> = { cluster: 7 * 86_400, etcd: 3_600, 'front-proxy': 3_600 };

/** Seconds that a state lasts at least, beside the work in it. */
export function waitIn(state: RotationState, { authority, soakSeconds, mode }: RotationRequest, limits: Limits): number {
  // Without the cross certificate, as long as one place alone distrusted: somebody may be found who needs it.
  if (state === 'DISTRUSTED' && mode === 'planned') return limits.canarySeconds;
  if (state === 'SOAKING') return soakSeconds ?? SOAK_SECONDS[authority];
  if (state === 'DISTRUST-CANARY') return limits.canarySeconds;
  return state === 'ISSUING' && authority !== 'etcd' ? KUBELET_CLIENT_SECONDS : 0;
}
