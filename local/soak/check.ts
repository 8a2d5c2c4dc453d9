import { planRetention } from '../../lambdas/backup/retention';
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

const PASSING: ReadonlySet<FaultKind | undefined> = new Set([
  ...(['s3-fails-once', 's3-resets-a-connection', 's3-loses-an-answer', 's3-is-slow'] as const),
]);

/** What must hold at the end, each as one line. */
export function checkSoak(narrator: Narrator, evidence: Evidence): void {
  checkRuns(narrator, evidence);
  checkSnapshots(narrator, evidence);
  checkRetention(narrator, evidence);
  checkLeaks(narrator, evidence);
}

function checkRuns(narrator: Narrator, { wanted, records, history }: Evidence): void {
  narrator.check('slots of the schedule ran in the time that there was', scheduled(wanted, records).length, wanted);
  narrator.check('things were wrong after a slot', sum(records.map(({ problems }) => problems.length)), 0);
  const calm = runsOf(records).filter(({ allowed }) => allowed.every((outcome) => outcome === 'verified'));
  const missed = calm.filter(({ outcome }) => outcome !== 'verified').length;
  narrator.check(`of ${calm.length} runs that nothing was in the way of gave no verified snapshot, though etcd compacts all the time (peer failure 12)`, missed, 0); // prettier-ignore
  const passing = records.filter(({ slot, tries }) => PASSING.has(slot.fault) && tries[0]?.allowed.includes('verified'));
  const gaveUp = passing.filter(({ tries }) => tries.length > 1).length;
  narrator.check(`of ${passing.length} runs gave up on a failure of S3 that passed by itself (peer failure 19)`, gaveUp, 0);
  const told = new Set(runsOf(records).map(({ id }) => id));
  const untold = history.taken.filter(({ id }) => !told.has(id)).length;
  const killed = runsOf(records).filter(({ outcome }) => outcome === 'Runtime.ExitError').length;
  narrator.check(
    'snapshots are listed of which no run told, more than runs were killed (peer failure 20)',
    Math.max(0, untold - killed),
    0,
  );
  const felt = records.flatMap(({ load }) => (load ? [load] : []));
  narrator.check(
    `of ${sum(felt.map(({ writes }) => writes))} writes failed in slots in which nothing was done to etcd, the slowest took ${Math.round(Math.max(0, ...felt.map(({ slowestMs }) => slowestMs)))} ms (peer failure 13)`,
    felt.flatMap(({ failures }) => failures).length,
    0,
  );
  for (const failure of felt.flatMap(({ failures }) => failures)) narrator.say(`      ${failure}`);
  const leaders = new Set(history.taken.filter(({ member }) => member.leader).map(({ id }) => id));
  const fromLeader = runsOf(records.filter(({ load }) => load)).filter(({ id }) => id !== undefined && leaders.has(id)).length;
  narrator.check('snapshots were taken from the leader though all members were well (peer failure 35)', fromLeader, 0);
}

function checkSnapshots(narrator: Narrator, { after: { manifests }, history, restores }: Evidence): void {
  const newest = manifests.at(-1);
  narrator.check('the newest that is listed is the newest that was taken (peer failure 14)', newest?.id, history.taken.toSorted(byTime).at(-1)?.id); // prettier-ignore
  narrator.check('and it is verified', newest?.verified, true);
  const revisions = history.taken.toSorted(byTime).map(({ revision }) => revision);
  const falls = revisions.filter((revision, index) => revision < (revisions[index - 1] ?? 0)).length;
  narrator.check('snapshots have an older revision than one that was taken before (peer failure 15)', falls, 0);
  narrator.check('snapshots were fetched whole, of all that are listed (peer failure 25)', restores.fetched, manifests.length);
  narrator.check('members were booted from them, of all that are listed', restores.booted, manifests.length);
  for (const problem of restores.problems) narrator.say(`      ${problem}`);
  narrator.check('differences to a manifest in file, revision, keys and HashKV', restores.problems.length, 0);
}

function checkRetention(narrator: Narrator, { after: { manifests }, history, now }: Evidence): void {
  const listed = manifests.map(({ id }) => id);
  const stored = manifests.map(storedOf);
  const rejected = planRetention(stored, POLICY, now).filter(({ action }) => action === 'remove');
  narrator.check('snapshots are left that the policy rejects', rejected.length, 0);
  narrator.check('snapshots are listed, as many as a simulation of this history leaves', listed.length, history.left().length);
  narrator.check('and the same ones', listed.toSorted().join(), history.left().join());
  const verified = manifests.filter((manifest) => manifest.verified).length;
  narrator.check('the floor of verified ones stands', verified >= POLICY.floor, true);
}

function checkLeaks(narrator: Narrator, { records: slots, after, spooled, takeSnapshot, pruneSnapshots }: Evidence): void {
  narrator.check('uploads are open', after.openUploads.length, 0);
  narrator.check('objects are left that no manifest lists', after.unlisted.length, 0);
  narrator.check('files are left on the disk of the functions (peer failure 28)', spooled.join(), '');
  for (const [name, records] of [
    ['take-snapshot', takeSnapshot],
    ['prune-snapshots', pruneSnapshots],
  ] as const) {
    // prettier-ignore
    const { rssMiB, openFiles } = growthOf(records);
    const refused = name === 'take-snapshot' ? runsOf(slots).filter(({ outcome }) => outcome === 'EtcdTlsRefused').length : 0;
    const mostFiles = MOST_FILES_MORE + refused * FILES_LEFT_BY_A_REFUSED_RUN;
    if (openFiles !== undefined) {
      narrator.check(`${name} holds hardly more files and sockets open than it did (${openFiles})`, openFiles <= mostFiles, true);
    }
    if (rssMiB !== undefined) {
      const memory = `${rssMiB.first.toFixed(0)} MiB in the first quarter of its calls, ${rssMiB.last.toFixed(0)} in the last`;
      narrator.check(`${name} holds hardly more memory than it did: ${memory} (peer failure 16)`, rssMiB.last <= rssMiB.first * MOST_MEMORY_MORE.times + MOST_MEMORY_MORE.mebibytes, true); // prettier-ignore
    }
  }
}

const byTime = (a: { readonly takenAt: string }, b: { readonly takenAt: string }): number => a.takenAt.localeCompare(b.takenAt);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
