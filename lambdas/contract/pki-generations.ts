// Which generations of its PKI a cluster lives by: names alone, and no key. Snapshots carry it, so that a restore knows from which time its data is.
import { z } from 'zod';
import { ACCOUNTS_STATES, RotationState } from './authority-rotation';
import { AuthorityName } from './certificate-names';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What has generations: the authorities, and the key pairs of service accounts. */
export const PkiName = z.enum([...AuthorityName.options, 'service-accounts']);
export type PkiName = z.infer<typeof PkiName>;

/** One of them at one moment, by the ids of its generations. */
export const Era = z.object({
  issuing: Sha256,
  /** What everybody is given to trust; the one that signs first. Of service accounts: the keys by which tokens are verified. */
  trusted: z.array(Sha256).min(1),
  /** What is under way. */
  rotation: z.object({ id: z.string().min(1), state: z.union([RotationState, z.enum(ACCOUNTS_STATES)]) }).optional(),
});
export type Era = z.infer<typeof Era>;

/** Nothing where nothing is known: of a cluster that was never adopted, and in snapshots from before this was noted. */
export const Eras = z.partialRecord(PkiName, Era);
export type Eras = z.infer<typeof Eras>;

/**
 * `clusters/<cluster>/pki/generations.json`, version 1: what the secrets in Secrets Manager say, without their keys, for functions that may not
 * read those. The secrets decide; this is written anew after each change of them, and once a day.
 */
export const PkiGenerations = z.object({ version: z.literal(1), cluster: z.string().min(1), notedAt: z.iso.datetime(), eras: Eras });
export type PkiGenerations = z.infer<typeof PkiGenerations>;
