// What goes through the runbook that repairs a cluster whose certificates have ended.
import { z } from 'zod';
import { Finding } from './certificates';
import { InstanceId, NodeEnd, RestoreId, RunbookNode, Waiting } from './restore';

/** The input of an execution: `{}` repairs every node that has a certificate which does not do its work. */
export const RepairRequest = z.strictObject({
  /** Only these nodes. @default - all that need it */
  nodes: z.array(InstanceId).min(1).max(9).optional(),
  /** Repair them although all their certificates do their work. */
  force: z.boolean().default(false),
  waitForNodesSeconds: Waiting.waitForNodesSeconds,
});
export type RepairRequest = z.infer<typeof RepairRequest>;

/** A node that gets new certificates, and by which parameters it installs them. */
export const RepairedNode = RunbookNode.extend({ parameters: z.record(z.string(), z.string()), because: z.array(z.string()) });
export type RepairedNode = z.infer<typeof RepairedNode>;

export const RepairPlan = z.object({
  nodes: z.array(RepairedNode),
  /** Nodes that were asked and are not repaired, and why. */
  left: z.array(RunbookNode.extend({ because: z.string() })),
  /** Whether the functions' own client certificate for etcd was made anew. */
  etcdClient: z.enum(['kept', 'renewed', 'unknown']),
});
export type RepairPlan = z.infer<typeof RepairPlan>;

export const RepairOutcome = z.enum(['REPAIRED', 'NOTHING_TO_DO', 'REFUSED', 'NEEDS_HANDS']);
export type RepairOutcome = z.infer<typeof RepairOutcome>;

/** `clusters/<cluster>/pki/repairs/<execution>.json`, version 1. */
export const RepairReport = z.object({
  version: z.literal(1),
  kind: z.literal('repair'),
  restoreId: RestoreId,
  cluster: z.string(),
  outcome: RepairOutcome,
  endedAt: z.iso.datetime(),
  plan: RepairPlan.optional(),
  ends: z.array(NodeEnd.omit({ result: true })),
  /** What is still wrong afterwards. */
  findings: z.array(Finding),
  failure: z.object({ error: z.string(), because: z.string() }).optional(),
  whatToDo: z.array(z.string()),
});
export type RepairReport = z.infer<typeof RepairReport>;
