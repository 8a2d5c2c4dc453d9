import { planRetention } from '../../lambdas/backup/retention';
import type { ProcessRecord } from '../cloud';
import type { Narrator } from '../narrator';
import { runsOf, scheduled } from './evidence';
import type { Evidence } from './evidence';
import { growthOf } from './growth';
import { storedOf } from './history';
import type { FaultKind } from './plan';
import { POLICY } from './world';

/** A socket or two that is kept open for the next call; a leak would add one with every call. */
const MOST_FILES_MORE = 3;
/**
 * What grpc-js 1.14 leaves half closed when a server refuses the client's certificate, which in TLS 1.3 it does after the handshake:
 * `connect` of its transport returns the promise of the session without awaiting it, so that its own clean-up is passed by.
 */
const FILES_LEFT_BY_A_REFUSED_RUN = 14;
/** V8 and malloc keep some of what they once needed. */
const MOST_MEMORY_MORE = { times: 1.2, mebibytes: 32 };
/** Databases of the soak are small; the other half is for those of operators. */
const MOST_OF_MEMORY = 0.5;

const PASSING: ReadonlySet<FaultKind | undefined> = new Set([
  ...(['s3-fails-once', 's3-resets-a-connection', 's3-loses-an-answer', 's3-is-slow'] as const),
]);

/** What must hold at the end, each as one line. */
export function checkSoak(narrator: Narrator, evidence: Evidence): void {
  checkRuns(narrator, evidence);
  checkEtcd(narrator, evidence);
  checkSnapshots(narrator, evidence);
  checkRetention(narrator, evidence);
  checkLeaks(narrator, evidence);
}

function checkRuns(narrator: Narrator, { wanted, records, history }: Evidence): void {
  const runs = runsOf(records);
  narrator.check('slots of the schedule that ran in the time that there was', scheduled(wanted, records).length, wanted);
  narrator.check('things that were wrong after a slot', sum(records.map(({ problems }) => problems.length)), 0);
  const calm = runs.filter(({ allowed }) => allowed.every((outcome) => outcome === 'verified'));
  narrator.check(
    `runs that gave no verified snapshot, of ${calm.length} that nothing was in the way of, with a compaction every few seconds (peer failure 12)`,
    calm.filter(({ outcome }) => outcome !== 'verified').length,
    0,
  );
  const passing = records.filter(({ slot, tries }) => PASSING.has(slot.fault) && tries[0]?.allowed.includes('verified'));
  narrator.check(
    `runs that gave up on S3, of ${passing.length} in which it failed once and came back (peer failure 19)`,
    passing.filter(({ tries }) => tries.length > 1).length,
    0,
  );
  const told = new Set(runs.map(({ id }) => id));
  const untold = history.taken.filter(({ id }) => !told.has(id)).length;
  const killed = runs.filter(({ outcome }) => outcome === 'Runtime.ExitError').length;
  narrator.check('snapshots that no run told of, beyond those of runs that were killed (peer failure 20)', Math.max(0, untold - killed), 0);
}

function checkEtcd(narrator: Narrator, { records, history }: Evidence): void {
  const felt = records.flatMap(({ load }) => (load ? [load] : []));
  const failures = felt.flatMap((load) => load.failures);
  const slowest = Math.round(Math.max(0, ...felt.map(({ slowestMs }) => slowestMs)));
  narrator.check(
    `writes that failed, of ${sum(felt.map(({ writes }) => writes))} while nothing but backups was done to etcd, the slowest in ${slowest} ms (peer failure 13)`,
    failures.length,
    0,
  );
  for (const failure of failures) narrator.say(`        ${failure}`);
  const leaders = new Set(history.taken.filter(({ member }) => member.leader).map(({ id }) => id));
  narrator.check(
    'snapshots that were taken from the leader though all members were well (peer failure 35)',
    runsOf(records.filter(({ load }) => load)).filter(({ id }) => id !== undefined && leaders.has(id)).length,
    0,
  );
}

function checkSnapshots(narrator: Narrator, { after: { manifests }, history, restores }: Evidence): void {
  const taken = history.taken.toSorted((a, b) => a.takenAt.localeCompare(b.takenAt));
  const newest = manifests.at(-1);
  narrator.check('the newest that is listed is the newest that was ever taken (peer failure 14)', newest?.id, taken.at(-1)?.id);
  narrator.check('and it is verified', newest?.verified, true);
  narrator.check(
    `snapshots with an older revision than one that was taken before, of all ${taken.length} (peer failure 15)`,
    taken.filter(({ revision }, index) => revision < (taken[index - 1]?.revision ?? 0)).length,
    0,
  );
  narrator.check(
    'listed snapshots that were fetched whole and are the file of their manifest (peer failure 25)',
    restores.fetched,
    manifests.length,
  );
  narrator.check('listed snapshots that a member was booted from', restores.booted, manifests.length);
  narrator.check('differences to a manifest in SHA-256, status hash, revision, keys and HashKV', restores.problems.length, 0);
  for (const problem of restores.problems) narrator.say(`        ${problem}`);
}

function checkRetention(narrator: Narrator, { after: { manifests }, history, now }: Evidence): void {
  const rejected = planRetention(manifests.map(storedOf), POLICY, now).filter(({ action }) => action === 'remove');
  narrator.check('listed snapshots that the policy rejects', rejected.length, 0);
  const expected = new Set(history.left());
  narrator.check('listed snapshots, as many as a simulation of this history leaves', manifests.length, expected.size);
  narrator.check('and others than those', manifests.filter(({ id }) => !expected.has(id)).length, 0);
  narrator.check('the floor of verified ones stands', manifests.filter(({ verified }) => verified).length >= POLICY.floor, true);
}

function checkLeaks(narrator: Narrator, evidence: Evidence): void {
  const { records, after, spooled, takeSnapshot, pruneSnapshots } = evidence;
  narrator.check('uploads that are open', after.openUploads.length, 0);
  narrator.check('objects that no manifest lists', after.unlisted.length, 0);
  narrator.check('files that are left on the disk of the functions (peer failure 28)', spooled.length, 0);
  const refused = runsOf(records).filter(({ outcome }) => outcome === 'EtcdTlsRefused').length;
  checkGrowth(narrator, 'take-snapshot', takeSnapshot, MOST_FILES_MORE + refused * FILES_LEFT_BY_A_REFUSED_RUN);
  checkGrowth(narrator, 'prune-snapshots', pruneSnapshots, MOST_FILES_MORE);
}

function checkGrowth(narrator: Narrator, name: string, records: readonly ProcessRecord[], mostFiles: number): void {
  const { rssMiB, openFiles, mostOfLimit } = growthOf(records);
  if (openFiles !== undefined) {
    narrator.check(
      `${name} keeps no more than ${mostFiles} files and sockets open that it did not (${openFiles})`,
      openFiles <= mostFiles,
      true,
    );
  }
  narrator.check(
    `${name} never held more than half of the memory that it has on AWS (${(mostOfLimit * 100).toFixed(0)} %)`,
    mostOfLimit <= MOST_OF_MEMORY,
    true,
  );
  if (rssMiB === undefined) return;
  const { first, last } = rssMiB;
  narrator.check(
    `${name} keeps its memory: ${first.toFixed(0)} MiB in the first quarter of its calls, ${last.toFixed(0)} in the last (peer failure 16)`,
    last <= first * MOST_MEMORY_MORE.times + MOST_MEMORY_MORE.mebibytes,
    true,
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
