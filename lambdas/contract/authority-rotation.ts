// How far the exchange of an authority by its next generation is, as it is noted beside the generations themselves.
import { z } from 'zod';
import { LeafName } from './certificate-names';
import { NODE_PROCESSES } from './node-certificates';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().min(1).max(200);
/** RFC 1123: what Kubernetes lets a node be called. */
const node = z.string().min(1).max(253);

/** In their order. Without a rotation an authority is steady; a closed one is steady again, with the next generation. */
export const ROTATION_STATES = ['MINTED', 'TRUSTED', 'ISSUING', 'SOAKING', 'DISTRUST-CANARY', 'DISTRUSTED'] as const;
export const RotationState = z.enum(ROTATION_STATES);
export type RotationState = z.infer<typeof RotationState>;

/** `compromise`: somebody else has the old key. It is distrusted at once, and that costs an interruption. */
export const RotationMode = z.enum(['planned', 'compromise']);
export type RotationMode = z.infer<typeof RotationMode>;

/** Where a generation is in its life. `next`: signs nothing yet. `outgoing`: signed until now. `closed`: only its certificate is kept. */
export const GenerationState = z.enum(['next', 'issuing', 'outgoing', 'closed']);
export type GenerationState = z.infer<typeof GenerationState>;

/** What documents from before the first rotation do not have. */
export const generationNotes = {
  /** Missing: it signs if it is the issuing one, and is trusted beside it if it is not. */
  state: GenerationState.optional(),
  /** Its name and key, signed by the generation before it: PEM. */
  cross: z.string().min(1).optional(),
  mintedAt: z.iso.datetime().optional(),
  /** The rotation that minted it. */
  mintedFor: text.optional(),
  distrustedAt: z.iso.datetime().optional(),
  /** When nothing of the cluster trusted it any more; its key was destroyed then. */
  closedAt: z.iso.datetime().optional(),
};

/** Few and short: they lie beside the keys, in one secret of 64 KiB. */
export const MOST_NAMED = 20;
const Named = z.array(z.string().max(300)).max(MOST_NAMED + 1);

/** So many nodes that were not Ready are known by their names, which have 8 KB then. */
export const MOST_UNREADY = 200;

export const Approval = z.object({ by: text, at: z.iso.datetime(), named: Named });
export type Approval = z.infer<typeof Approval>;

const Asked = { by: text, at: z.iso.datetime(), because: z.string().min(1).max(1000) };

export const AuthorityRotation = z.object({
  id: text,
  mode: RotationMode,
  since: z.iso.datetime(),
  /** The generation that goes, and the one that comes. */
  from: Sha256,
  to: Sha256,
  state: RotationState,
  stateSince: z.iso.datetime(),
  /** The host of the control-plane node that distrusts first. */
  canary: node.optional(),
  /** How long both are served, seconds. */
  soakSeconds: z.number().int().nonnegative().optional(),
  /** How long one place alone distrusts, seconds. */
  canarySeconds: z.number().int().nonnegative().optional(),
  /**
   * Which nodes were not Ready when it began, and what ran on each node of the control plane, with its leaves of the authority: what has died since is
   * missed. Without either in documents from before that was noted.
   */
  before: z
    .object({
      /** Missing where they were too many to be known by their names: then nobody is missed. */
      unready: z.array(node).max(MOST_UNREADY).optional(),
      nodes: z.array(z.object({ name: node, runs: z.array(z.enum(NODE_PROCESSES)), leaves: z.array(LeafName) })).optional(),
    })
    .optional(),
  /** The execution that drives it: its ARN. */
  driver: z.string().min(1).max(2_048).optional(),
  /** Since when the cross certificate is given to nobody any more, at the end of DISTRUSTED: who trusts the old generation alone is refused from then on. */
  crossDroppedAt: z.iso.datetime().optional(),
  /** When somebody first distrusted the old generation: from then on a process may be left that knows the new one alone. */
  distrustBegan: z.iso.datetime().optional(),
  /** What nobody here can see to, as whoever approves is told it. */
  named: Named.optional(),
  /** Who agreed that the old generation is distrusted. */
  approvedBy: text.optional(),
  /** The same with when, and what was named to him until then. */
  approval: Approval.optional(),
  /** Who says since then that those were seen to who are refused while the old generation is distrusted, and who they are. */
  refusalsSeen: Approval.optional(),
  /** From then on it only goes back. `in`: the state in which that was asked; missing in documents from before that was noted. */
  abortRequested: z.object({ ...Asked, in: RotationState.optional() }).optional(),
});
export type AuthorityRotation = z.infer<typeof AuthorityRotation>;

/** Of the key pair of service accounts: made, then both verify, then the new one signs, then nothing verifies by the old one any more. */
export const ACCOUNTS_STATES = ['MINTED', 'VERIFYING', 'SIGNING', 'DROPPING'] as const;
export const AccountsState = z.enum(ACCOUNTS_STATES);
export type AccountsState = z.infer<typeof AccountsState>;
export const AccountsRotation = AuthorityRotation.omit({ state: true, canary: true, canarySeconds: true }).extend({
  state: AccountsState,
  abortRequested: z.object({ ...Asked, in: AccountsState.optional() }).optional(),
  /** When the new key first signed: from then on somebody may hold a token by it. */
  signingBegan: z.iso.datetime().optional(),
});
export type AccountsRotation = z.infer<typeof AccountsRotation>;
