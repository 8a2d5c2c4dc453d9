import { styleText } from 'node:util';
import { z } from 'zod';
import type { AlarmVerdict, LocalCloud } from '../cloud';
import type { Deployment } from '../deployment';
import type { EtcdCluster } from '../etcd/cluster';
import { aFollower, makeDiverge } from '../etcd/diverge';
import type { EtcdMember } from '../etcd/member';
import type { Narrator } from '../narrator';
import { takeScheduled } from './retention';

const MINUTE_MS = 60_000;
/** The longest that an alarm of the members waits. */
const MINUTES = 6;

const Taken = z.object({ id: z.string(), verified: z.boolean(), diverged: z.array(z.string()), insteadOf: z.string().optional() });
export type Taken = z.infer<typeof Taken>;

export interface Divergence {
  readonly victim: EtcdMember;
  readonly taken: Taken;
  /** Those that are on, by name without the cluster's prefix. */
  readonly alarms: ReadonlyMap<string, AlarmVerdict>;
}

/** One byte of one member's database changes while it is down; then the next snapshot is taken, and the members are looked at for some minutes. */
export async function oneMemberDiverges(cloud: LocalCloud, lifeboat: Deployment, etcd: EtcdCluster): Promise<Divergence> {
  const newest = (await lifeboat.snapshots()).at(-1)?.member;
  // The follower that backups are taken from: the worst that can happen.
  const usual = etcd.members.find(({ name }) => name === newest?.name && !newest.leader);
  const victim = usual ?? (await aFollower(etcd));
  await makeDiverge(etcd, victim);
  const taken = Taken.parse(await takeScheduled(lifeboat));
  for (let minute = 0; minute < MINUTES; minute++) {
    cloud.clock.advance(MINUTE_MS);
    await lifeboat.watchMembers();
  }
  const stack = `Lifeboat-${lifeboat.cluster}`;
  const verdicts = await cloud.alarms(stack, { now: cloud.clock.now() });
  const on = [...verdicts.values()].filter(({ state }) => state === 'ALARM');
  return { victim, taken, alarms: new Map(on.map((verdict) => [verdict.name.replace(`${stack}/`, ''), verdict])) };
}

export function showAlarms(narrator: Narrator, alarms: Divergence['alarms']): void {
  for (const [name, { reason }] of alarms) narrator.say(`      ${styleText('red', 'ALARM')} ${name}   ${reason}`);
  narrator.say('      each is an article of docs/operator-runbook.md\n');
}

export async function checkDivergence(narrator: Narrator, lifeboat: Deployment, { victim, taken, alarms }: Divergence): Promise<void> {
  const listed = new Map((await lifeboat.snapshots()).map((manifest) => [manifest.id, manifest]));
  const refused = taken.insteadOf === undefined ? undefined : listed.get(taken.insteadOf);
  const alarm = `member-diverged/${victim.clientUrl.replace('https://', '').replaceAll(':', '-')}`;
  narrator.check('the member that holds something else is named', taken.diverged.join(), victim.name);
  narrator.check('and its own alarm is on', alarms.has(alarm) ? alarm : 'no such alarm', alarm);
  if (refused !== undefined) narrator.check(`the snapshot of ${victim.name} is kept, and verified`, refused.verified, false);
  narrator.check(
    'the snapshot that was taken instead, or at once, is of another member',
    listed.get(taken.id)?.member.name !== victim.name,
    true,
  );
  narrator.check('and it is verified', taken.verified, true);
}
