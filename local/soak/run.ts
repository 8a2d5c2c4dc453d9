import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Narrator } from '../narrator';
import { checkSoak } from './check';
import { planSlots } from './plan';
import { progressOf, showFaults } from './present';
import { restoreAll } from './restore-all';
import { figuresOf } from './evidence';
import type { SoakFigures } from './evidence';
import { Slots } from './slot';
import type { SlotRecord } from './slot';
import { startSoakWorld } from './world';
import type { SoakWorld } from './world';

export interface SoakOptions {
  readonly backups: number;
  readonly seed: number;
  /** MB of data in etcd. */
  readonly size: number;
  readonly minutes: number;
  readonly stopped: AbortSignal;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** By the clock of the functions: long enough for every tier and every age of the policy. Fewer backups lie further apart. */
const SPAN_HOURS = 200;
/** Without faults, so that all that waits for its day is done: refused removals, unlisted objects, locks, unverified snapshots. */
const QUIET_DAYS = 3;
/** Of the time that there is, for slots; the rest is for the quiet days and the restores. */
const SHARE_OF_SLOTS = 0.85;
/** Ending the members, the emulator and the folders. */
const END_MS = 10_000;
const PROGRESS_EVERY = 10;

/** Takes all the backups, checks everything, and takes everything down again, whatever happens. */
export async function soak(narrator: Narrator, options: SoakOptions): Promise<SoakFigures> {
  const began = Date.now();
  const closing: (() => Promise<void> | void)[] = [];
  try {
    narrator.title(`${options.backups} backups, seed ${options.seed}`);
    const world = await startSoakWorld(narrator, { megabytes: options.size, seed: options.seed }, closing);
    const end = began + options.minutes * MINUTE_MS - END_MS;
    const records = await takeBackups(narrator, world, options, began + options.minutes * MINUTE_MS * SHARE_OF_SLOTS);
    narrator.title('What was done, and how the runs ended');
    showFaults(narrator, records.all);
    const after = await records.slots.look();
    const restores = await narrator.run(
      'restore all that is listed',
      () => restoreAll(world, after.manifests, end),
      ({ fetched, booted }) => `${fetched} fetched, ${booted} booted`,
    );
    const evidence = {
      ...{ wanted: options.backups, records: records.all, after, restores, history: records.slots.history },
      ...{ now: world.cloud.clock.now(), spooled: spooled(world) },
      takeSnapshot: world.cloud.processRecords(world.lifeboat.takeSnapshotFunction),
      pruneSnapshots: world.cloud.processRecords(world.lifeboat.pruneSnapshotsFunction),
    };
    narrator.title('What must hold');
    checkSoak(narrator, evidence);
    return figuresOf(evidence, options.seed, (Date.now() - began) / 1000);
  } finally {
    for (const close of closing) await close();
  }
}

async function takeBackups(
  narrator: Narrator,
  world: SoakWorld,
  { backups, seed, stopped }: SoakOptions,
  until: number,
): Promise<{ readonly all: readonly SlotRecord[]; readonly slots: Slots }> {
  const slotMs = Math.max(1, Math.round(SPAN_HOURS / backups)) * HOUR_MS;
  const slots = new Slots(world, slotMs);
  const records: SlotRecord[] = [];
  const run = async (slot: Parameters<Slots['run']>[0], by: Slots) => {
    stopped.throwIfAborted();
    const record = await by.run(slot);
    records.push(record);
    for (const problem of record.problems) narrator.say(`      slot ${slot.number} (${record.struck.join('; ') || 'quiet'}): ${problem}`);
  };
  await narrator.run(
    `take them, ${slotMs / HOUR_MS} h apart`,
    async () => {
      for (const slot of planSlots(seed, backups)) {
        if (Date.now() > until) break;
        await run(slot, slots);
        if (slot.number % PROGRESS_EVERY === 0) narrator.say(progressOf(records, slot.number, backups));
      }
    },
    () => `${records.length} slots`,
  );
  await slots.members.startAll(backups + 1);
  await narrator.run('let quiet days pass', async () => {
    for (let day = 1; day <= QUIET_DAYS; day++) {
      world.cloud.clock.advance(DAY_MS - slotMs);
      const [quiet] = planSlots(seed, 1);
      if (quiet) await run({ ...quiet, number: backups + 1 + day, byHand: false, prunes: true }, slots);
    }
  });
  return { all: records, slots };
}

/** What is left in the temporary folders of the functions. */
function spooled({ cloud }: SoakWorld): string[] {
  const folder = path.join(cloud.folder, 'tmp', 'lifeboat');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => path.extname(file) !== '');
}
