import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { messageOf } from '../contract/lifeboat-error';
import { NodeEnd, RestoreId } from '../contract/restore';
import { isLeader, knowsLeader } from '../etcd/cluster-view';
import type { EtcdReader, MemberView } from '../etcd/cluster-view';
import type { EtcdSurgeon } from '../etcd/surgeon';
import { EtcdNotReady, RestoredDataDiffers } from './errors';
import { survey } from './node-readiness';
import { parsePlan } from './stored-plan';

const endpoints = z.array(z.url()).min(1);
const count = z.number().int().nonnegative();

/** What the runbook asks of the members themselves. */
export const CheckEtcdEvent = z.discriminatedUnion('do', [
  /** Right after the restored members were started, before API servers can write; whoever writes to etcd directly does so above `to`. */
  z.object({ do: z.literal('restored'), endpoints, restoreId: RestoreId, above: count, to: count }),
  /** Removes the leases of API servers that are gone: until they run out, `kubernetes` leads to machines that may not be there. */
  z.object({ do: z.literal('repair'), endpoints }),
  /** After the API servers were started. */
  z.object({ do: z.literal('verify'), endpoints, above: count }),
  /** After the old data was put back. */
  z.object({ do: z.literal('old'), facts: z.array(NodeEnd) }),
]);
export type CheckEtcdEvent = z.infer<typeof CheckEtcdEvent>;

export interface CheckedEtcd {
  /** etcd's cluster id, hexadecimal. */
  readonly lineage: string;
  readonly revision: number;
  /** HashKV that every member has at one revision. */
  readonly hash: string;
  readonly members: number;
  readonly versions: readonly string[];
  /** Only for `verify`: whether the API answers by its name, for people; it never undoes a restore. */
  readonly api?: string;
  /** Only for `repair`. */
  readonly leasesRemoved?: number;
}

export interface CheckEdges {
  readonly etcd: Pick<EtcdReader, 'gather' | 'hashKv'>;
  readonly surgeon: Pick<EtcdSurgeon, 'countObjects' | 'deletePrefix'>;
  /** plan.json of the restore. */
  readonly readPlan: (restoreId: string) => Promise<string | undefined>;
  /** The HTTP status by which `/readyz` answers under the API's own name; undefined where the config names none. */
  readonly askApi: (() => Promise<number>) | undefined;
  readonly telemetry: Pick<Telemetry, 'log'>;
}

const MASTER_LEASES = '/registry/masterleases/';

/**
 * @throws EtcdNotReady while some member does not serve, or has not applied what the others have: ask again
 * @throws RestoredDataDiffers when the members, or the snapshot and they, hold different data
 */
export async function checkEtcd(edges: CheckEdges, event: CheckEtcdEvent): Promise<CheckedEtcd> {
  const members = await serving(edges, event.do !== 'old');
  const agreed = await agree(edges, members);
  const { id, clusterId } = members[0]?.status ?? { id: '', clusterId: '' };
  const checked = {
    ...agreed,
    lineage: clusterId,
    members: members.length,
    versions: [...new Set(members.map(({ status }) => status.version))],
  };
  edges.telemetry.log('etcd-checked', { ...checked, for: event.do, first: id });
  switch (event.do) {
    case 'restored':
      risenAbove(agreed.revision, event.above);
      await compareInventory(
        edges,
        members,
        parsePlan(event.restoreId, await edges.readPlan(event.restoreId)).snapshot.inventory,
        event.to,
      );
      return checked;
    case 'repair':
      return { ...checked, leasesRemoved: await answered(edges.surgeon.deletePrefix(MASTER_LEASES)) };
    case 'verify':
      risenAbove(agreed.revision, event.above);
      return { ...checked, api: await apiWords(edges.askApi) };
    case 'old':
      return checked;
  }
}

/** What etcd does not answer now it may answer in a moment: nothing that was restored is put back for it. @throws EtcdNotReady */
async function answered<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    throw new EtcdNotReady(`etcd gave no answer (${messageOf(error)}): wait`, { cause: error });
  }
}

export type Serving = Extract<MemberView, { reachable: true }>;

async function serving({ etcd }: CheckEdges, whole: boolean): Promise<readonly Serving[]> {
  const { members, votingMembers } = await etcd.gather();
  const wrong = members.flatMap((member) => {
    if (!member.reachable) return [`${member.endpoint} does not answer (${member.because})`];
    return knowsLeader(member.status) ? [] : [`${member.endpoint} knows no leader`];
  });
  if (wrong.length > 0) throw new EtcdNotReady(`${wrong.join('; ')}: wait, and read the log of etcd there`);
  const found = members.filter((member): member is Serving => member.reachable);
  const clusters = new Set(found.map(({ status }) => status.clusterId));
  if (clusters.size > 1)
    throw new RestoredDataDiffers(
      `the members belong to ${clusters.size} clusters, ${[...clusters].join(' and ')}: some were restored and others were not`,
    );
  if (whole && votingMembers !== found.length)
    throw new RestoredDataDiffers(`the cluster counts ${votingMembers} voting members and ${found.length} were restored`);
  if (found.length * 2 <= votingMembers) throw new EtcdNotReady(`${found.length} of ${votingMembers} voting members serve: wait`);
  return found;
}

/**
 * The HashKV that all members have at the lowest revision that one of them is at.
 *
 * @throws EtcdNotReady and RestoredDataDiffers
 */
export async function agree(
  { etcd }: { readonly etcd: Pick<EtcdReader, 'hashKv'> },
  members: readonly Serving[],
): Promise<{ readonly revision: number; readonly hash: string }> {
  const revision = Math.min(...members.map(({ status }) => status.revision));
  const answers = await Promise.all(
    members.map(async ({ endpoint }) => {
      try {
        return { endpoint, ...(await etcd.hashKv(endpoint, revision)) };
      } catch (error) {
        throw new EtcdNotReady(`${endpoint} has no hash of revision ${revision} (${messageOf(error)}): wait`, { cause: error });
      }
    }),
  );
  const compactions = new Set(answers.map(({ compactRevision }) => compactRevision));
  if (compactions.size > 1) throw new EtcdNotReady(`the members are at different compactions (${[...compactions].join(', ')}): wait`);
  const hashes = new Set(answers.map(({ hash }) => hash));
  if (hashes.size > 1) {
    const told = answers.map(({ endpoint, hash }) => `${endpoint} ${hash}`).join(', ');
    throw new RestoredDataDiffers(`the members hold different data at revision ${revision}: ${told}`);
  }
  return { revision, hash: answers[0]?.hash ?? '' };
}

function risenAbove(revision: number, above: number): void {
  if (above > 0 && revision <= above)
    throw new RestoredDataDiffers(`etcd serves revision ${revision} and clients have seen ${above}: the bump was too small`);
}

async function compareInventory(
  { surgeon }: CheckEdges,
  members: readonly Serving[],
  wanted: Readonly<Record<string, number>>,
  to: number,
): Promise<void> {
  const leader = members.find(({ status }) => isLeader(status)) ?? members[0];
  if (leader === undefined) return;
  const { inventory } = await answered(surgeon.countObjects(leader.endpoint, to));
  const names = [...new Set([...Object.keys(inventory), ...Object.keys(wanted)])].sort();
  const wrong = names
    .filter((name) => (inventory[name] ?? 0) !== (wanted[name] ?? 0))
    .map((name) => `${name}: ${inventory[name] ?? 0}, not ${wanted[name] ?? 0}`);
  if (wrong.length > 0) throw new RestoredDataDiffers(`the restored members hold other objects than the snapshot: ${wrong.join(', ')}`);
}

async function apiWords(ask: CheckEdges['askApi']): Promise<string> {
  if (ask === undefined) return 'the config names no API';
  try {
    const status = await ask();
    return status === 200 ? 'ready' : `answers ${status}`;
  } catch (error) {
    return `does not answer: ${messageOf(error)}`;
  }
}

/** Where the members are that a check is about: those of the plan, or, after a roll-back, those of the nodes that answered. */
export function endpointsOf(event: CheckEtcdEvent): readonly string[] {
  if (event.do !== 'old') return event.endpoints;
  return survey(event.facts).known.flatMap(({ facts }) =>
    facts.etcd.runs === 'absent' || facts.etcd.clientUrl === null ? [] : [facts.etcd.clientUrl],
  );
}
