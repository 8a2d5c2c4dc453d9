// What goes through the restore runbook: its input, what each state hands on, and the report that it leaves in S3.
import { z } from 'zod';
import { Era, PkiName } from './pki-generations';
import { RestoreId } from './restore-events';
import { isSnapshotId } from './s3-keys';

export { RestoreId } from './restore-events';
export const InstanceId = z.string().regex(/^m?i-[0-9a-f]{8,17}$/, { error: 'is not an instance id such as i-0123456789abcdef0' });
const SnapshotId = z.string().refine(isSnapshotId, { error: 'is neither "latest" nor a snapshot id such as 20261123T182815Z-0a1b2c3d' });

/** Whom and what an execution waits for, in every runbook. */
export const Waiting = {
  approval: z.enum(['required', 'skip']).default('required'),
  /** How long somebody is waited for who approves, in seconds. */
  approvalSeconds: z
    .number()
    .int()
    .min(1)
    .max(7 * 86_400)
    .default(4 * 3600),
  /** How long a node is waited for that does not answer, in seconds: a reboot takes one to three minutes. */
  waitForNodesSeconds: z.number().int().min(0).max(3600).default(180),
};

/** The input of an execution: `{}` restores the newest verified snapshot after somebody approved it. */
export const RestoreRequest = z
  .strictObject({
    snapshot: z.union([z.literal('latest'), SnapshotId]).default('latest'),
    ...Waiting,
    /** Ends after everything was staged and proven, before anything is stopped. */
    dryRun: z.boolean().default(false),
    /** Whether a snapshot is taken first of what the cluster holds now. An etcd that is known to be dead only makes one wait for it. */
    safetySnapshot: z.boolean().default(true),
    allowUnverified: z.boolean().default(false),
    /** Restore although the revision cannot be raised (etcdutl before 3.5.10): every client of the API must then be restarted. */
    allowNoBump: z.boolean().default(false),
    /** Only these nodes: the ones that are left of the control plane, or fresh ones elsewhere. */
    nodes: z.array(InstanceId).min(1).max(9).optional(),
    /** Restores to see whether it can be done, and puts the nodes back afterwards. Only on nodes that carry the drill tag. */
    drill: z.boolean().default(false),
    /** The name of an execution that was aborted in its middle: the nodes are put back to what they were before it. */
    rollBack: RestoreId.optional(),
  })
  .superRefine(({ rollBack, drill, dryRun, snapshot, allowUnverified, safetySnapshot }, context) => {
    if (rollBack === undefined) return;
    const changed = { drill, dryRun, allowUnverified, snapshot: snapshot !== 'latest', safetySnapshot: !safetySnapshot };
    const given = Object.entries(changed).filter(([, set]) => set);
    for (const [key] of given) context.addIssue({ code: 'custom', path: [key], message: 'says nothing together with rollBack' });
  });
export type RestoreRequest = z.infer<typeof RestoreRequest>;

/** What the clock starts a drill on machines with: nobody is asked, since nothing that serves is touched. */
export const DRILL_ON_MACHINES = { drill: true, approval: 'skip' } as const satisfies z.input<typeof RestoreRequest>;

/** What is restored: the control plane itself, fresh nodes elsewhere, or nothing: an earlier execution is undone. */
export const RestoreMode = z.enum(['in-place', 'elsewhere', 'drill', 'roll-back']);
export type RestoreMode = z.infer<typeof RestoreMode>;

/** The tags by which nodes are found: those of the control plane, and machines on which restores are only tried. */
export const NodeTags = z.object({
  controlPlane: z.object({ key: z.string(), value: z.string() }),
  drill: z.object({ key: z.string(), value: z.string() }),
});
export type NodeTags = z.infer<typeof NodeTags>;

export const RunbookNode = z.object({ instanceId: InstanceId, host: z.string() });
export type RunbookNode = z.infer<typeof RunbookNode>;

/** How one document ended on one node, as the runbook hands it on. */
export const NodeEnd = RunbookNode.extend({
  outcome: z.enum(['done', 'failed', 'timed-out', 'undeliverable', 'garbled', 'lost']),
  /** The name that the document gave its failure; the outcome itself otherwise. */
  error: z.string().optional(),
  because: z.string().optional(),
  fix: z.string().optional(),
  result: z.unknown().optional(),
});
export type NodeEnd = z.infer<typeof NodeEnd>;

/**
 * What it means for one part of the PKI that the data is from the time of a snapshot. `same`: nothing. `heal`: what the data says of it is brought to
 * what serves now, after the restore. `tell`: somebody has to look.
 */
export const PlannedEra = z.object({
  of: PkiName,
  /** Null where nobody knew, or knows. */
  then: Era.nullable(),
  now: Era.nullable(),
  decision: z.enum(['same', 'heal', 'tell']),
  because: z.string(),
});
export type PlannedEra = z.infer<typeof PlannedEra>;

const parameters = z.record(z.string(), z.string());

/** The plan of one restore: everything that the states after it need, and what a person decides by. */
export const RestorePlan = z.object({
  version: z.literal(1),
  restoreId: RestoreId,
  cluster: z.string(),
  mode: RestoreMode,
  madeAt: z.iso.datetime(),
  snapshot: z.object({
    id: z.string(),
    takenAt: z.iso.datetime(),
    lineage: z.string(),
    revision: z.number().int(),
    compactRevision: z.number().int(),
    verified: z.boolean(),
    etcd: z.string(),
    objects: z.number().int(),
    plainBytes: z.number().int(),
    inventory: z.record(z.string(), z.number().int()),
  }),
  /** The members that there will be, each on a node of its own. */
  members: z.array(RunbookNode.extend({ name: z.string(), peerUrls: z.string(), endpoint: z.string() })),
  /** Nodes on which an API server runs. */
  apiNodes: z.array(RunbookNode),
  endpoints: z.array(z.string()),
  bump: z.object({ needed: z.boolean(), estimate: z.number().int(), servedUpTo: z.number().int(), because: z.string() }),
  loss: z.object({
    /** Revisions that the live cluster is ahead of the snapshot; missing when no member answered. */
    revisions: z.number().int().optional(),
    seconds: z.number(),
    /** Live objects less those of the snapshot, where they differ. */
    objects: z.record(z.string(), z.number().int()),
  }),
  /** Of each part of the PKI of which anything is known; the nodes' own files stay as they are. */
  pki: z.array(PlannedEra).default([]),
  warnings: z.array(z.string()),
  /** Where it was planned again after people had approved: when the plan was made that they saw, and what they could not know. */
  approved: z.object({ madeAt: z.iso.datetime(), since: z.array(z.string()) }).optional(),
  /** For the documents, by the name of the state that sends them. */
  parameters: z.object({
    stage: parameters,
    stopApiserver: parameters,
    stopEtcd: parameters,
    restoreData: parameters,
    startEtcd: parameters,
    startApiserver: parameters,
  }),
});
export type RestorePlan = z.infer<typeof RestorePlan>;

/**
 * What of the plan goes from state to state. Step Functions carries 256 KiB, and the objects of thousands of kinds of resources would fill
 * that: they stay in plan.json.
 */
export const HandedPlan = RestorePlan.omit({ loss: true }).extend({ snapshot: RestorePlan.shape.snapshot.omit({ inventory: true }) });
export type HandedPlan = z.infer<typeof HandedPlan>;

/** How an execution ended. */
export const RestoreOutcome = z.enum(['RESTORED', 'DRILLED', 'DRY_RUN', 'UNHARMED', 'ROLLED_BACK', 'NEEDS_HANDS']);
export type RestoreOutcome = z.infer<typeof RestoreOutcome>;

/** What an execution in the mode `drill` says of its snapshot; `silent`: nothing, since it was not held or only looked. */
export const DrillVerdict = z.enum(['passed', 'failed', 'silent']);
export type DrillVerdict = z.infer<typeof DrillVerdict>;

/**
 * What whoever approved gave as the output of the task: anything at all. Only a name is kept of it.
 *
 * Nobody was asked where it is missing.
 */
export const Approval = z
  .object({ approvedBy: z.string().trim().min(1).max(200) })
  .optional()
  .catch(undefined);

/**
 * `clusters/<cluster>/restores/<execution>/report.json`, version 1. That of a roll-back lies under the name of its own execution, and says by
 * `restoreId` which restore it undid.
 */
export const RestoreReport = z.object({
  version: z.literal(1),
  restoreId: RestoreId,
  cluster: z.string(),
  mode: RestoreMode,
  outcome: RestoreOutcome,
  endedAt: z.iso.datetime(),
  snapshot: z.string().optional(),
  /** As that somebody gave it; whoever has the token can give any name. */
  approvedBy: z.string().optional(),
  /** What was found after the approval and did not speak against it. */
  sinceApproval: z.array(z.string()).optional(),
  /** What made it end otherwise than asked. */
  failure: z.object({ state: z.string().optional(), error: z.string(), because: z.string() }).optional(),
  drill: DrillVerdict.optional(),
  bump: z.object({ by: z.number().int(), to: z.number().int() }).optional(),
  newLineage: z.string().optional(),
  /** What the name of the API leads to afterwards; missing where the config names none. */
  apiName: z.string().optional(),
  safetySnapshot: z.string(),
  /** Seconds by the name of the state. */
  phases: z.array(z.object({ state: z.string(), startedAt: z.iso.datetime(), seconds: z.number().nonnegative() })),
  /** From the first stop to the check that etcd serves again; missing when nothing was stopped. */
  downtimeSeconds: z.number().nonnegative().optional(),
  nodes: z.array(z.object({ instanceId: z.string(), host: z.string(), state: z.string(), data: z.string(), because: z.string() })),
  /** Where anything was known of the PKI then or now. */
  pki: z.array(PlannedEra.pick({ of: true, decision: true, because: true })).optional(),
  /** The execution that brings what the data says of it to what serves now, or why there is none. */
  healing: z.string().optional(),
  whatToDo: z.array(z.string()),
});
export type RestoreReport = z.infer<typeof RestoreReport>;
