import { z } from 'zod';
import { RestoreId } from '../contract/restore';
import type { RestorePlan } from '../contract/restore';
import { parsePlan } from './stored-plan';
import { tellPeople } from './tell-people';
import type { TellingEdges } from './tell-people';

export const ApprovalEvent = z.object({ restoreId: RestoreId, token: z.string().min(1), execution: z.string() });
export type ApprovalEvent = z.infer<typeof ApprovalEvent>;

export interface ApprovalEdges extends TellingEdges {
  readonly readPlan: () => Promise<string | undefined>;
  /** Puts the question where it can be found when no message comes through. */
  readonly write: (text: string) => Promise<void>;
}

/** Asks people, and ends: the state machine waits for whoever answers with the token. */
export async function askApproval(
  { readPlan, ...edges }: ApprovalEdges,
  { restoreId, token, execution }: ApprovalEvent,
): Promise<{ readonly told: boolean }> {
  const plan = parsePlan(restoreId, await readPlan());
  return putQuestion(edges, `kube-lifeboat ${plan.cluster}: approve the restore`, approvalMessage(plan, token, execution));
}

/** What will happen, what is lost, and the two commands. */
export function approvalMessage(plan: RestorePlan, token: string, execution: string): string {
  const { cluster, mode, snapshot, members, loss, bump, warnings } = plan;
  const objects = Object.entries(loss.objects).map(([name, difference]) =>
    difference > 0 ? `  ${difference} ${name} are gone` : `  ${-difference} ${name} come back`,
  );
  return [
    `${WHAT[mode]} of the control plane of ${cluster}, execution ${plan.restoreId}`,
    '',
    `Snapshot ${snapshot.id}, taken ${age(loss.seconds)} ago at revision ${snapshot.revision}: ${snapshot.objects} objects, ${snapshot.verified ? 'verified' : 'NOT VERIFIED'}.`,
    `Members: ${members.map(({ name, host, instanceId }) => `${name} on ${host} (${instanceId})`).join(', ')}.`,
    `kube-apiserver and etcd are stopped on all of them, get the data of the snapshot, and are started again; the old data ${mode === 'drill' ? 'is put back afterwards' : 'stays beside it'}.`,
    bump.needed ? `Revisions continue above ${bump.servedUpTo}.` : 'Revisions will run BACKWARDS.',
    '',
    `What is lost: ${lossWords(plan)}.`,
    ...objects.slice(0, 30),
    ...(objects.length > 30 ? [`  and ${objects.length - 30} more kinds: see plan.json`] : []),
    ...nothingBack(loss),
    ...(warnings.length > 0 ? ['', 'Mind:', ...warnings.map((warning) => `- ${warning}`)] : []),
    ...answerLines(token, execution),
  ].join('\n');
}

const WHAT = {
  'in-place': 'Restore',
  elsewhere: 'Restore elsewhere',
  drill: 'Drill of a restore',
  'roll-back': 'Roll-back of a restore',
} as const satisfies Record<RestorePlan['mode'], string>;

/** The members of the cluster are asked only where it is they that lose something. */
function lossWords({ mode, cluster, loss }: RestorePlan): string {
  switch (mode) {
    case 'elsewhere':
      return `nothing of ${cluster} itself, whose members were not asked and are not touched; what was written there since the snapshot is not in the copy, and what these nodes serve now is set aside`;
    case 'drill':
      return `nothing; the members of ${cluster} were not asked and are not touched, and these nodes get back what they serve now`;
    case 'in-place':
    case 'roll-back':
      return loss.revisions === undefined
        ? 'nobody knows, since no member answers; at most everything since the snapshot'
        : `${loss.revisions} revisions`;
  }
}

/**
 * On the day of a restore the newest snapshot was mostly taken after what it is to bring back was deleted. However far revisions went on meanwhile:
 * leases alone write thousands an hour.
 */
function nothingBack({ revisions, objects }: RestorePlan['loss']): readonly string[] {
  if (revisions === undefined) return [];
  // The API server lets events go after an hour: no two moments have as many.
  const differences = Object.entries(objects).flatMap(([name, difference]) => (name === 'events' ? [] : [difference]));
  const advice = 'if something was deleted, name an earlier snapshot.';
  if (differences.length === 0) return [`The snapshot holds as many objects of each kind as the live cluster: ${advice}`];
  return differences.every((difference) => difference > 0) ? [`No object comes back: ${advice}`] : [];
}

/** The two commands, and where to look. They name the region, since whoever is woken may sit in front of any shell. */
export function answerLines(token: string, execution: string): readonly string[] {
  // arn:aws:states:<region>:<account>:execution:<state machine>:<name>
  const region = `--region ${execution.split(':')[3] ?? ''}`;
  return [
    '',
    'To approve:',
    `aws stepfunctions send-task-success ${region} --task-output '{"approvedBy":"your name"}' --task-token '${token}'`,
    '',
    'To reject:',
    `aws stepfunctions send-task-failure ${region} --error Rejected --cause 'your reason' --task-token '${token}'`,
    '',
    `Watch it: aws stepfunctions describe-execution ${region} --execution-arn ${execution}`,
  ];
}

/** It is written to S3 first, so that a topic that nobody reads, or that refuses, keeps nobody from approving. */
export async function putQuestion(
  { write, ...edges }: Omit<ApprovalEdges, 'readPlan'>,
  subject: string,
  message: string,
): Promise<{ readonly told: boolean }> {
  await write(message);
  return tellPeople(edges, subject, message);
}

function age(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
