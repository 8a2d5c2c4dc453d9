// What can be asked of a control-plane node: the documents in nodes/ and their results.
import { z } from 'zod';
import type { NodeParameter, NodeParameterName } from './node-parameters';
import { NodeParameters } from './node-parameters';
import { CertificateFacts, HandedOver, InstalledCertificates, PreviousCertificates, SplitSigner } from './node-certificates';

const bytes = z.number().int().nonnegative();
const definition = z.enum(['in-place', 'kept', 'both', 'none']);

/** What a restore has done to the data directory: nothing, taken the old one away, put the restored one in its place; or somebody else did. */
const dataState = z.enum(['original', 'half-swapped', 'restored', 'unclear']);

/** What kube-apiserver says of itself at /readyz; null when it does not tell anonymous requests, or the node has no curl to ask it by. */
const ready = z.boolean().nullable();

/** What is there after a document changed something. */
const Now = z.object({
  data: dataState,
  etcd: z.object({ definition, running: z.boolean() }),
  apiserver: z.object({ definition, running: z.boolean(), ready }),
});

const seconds = z.number().nonnegative();
const Changed = z.object({ now: Now, seconds });

export const NodeFacts = z.object({
  host: z.string(),
  /** The document that runs on the node at this moment. */
  busyWith: z.string().nullable(),
  etcd: z.object({
    runs: z.enum(['static-pod', 'systemd', 'absent']),
    /** Where the static-pod manifest is, or whether the systemd unit was disabled by a restore (`kept`). */
    definition,
    keptBy: z.string().nullable(),
    running: z.boolean(),
    /** Whether its process has the database in the data directory open, and not one that was moved away under it. */
    servesLiveData: z.boolean(),
    listening: z.boolean(),
    name: z.string().nullable(),
    peerUrls: z.string().nullable(),
    clientUrl: z.string().nullable(),
    walDir: z.string().nullable(),
    image: z.string().nullable(),
    version: z.string().nullable(),
    /** What `systemctl is-enabled` calls its unit, such as `enabled` or `disabled`; null where no unit runs it. */
    unitIs: z.string().nullable(),
  }),
  apiserver: z.object({
    definition,
    keptBy: z.string().nullable(),
    running: z.boolean(),
    ready,
    /** host:port by which the node itself reaches it. */
    address: z.string().nullable(),
  }),
  /** null: nowhere to be found, as with etcd 3.4. `bumpRevision` is null where the program is still inside an image. */
  etcdutl: z
    .object({
      from: z.enum(['path', 'kept', 'process', 'image', 'other-release']),
      version: z.string(),
      bumpRevision: z.boolean().nullable(),
    })
    .nullable(),
  data: z
    .object({
      dir: z.string(),
      exists: z.boolean(),
      /** On a disk of its own the content is exchanged, since a mount point cannot be renamed. */
      ownDisk: z.boolean(),
      dbBytes: bytes.nullable(),
      /** The restore that made what etcd uses now; null for data that no restore made. */
      restoredBy: z.string().nullable(),
      /** The restores before that one. */
      restoredBefore: z.array(z.string()),
      kept: z.array(z.object({ restoreId: z.string(), kind: z.string(), bytes })),
      freeBytes: bytes,
      freeInodes: bytes.nullable(),
    })
    .nullable(),
  stage: z.object({ freeBytes: bytes, freeInodes: bytes.nullable(), sameDisk: z.boolean() }),
  restores: z.array(
    z.object({
      restoreId: z.string(),
      stagedBytes: bytes.nullable(),
      stagedSha256: z.string().nullable(),
      purpose: z.enum(['restore', 'replace']),
    }),
  ),
  /** Files in the manifest folder that would run a second etcd or API server. */
  strayManifests: z.array(z.string()),
  tools: z.object({ aws: z.boolean(), curl: z.boolean(), flock: z.boolean(), sha256sum: z.boolean() }),
});
export type NodeFacts = z.infer<typeof NodeFacts>;

interface Command {
  readonly about: string;
  readonly parameters: readonly NodeParameterName[];
  /** When the node's agent ends it. Longer than all waits inside, so that the document reports by itself. */
  readonly timeoutSeconds: number;
  /** How often it may wait for `waitSeconds`, by what it is asked to stop or start; `both` where it is not asked. */
  readonly waits?: Readonly<Record<string, number>>;
  /** What it needs besides these waits, seconds, where that is less than the time limit of the agent. */
  readonly workSeconds?: number;
  readonly result: z.ZodObject;
}

const PATHS = ['manifestDir', 'dataDir', 'stateDir'] as const;

export const NodeCommands = {
  facts: {
    about: 'tells what the node is and in what state a restore left it; changes nothing',
    parameters: PATHS,
    timeoutSeconds: 60,
    result: NodeFacts,
  },
  stage: {
    about: 'downloads the snapshot and proves it while everything serves; stops nothing',
    parameters: [
      ...PATHS,
      'restoreId',
      'snapshotUrl',
      'snapshotBytes',
      'snapshotSha256',
      'snapshotHash',
      'snapshotRevision',
      'bumpRevision',
    ],
    timeoutSeconds: 3600,
    result: z.object({
      was: z.enum(['absent', 'staged']),
      bytes,
      sha256: z.string(),
      hash: z.string(),
      revision: z.number(),
      totalKeys: z.number(),
      etcdutl: z.string(),
      freeBytes: bytes,
    }),
  },
  stop: {
    about: 'stops etcd, kube-apiserver or both and waits until they are gone',
    parameters: [...PATHS, 'restoreId', 'what', 'waitSeconds'],
    timeoutSeconds: 3300,
    // A unit of systemd is waited for twice: until systemctl has ended it, and until its process is gone.
    waits: { apiserver: 1, etcd: 2, both: 3 },
    workSeconds: 60,
    result: Changed,
  },
  'prepare-data': {
    about: 'makes data from the staged snapshot beside the old, while etcd serves',
    parameters: [...PATHS, 'restoreId', 'snapshotSha256', 'initialCluster', 'clusterToken', 'bumpRevision'],
    timeoutSeconds: 3600,
    result: Changed.extend({ bytes }),
  },
  'restore-data': {
    about: 'puts data made from the staged snapshot in the place of the old, which is kept beside it',
    parameters: [...PATHS, 'restoreId', 'snapshotSha256', 'initialCluster', 'clusterToken', 'bumpRevision'],
    timeoutSeconds: 3600,
    // Two renames. Ten minutes are for data that prepare-data made and somebody took away: 8 GiB are made again in less.
    workSeconds: 600,
    result: Changed.extend({ found: dataState, bytes: bytes.optional(), oldBytes: bytes.optional() }),
  },
  start: {
    about: 'starts etcd, kube-apiserver or both and waits until etcd listens and kube-apiserver is ready',
    parameters: [...PATHS, 'restoreId', 'what', 'waitSeconds'],
    timeoutSeconds: 2100,
    waits: { apiserver: 1, etcd: 1, both: 2 },
    workSeconds: 60,
    result: Changed,
  },
  'roll-back': {
    about: 'puts the node back to what it was before a restore, whatever point that had reached, and starts it',
    parameters: [...PATHS, 'restoreId', 'waitSeconds'],
    timeoutSeconds: 5400,
    waits: { both: 5 },
    // It removes data that was made and never used.
    workSeconds: 120,
    result: Changed.extend({ found: dataState, failedBytes: bytes }),
  },
  'clean-up': {
    about: 'removes what restores left, except the last two old data directories',
    parameters: PATHS,
    timeoutSeconds: 900,
    result: z.object({ freedBytes: bytes, usedBytes: bytes, kept: z.array(z.object({ restoreId: z.string(), bytes })) }),
  },
  leave: {
    about: 'stops etcd and sets its data aside, before its member is replaced',
    parameters: [...PATHS, 'restoreId', 'waitSeconds'],
    timeoutSeconds: 2100,
    waits: { both: 2 },
    workSeconds: 60,
    result: Changed.extend({ found: dataState, oldBytes: bytes }),
  },
  'join-member': {
    about: 'starts etcd with an empty disk as a member that the cluster has added',
    parameters: [...PATHS, 'restoreId', 'initialCluster', 'waitSeconds'],
    timeoutSeconds: 1200,
    waits: { both: 1 },
    workSeconds: 60,
    result: Changed,
  },
  'certificate-facts': {
    about: 'tells what certificates the node has and what they are for; changes nothing and needs no API server',
    parameters: ['manifestDir', 'stateDir', 'pkiDir', 'kubeletDir', 'podLogDir', 'part'],
    timeoutSeconds: 60,
    result: CertificateFacts,
  },
  'hand-over': {
    about: 'puts the authorities of the cluster with their keys into the secret that is named for that',
    parameters: ['stateDir', 'pkiDir', 'secretId'],
    timeoutSeconds: 300,
    result: HandedOver,
  },
  'install-certificates': {
    about: "puts the set of the node's own secret in place, waits until it is served, and puts the previous back when it is not",
    parameters: ['manifestDir', 'stateDir', 'pkiDir', 'kubeletDir', 'secretId', 'secretVersion', 'setSha256', 'waitSeconds'],
    timeoutSeconds: 2400,
    // Until the new are served, and until the previous are served again.
    waits: { both: 2 },
    workSeconds: 180,
    result: InstalledCertificates,
  },
  'previous-certificates': {
    about: 'puts back what install-certificates of one version replaced',
    parameters: ['manifestDir', 'stateDir', 'pkiDir', 'kubeletDir', 'secretVersion', 'waitSeconds'],
    timeoutSeconds: 1200,
    waits: { both: 1 },
    workSeconds: 120,
    result: PreviousCertificates,
  },
  'split-signer': {
    about: 'gives the signer of the controller-manager files of its own, so that pki/ca.crt may hold several authorities',
    parameters: ['manifestDir', 'stateDir', 'pkiDir', 'waitSeconds'],
    timeoutSeconds: 2400,
    // Until it runs with them, and until it runs as before.
    waits: { both: 2 },
    workSeconds: 60,
    result: SplitSigner,
  },
} as const satisfies Readonly<Record<string, Command>>;
export type NodeCommandName = keyof typeof NodeCommands;

/** How long a document may run that was given these parameters, seconds: its sender waits no longer, however long its agent would let it run. */
export function runSecondsOf(command: NodeCommandName, parameters: Readonly<Record<string, string>>): number {
  const { timeoutSeconds, waits = {}, workSeconds = timeoutSeconds }: Command = NodeCommands[command];
  const waitSeconds = Number(parameters['waitSeconds'] ?? NodeParameters.waitSeconds.default);
  return Math.min(timeoutSeconds, (waits[parameters['what'] ?? 'both'] ?? 0) * waitSeconds + workSeconds);
}
export type NodeResultOf<C extends NodeCommandName> = z.infer<(typeof NodeCommands)[C]['result']>;

/** Every name that `error` of a failed document can have. Each comes with a message and what to do. */
export const NodeErrorNames = [
  'ApiserverNotReady',
  'ApiserverNotRunning',
  'ApiserverStillRuns',
  'BumpUnsupported',
  'CertificatesInProgress',
  'CertificatesNotServed',
  'CertificatesUnclear',
  'DataDirDiffers',
  'DataUnclear',
  'DownloadDiffers',
  'DownloadFailed',
  'EtcdAbsent',
  'EtcdNotListening',
  'EtcdStillRuns',
  'EtcdutlMissing',
  'EtcdutlVersionDiffers',
  'FactsTooLarge',
  'HalfSwapped',
  'ManifestsDiffer',
  'MemberIsLive',
  'MemberUnclear',
  'NoAuthorities',
  'NoSpace',
  'NodeBusy',
  'NotARestore',
  'NotInInitialCluster',
  'NotStaged',
  'OldDataGone',
  'OtherRestore',
  'RestoreFailed',
  'RestoreInProgress',
  'RolledBack',
  'SecretRefused',
  'SeparateWalDir',
  'SetDiffers',
  'SetNotAccepted',
  'SetUnfit',
  'SignerNotSplit',
  'SignerUnclear',
  'SignerUnfit',
  'SnapshotDiffers',
  'SystemdJoinUnsupported',
  'ToolMissing',
  'UnexpectedFailure',
] as const;

/** The last line that a document prints when it failed. */
export const NodeFailure = z.object({
  ok: z.literal(false),
  command: z.string(),
  error: z.enum(NodeErrorNames),
  message: z.string(),
  fix: z.string(),
});
export type NodeFailure = z.infer<typeof NodeFailure>;

/** The name of a document in Systems Manager. */
export const nodeDocumentName = (cluster: string, command: NodeCommandName): string => `lifeboat-${cluster}-${command}`;

/** `snapshotUrl` is LIFEBOAT_SNAPSHOT_URL on the node. */
export const nodeVariable = (parameter: string): string => `LIFEBOAT_${parameter.replace(/[A-Z]/g, '_$&').toUpperCase()}`;

/** What a sender may give to a document, checked before it leaves: AWS checks it again by the same patterns. */
export function nodeParametersOf(command: NodeCommandName): z.ZodType<Readonly<Record<string, string>>> {
  const entries = NodeCommands[command].parameters.map((name) => {
    const { pattern, ...parameter }: NodeParameter = NodeParameters[name];
    const value = z
      .string()
      .regex(new RegExp(`^${pattern}$`), { error: ({ input }) => `${JSON.stringify(input)} does not match ${pattern}` });
    return [name, parameter.default === undefined ? value : value.optional()] as const;
  });
  return z.strictObject(Object.fromEntries(entries)) as z.ZodType<Readonly<Record<string, string>>>;
}
