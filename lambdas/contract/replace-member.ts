// What goes through the runbook that replaces one member of etcd.
import { z } from 'zod';
import { InstanceId, RestoreId, RunbookNode, Waiting } from './restore';

/** The input of an execution. */
export const ReplaceRequest = z.strictObject({
  /** Where the new member will run: normally the node whose member is dead. */
  node: InstanceId,
  /** The member that is replaced, by its name or its hexadecimal id. Only needed where it cannot be told from the node. */
  member: z.string().min(1).optional(),
  /** Replace it although it answers. */
  force: z.boolean().default(false),
  /** Go on although an even number of voting members comes of it: on the way to one more. */
  allowEven: z.boolean().default(false),
  ...Waiting,
});
export type ReplaceRequest = z.infer<typeof ReplaceRequest>;

/** What the states after the plan need, and what a person decides by. */
export const ReplacementPlan = z.object({
  restoreId: RestoreId,
  /** The name by which the documents know what they did on the node: of an earlier replacement when that had stopped etcd and did not end. */
  record: RestoreId,
  node: RunbookNode,
  /** `promote`: an earlier replacement has come so far that only this is left. */
  from: z.enum(['leave', 'promote']),
  /** The id of the member that is removed; missing where there is none any more. */
  remove: z.string().optional(),
  /** The id of the learner that is there already; missing where it is still to be added. */
  learner: z.string().optional(),
  name: z.string(),
  peerUrls: z.array(z.string()).min(1),
  clientUrl: z.url(),
  /** As etcd takes it: every member that there will be. */
  initialCluster: z.string(),
  /** Voting members when all is done. */
  voters: z.number().int().positive(),
  /** For people: what will happen. */
  message: z.string(),
});
export type ReplacementPlan = z.infer<typeof ReplacementPlan>;

/** How an execution ended. `LEFT_OUT`: the dead member is removed and the cluster serves without it, but no new one has come. */
export const ReplaceOutcome = z.enum(['REPLACED', 'REFUSED', 'LEFT_OUT', 'NEEDS_HANDS']);
export type ReplaceOutcome = z.infer<typeof ReplaceOutcome>;

/** `clusters/<cluster>/restores/<restoreId>/report.json` of a replacement. */
export const ReplaceReport = z.object({
  version: z.literal(1),
  kind: z.literal('replacement'),
  restoreId: RestoreId,
  cluster: z.string(),
  outcome: ReplaceOutcome,
  endedAt: z.iso.datetime(),
  plan: ReplacementPlan.optional(),
  approvedBy: z.string().optional(),
  failure: z.object({ error: z.string(), because: z.string() }).optional(),
  /** Voting members by name, as far as they are known. */
  members: z.array(z.string()),
  /** What the name of the API leads to afterwards; missing where the config names none. */
  apiName: z.string().optional(),
  whatToDo: z.array(z.string()),
});
export type ReplaceReport = z.infer<typeof ReplaceReport>;
