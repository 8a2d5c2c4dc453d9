// The promise itself, over random histories: whatever was written, polled, snapshotted, restored and lost, clients never see time run backwards.
import fc from 'fast-check';
import { bumpFor } from '../../lambdas/backup/bump';
import { ledgerText, mergeManifests, raise, readLedger, rebuild, recordRestore } from '../../lambdas/backup/ledger';
import type { Witness } from '../../lambdas/backup/ledger';
import type { Ledger } from '../../lambdas/contract/ledger';
import { NOW } from './snapshots';

const MINUTE = 60_000;

type Step =
  | { readonly do: 'write'; readonly share: number }
  | { readonly do: 'wait'; readonly minutes: number; readonly share: number }
  | { readonly do: 'poll'; readonly led: boolean; readonly lag: number }
  | { readonly do: 'snapshot'; readonly verified: boolean; readonly compacted: boolean; readonly noted: boolean }
  | { readonly do: 'restore'; readonly which: number; readonly told: boolean }
  | { readonly do: 'lose' }
  | { readonly do: 'damage'; readonly at: number }
  | { readonly do: 'put back'; readonly which: number };

interface Snapshot extends Witness {
  readonly compactRevision: number;
  /** What etcdutl adds the bump to: below `revision` when the last entry was compacted away. */
  readonly newestEntry: number;
}

/**
 * One cluster, its bucket and the functions. What the model takes for granted is what `bumpFor` says that it takes for granted: no minute
 * holds more writes than 1500 a second, or than the busiest that was measured. And after the ledger was lost, damaged or replaced, either
 * the bucket has a snapshot of the present lineage, or one poll comes before the next restore: else nothing that is left knows of the last.
 */
class World {
  now = NOW.getTime();
  lineages = 1;
  revision = 1;
  /** The highest revision that any client ever saw. */
  served = 1;
  stored: string | undefined;
  forgotten = false;
  readonly versions: string[] = [];
  readonly snapshots: Snapshot[] = [];

  constructor(private readonly busiest: number) {}

  do(step: Step): void {
    if (step.do === 'write') this.minute(step.share);
    else if (step.do === 'wait') for (let n = 0; n < step.minutes; n++) this.minute(step.share);
    else if (step.do === 'poll') this.poll(step.led, step.led ? 0 : step.lag);
    else if (step.do === 'snapshot') this.snapshot(step);
    else if (step.do === 'restore') this.restore(step);
    else this.replaceLedger(step);
  }

  private minute(share: number): void {
    this.now += MINUTE;
    this.serve(this.revision + Math.floor(share * this.busiest));
  }

  private serve(revision: number): void {
    this.revision = revision;
    this.served = Math.max(this.served, revision);
  }

  private get lineage(): string {
    return `lineage-${this.lineages}`;
  }

  private load(): Ledger {
    const reading = readLedger(this.stored);
    return reading.state === 'fine' ? reading.ledger : mergeManifests(reading.ledger, this.snapshots);
  }

  private store(ledger: Ledger): void {
    this.stored = ledgerText(ledger);
    this.versions.push(this.stored);
  }

  private poll(led: boolean, lag: number): void {
    const revision = Math.max(1, this.revision - lag);
    this.store(raise(this.load(), { lineage: this.lineage, revision, at: new Date(this.now), led }));
    this.forgotten = false;
  }

  private snapshot({ verified, compacted, noted }: Step & { do: 'snapshot' }): void {
    const { revision, lineage } = this;
    const id = `20261116T120000Z-${this.snapshots.length.toString(16).padStart(8, '0')}`;
    const newestEntry = compacted ? Math.floor(revision / 2) : revision;
    const taken = { id, lineage, revision, verified, takenAt: new Date(this.now).toISOString() };
    this.snapshots.push({ ...taken, compactRevision: compacted ? revision : -1, newestEntry });
    if (noted) this.store(mergeManifests(this.load(), [taken]));
    this.forgotten = false;
  }

  private restore({ which, told }: Step & { do: 'restore' }): void {
    const snapshot = this.snapshots[which % this.snapshots.length];
    if (snapshot === undefined) return;
    if (this.forgotten) this.poll(true, 0);
    const now = new Date(this.now);
    const bump = bumpFor(mergeManifests(this.load(), this.snapshots), snapshot, now);
    const starts = snapshot.newestEntry + bump.bump;

    expect(starts).toBeGreaterThan(this.served);
    expect(starts).toBeLessThanOrEqual(bump.bumpedTo);
    expect(Number.isSafeInteger(bump.bump)).toBe(true);

    this.lineages++;
    this.serve(starts);
    const record = { at: now.toISOString(), snapshot: snapshot.id, fromLineage: snapshot.lineage, bumpedTo: bump.bumpedTo };
    this.store(recordRestore(this.load(), { ...record, ...(told && { newLineage: this.lineage }) }));
  }

  private replaceLedger(step: Step & { do: 'lose' | 'damage' | 'put back' }): void {
    this.forgotten = !this.snapshots.some(({ lineage }) => lineage === this.lineage);
    if (step.do === 'lose') this.stored = undefined;
    else if (step.do === 'damage') this.stored = this.stored?.slice(0, step.at % this.stored.length);
    else this.stored = this.versions[step.which % Math.max(1, this.versions.length)];
  }
}

const share = fc.constantFrom(0, 0.01, 1, 1);
const life = [
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), share }) },
  // Up to a day without a poll: far more than the least slack covers at the higher rates.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(3, 10, 90, 1500), share }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('poll' as const), led: fc.boolean(), lag: fc.nat(1000) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('snapshot' as const), verified: fc.boolean(), compacted: fc.boolean(), noted: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('restore' as const), which: fc.nat(5), told: fc.boolean() }) },
];
const accidents = [
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('damage' as const), at: fc.nat(2_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('put back' as const), which: fc.nat(50) }) },
];
const history = (...steps: { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[]) =>
  fc.array(fc.oneof(...steps), { minLength: 5, maxLength: 60 });
const RUNS = { numRuns: 500 };

describe('over any history, the first revision served after a restore of any snapshot, also a second time, is above everything ever served', () => {
  test('while the ledger is lost, damaged and replaced by older copies (peer failure 1)', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 100, 90_000), history(...life, ...accidents), (busiest, steps) => {
        const world = new World(busiest);
        for (const each of steps) world.do(each);
      }),
      RUNS,
    );
  });

  test('of a cluster that writes more than any rule of thumb, once that was measured', () => {
    fc.assert(
      fc.property(fc.constantFrom(200_000, 1_000_000), history(...life), (busiest, steps) => {
        const world = new World(busiest);
        const measured: Step[] = [{ do: 'poll', led: true, lag: 0 }, { do: 'write', share: 1 }, { do: 'poll', led: true, lag: 0 }]; // prettier-ignore
        for (const each of [...measured, ...steps]) world.do(each);
      }),
      RUNS,
    );
  });

  test('losing everything but the snapshots leaves at least what they tell', () => {
    const stamps = fc.array(fc.record({ lineage: fc.constantFrom('a', 'b'), revision: fc.nat(1_000), verified: fc.boolean() }));
    fc.assert(
      fc.property(stamps, (all) => {
        const manifests = all.map((one, n) => ({ ...one, id: `20261116T120000Z-0000000${n % 10}`, takenAt: NOW.toISOString() }));

        expect(rebuild(manifests).ceiling).toBe(Math.max(0, ...all.map(({ revision }) => revision)));
      }),
    );
  });
});
