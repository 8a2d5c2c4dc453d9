import { LEAVES } from '../contract/certificate-names';
import type { AuthorityName, LeafName } from '../contract/certificate-names';
import type { DesiredLeaf } from './desired';
import { missingNames } from './names';
import type { Names } from './names';

/** Whether the public key of a certificate and the key beside it are a pair, as the node found by itself. */
export type PairState = 'matches' | 'differs' | 'no-key';

/** What is known of one certificate on a node. */
export interface PresentLeaf {
  readonly names: Names;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly usages: readonly string[];
  /** `O=…, CN=…`. */
  readonly subject: string;
  readonly pair: PairState;
  /** The generation that signed it, by its id; undefined when none of those known did. */
  readonly signedBy: string | undefined;
}

export type LeafVerdict =
  | { readonly leaf: LeafName; readonly action: 'keep'; readonly reason: 'fresh'; readonly message: string }
  | { readonly leaf: LeafName; readonly action: 'renew'; readonly reason: RenewReason; readonly message: string };

export type RenewReason =
  | 'missing'
  | 'unparsable'
  | 'key-mismatch'
  | 'wrong-issuer'
  | 'signer-generation-changed'
  | 'wrong-subject'
  | 'usage-wrong'
  | 'san-missing'
  | 'not-yet-valid'
  | 'expired'
  | 'expires-soon';

export interface Judging {
  readonly desired: DesiredLeaf;
  /** `undefined`: it is not there. `'unparsable'`: what is there is no certificate. */
  readonly present: PresentLeaf | 'unparsable' | undefined;
  /** What its profile gives it besides names. */
  readonly profile: Pick<PresentLeaf, 'usages' | 'subject'>;
  /** The generation of each authority that signs now. */
  readonly issuing: Readonly<Record<AuthorityName, string>>;
  readonly renewBeforeDays: number;
  readonly now: Date;
}

type Check = (
  judging: Judging & { readonly present: PresentLeaf },
) => { readonly reason: RenewReason; readonly message: string } | undefined;

const DAY_MS = 86_400_000;
/** The clock of a node may be a little behind that of whoever issued. */
const SKEW_MS = 5 * 60_000;

/**
 * Read from the top: the first thing that is wrong is the reason. A certificate whose key or issuer is wrong is broken whatever its names are, and
 * only one that is right in everything is asked how long it lasts.
 *
 * Days left and never a share of its life: kubeadm's leaves begin when their CA does, so that a share means nothing for them.
 */
const CHECKS: readonly Check[] = [
  ({ present }) => {
    if (present.pair === 'matches') return undefined;
    const message = present.pair === 'differs' ? 'the key beside it is another one’s' : 'its key is not there';
    return { reason: 'key-mismatch', message };
  },
  ({ present }) =>
    present.signedBy === undefined ? { reason: 'wrong-issuer', message: 'no authority of this cluster signed it' } : undefined,
  ({ present, desired, issuing }) =>
    present.signedBy === issuing[LEAVES[desired.leaf].authority]
      ? undefined
      : { reason: 'signer-generation-changed', message: `an older ${LEAVES[desired.leaf].authority} authority signed it` },
  ({ present, profile }) =>
    present.subject === profile.subject
      ? undefined
      : { reason: 'wrong-subject', message: `it names ${present.subject}, not ${profile.subject}` },
  ({ present, profile }) => {
    const lacking = profile.usages.filter((usage) => !present.usages.includes(usage));
    return lacking.length === 0 ? undefined : { reason: 'usage-wrong', message: `it is not for ${lacking.join(' and ')}` };
  },
  ({ present, desired }) => {
    const lacking = missingNames(desired.names, present.names);
    return lacking.length === 0 ? undefined : { reason: 'san-missing', message: `it does not name ${lacking.join(', ')}` };
  },
  ({ present, now }) =>
    present.notBefore.getTime() <= now.getTime() + SKEW_MS
      ? undefined
      : { reason: 'not-yet-valid', message: `it is valid from ${present.notBefore.toISOString()} on` },
  ({ present, now }) =>
    present.notAfter > now ? undefined : { reason: 'expired', message: `it ended on ${present.notAfter.toISOString()}` },
  ({ present, now, renewBeforeDays }) => {
    const left = daysLeft(present.notAfter, now);
    return left > renewBeforeDays
      ? undefined
      : { reason: 'expires-soon', message: `it ends on ${present.notAfter.toISOString()}, in ${Math.floor(left)} days` };
  },
];

/** What to do about one certificate of a node, and why. */
export function judgeLeaf(judging: Judging): LeafVerdict {
  const { present, desired, now } = judging;
  const { leaf } = desired;
  if (present === undefined) return { leaf, action: 'renew', reason: 'missing', message: 'it is not there' };
  if (present === 'unparsable') return { leaf, action: 'renew', reason: 'unparsable', message: 'what is there is no certificate' };
  for (const check of CHECKS) {
    const wrong = check({ ...judging, present });
    if (wrong !== undefined) return { leaf, action: 'renew', ...wrong };
  }
  return { leaf, action: 'keep', reason: 'fresh', message: `it lasts ${Math.floor(daysLeft(present.notAfter, now))} days more` };
}

export const daysLeft = (notAfter: Date, now: Date): number => (notAfter.getTime() - now.getTime()) / DAY_MS;
