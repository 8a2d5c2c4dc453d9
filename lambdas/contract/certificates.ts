// The PKI of a cluster as it lies in Secrets Manager, and what goes through its adoption.
import { z } from 'zod';
import { AccountsRotation, AuthorityRotation, generationNotes } from './authority-rotation';
import { AuthorityName, Exchangeable, LeafName } from './certificate-names';
import { RestoreId, RunbookNode, Waiting } from './restore';

export const pkiSecretsPrefix = (cluster: string): string => `lifeboat/${cluster}/pki/`;
export const authoritySecretName = (cluster: string, authority: AuthorityName): string =>
  `${pkiSecretsPrefix(cluster)}authorities/${authority}`;
export const serviceAccountsSecretName = (cluster: string): string => `${pkiSecretsPrefix(cluster)}service-accounts`;
/** Into this one a node puts what it hands over; it is emptied as soon as that was taken. */
export const handOverSecretName = (cluster: string): string => `${pkiSecretsPrefix(cluster)}hand-over`;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().min(1);

const TurnedBack = z.object({ rotation: text, by: text, because: z.string().max(1000), at: z.iso.datetime() });

/** One CA of its kind, and the next ones after it: oldest first. */
export const AuthoritySecret = z.object({
  version: z.literal(1),
  authority: AuthorityName,
  generations: z
    .array(
      z.object({
        /** SHA-256 of the certificate's DER. */
        id: Sha256,
        certificate: text,
        /** Missing for an external CA, what it signs is asked for elsewhere; and for one that was closed. */
        key: text.optional(),
        since: z.iso.datetime(),
        ...generationNotes,
      }),
    )
    .min(1),
  /** The generation that signs now. */
  issuing: Sha256,
  /** The one that is under way, if any. */
  rotation: AuthorityRotation.optional(),
  /** The last one, where somebody thought better of it: then none begins by itself. */
  turnedBack: TurnedBack.optional(),
});
export type AuthoritySecret = z.infer<typeof AuthoritySecret>;
export type Generation = AuthoritySecret['generations'][number];
/** What Secrets Manager stores of a value, in bytes. */
export const SECRET_BYTES = 65_536;

/** The key pairs by which tokens of service accounts are signed: oldest first. */
export const ServiceAccountsSecret = z.object({
  version: z.literal(1),
  generations: z
    .array(
      z.object({
        /** SHA-256 of the public key as SPKI, which the `kid` of a token has in base64url. */
        id: Sha256,
        publicKey: text,
        /** Missing where it is kept elsewhere, and for one that was closed. */
        privateKey: text.optional(),
        since: z.iso.datetime(),
        state: generationNotes.state,
        mintedAt: generationNotes.mintedAt,
        mintedFor: generationNotes.mintedFor,
        closedAt: generationNotes.closedAt,
      }),
    )
    .min(1),
  /** The one that signs now. */
  issuing: Sha256,
  rotation: AccountsRotation.optional(),
  /** The last one, where somebody thought better of it. */
  turnedBack: TurnedBack.optional(),
});
export type ServiceAccountsSecret = z.infer<typeof ServiceAccountsSecret>;
export type KeyGeneration = ServiceAccountsSecret['generations'][number];

/** The set of certificates of one control-plane node; rotated by the contract of Secrets Manager. */
export const nodeSecretName = (cluster: string, instanceId: string): string => `${pkiSecretsPrefix(cluster)}nodes/${instanceId}`;

/** The leaves that a port serves. */
export const SERVING_LEAVES = ['apiserver', 'etcd/server', 'etcd/peer'] as const;

export const NodeSetSecret = z.object({
  version: z.literal(1),
  node: RunbookNode.extend({ nodeName: text }),
  mintedAt: z.iso.datetime(),
  /** The generation of each authority that signed. */
  signers: z.partialRecord(AuthorityName, Sha256),
  /** What is in the archive, by the SHA-256 of each certificate's DER. */
  certificates: z.array(z.object({ leaf: LeafName, sha256: Sha256, serial: text, notAfter: z.iso.datetime() })),
  /** Certificates that are to be trusted of each authority, PEM. */
  trusted: z.partialRecord(AuthorityName, text),
  /** What each authority, and the key pair of service accounts, was when the set was made, for this node: a set with another one is to be replaced. */
  stamps: z.partialRecord(Exchangeable, Sha256).optional(),
  /** Where the node's certificates are served, as others reach it. */
  ports: z.array(z.object({ leaf: z.enum(SERVING_LEAVES), host: text, port: z.number().int().positive() })),
  /**
   * tar.gz in base64: `pki/<leaf>.crt`, `pki/<leaf>.key`, `kubeconfigs/<file>`; of an authority that was ever exchanged what is trusted too,
   * `pki/ca.crt` and the like, with `pki/signer/ca.crt` and `restarts`; once the key pair of service accounts was, `pki/sa.key` and `pki/sa.pub`.
   * The node takes it apart.
   */
  archive: text,
});
export type NodeSetSecret = z.infer<typeof NodeSetSecret>;

/** What a node hands over: tar.gz in base64, with `pki/ca.crt`, `pki/ca.key`, `pki/etcd/ca.crt`, `pki/sa.key` … */
export const HandOver = z.object({ version: z.literal(1), archive: text });

/** The input of an execution: `{}` takes over what the nodes have. */
export const AdoptRequest = z.strictObject({
  /** For a cluster that does not exist yet: makes its authorities, and says how `kubeadm init` is given them. */
  mint: z.boolean().default(false),
  waitForNodesSeconds: Waiting.waitForNodesSeconds,
});
export type AdoptRequest = z.infer<typeof AdoptRequest>;

/** Something that somebody should know of, and what to do. */
export const Finding = z.object({
  /** `wrong`: a certificate or a file that does not do its work. `soon`: it will stop to. `note`: nothing to do now. */
  severity: z.enum(['wrong', 'soon', 'note']),
  /** The node, or all. */
  where: text,
  what: text,
  fix: text,
});
export type Finding = z.infer<typeof Finding>;

export const PlannedAuthority = z.object({
  authority: AuthorityName,
  id: Sha256,
  subject: text,
  notAfter: z.iso.datetime(),
  /** `import`: its key comes from a node. `held`: the lifeboat has it. `external`: no node has its key. */
  key: z.enum(['import', 'held', 'external']),
  /** Whether its secret has the certificate already. */
  stored: z.boolean(),
});
export type PlannedAuthority = z.infer<typeof PlannedAuthority>;

/** What an adoption will take from where; nothing in it is secret. */
export const AdoptionPlan = z.object({
  restoreId: RestoreId,
  authorities: z.array(PlannedAuthority),
  serviceAccounts: z.object({ id: Sha256, key: z.enum(['import', 'held', 'external']), stored: z.boolean() }).optional(),
  /** The node that hands keys over: one, or none when there is nothing to import. */
  handOver: z.array(RunbookNode).max(1),
  nodes: z.array(RunbookNode.extend({ nodeName: text, leaves: z.number().int().nonnegative() })),
  findings: z.array(Finding),
});
export type AdoptionPlan = z.infer<typeof AdoptionPlan>;

/** An authority that the lifeboat holds; nothing in it is secret. */
export const HeldAuthority = z.object({
  authority: AuthorityName,
  id: Sha256,
  subject: text,
  notAfter: z.iso.datetime(),
  key: z.enum(['held', 'external']),
});
export type HeldAuthority = z.infer<typeof HeldAuthority>;

export const AdoptionOutcome = z.enum(['ADOPTED', 'UNCHANGED', 'MINTED', 'REFUSED', 'FAILED']);
export type AdoptionOutcome = z.infer<typeof AdoptionOutcome>;

/** `clusters/<cluster>/pki/adoptions/<execution>.json`, version 1. */
export const AdoptionReport = z.object({
  version: z.literal(1),
  kind: z.literal('adoption'),
  restoreId: RestoreId,
  cluster: z.string(),
  outcome: AdoptionOutcome,
  endedAt: z.iso.datetime(),
  /** What the lifeboat holds when it ended. */
  authorities: z.array(HeldAuthority),
  serviceAccounts: z.object({ id: Sha256, key: z.enum(['held', 'external']) }).optional(),
  nodes: z.array(RunbookNode.extend({ nodeName: text, leaves: z.number().int().nonnegative() })),
  findings: z.array(Finding),
  failure: z.object({ error: z.string(), because: z.string() }).optional(),
  whatToDo: z.array(z.string()),
});
export type AdoptionReport = z.infer<typeof AdoptionReport>;
