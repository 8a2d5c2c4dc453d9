import { z } from 'zod';
import type { ErrorName } from '../../lambdas/contract/errors';
import type { InvokeResult } from '../cloud';
import { Bucket } from './bucket';
import type { BucketView } from './bucket';
import { strike, strikePrune } from './faults';
import type { Outcome, Strike } from './faults';
import { History, judgePrune } from './history';
import { allowedOutcomes, judgeSlot } from './judge';
import type { Try } from './judge';
import { judgeLedger } from './ledger-check';
import { Members } from './members';
import type { FaultKind, Slot } from './plan';
import { POLICY } from './world';
import type { SoakWorld } from './world';
import type { LoadFigures } from './write-load';

const MINUTE_MS = 60_000;
/** Lambda repeats an asynchronous call a minute after it failed: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const REPEATED_AFTER_MS = MINUTE_MS;
const BY_HAND_AFTER_MS = 5 * MINUTE_MS;

const MEMBER_FAULTS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  ...(['member-killed', 'member-killed-at-work', 'member-paused'] as const),
  ...(['leader-killed-in-the-stream', 'quorum-lost'] as const),
]);

/** What happened in one slot. */
export interface SlotRecord {
  readonly slot: Slot;
  /** What was done, in other words. */
  readonly struck: readonly string[];
  /** The scheduled run and, when it failed, its repetition. */
  readonly tries: readonly Try[];
  readonly byHand?: Try;
  readonly prune?: Outcome;
  readonly problems: readonly string[];
  readonly seconds: number;
  /** What the API server would have felt, while nothing was done to etcd. */
  readonly load?: LoadFigures;
}

const Taken = z.object({ id: z.string(), verified: z.boolean() });
const Pruned = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('skipped') }),
  z.object({
    outcome: z.literal('pruned'),
    counts: z.object({ denied: z.number(), waiting: z.number(), left: z.number() }),
    verdicts: z.array(z.object({ id: z.string(), action: z.enum(['keep', 'remove']) })),
  }),
]);

/** Runs slot after slot, and remembers what must be there. */
export class Slots {
  readonly members: Members;
  readonly bucket: Bucket;
  readonly history = new History(POLICY);
  private view: BucketView | undefined;
  private ceiling = 0;

  constructor(
    private readonly world: SoakWorld,
    private readonly slotMs: number,
  ) {
    this.members = new Members(world.etcd);
    this.bucket = new Bucket(world.lifeboat);
  }

  async run(slot: Slot): Promise<SlotRecord> {
    const { cloud, load } = this.world;
    const started = Date.now();
    const began = cloud.clock.offsetMs;
    await this.members.startDue(slot.number);
    const settled = this.members.isSettled();
    load.figures();
    const before = (this.view ??= await this.bucket.look());
    const done = slot.fault && (await this.strike(slot, slot.fault));
    const tries = await this.scheduled(done);
    const byHand = slot.byHand ? await this.byHand(slot) : undefined;
    const after = await this.look();
    const problems = [...judgeSlot(before, after, byHand ? [...tries, byHand] : tries), ...(await this.watch(after))];
    const pruned = slot.prunes ? await this.prune(slot, after) : undefined;
    const felt = settled && this.members.isSettled() ? load.figures() : undefined;
    cloud.clock.advance(this.slotMs - (cloud.clock.offsetMs - began));
    return {
      seconds: (Date.now() - started) / 1000,
      ...{ slot, tries, problems: [...problems, ...(pruned?.problems ?? [])] },
      struck: [slot.fault && `${slot.fault}: ${done?.what ?? ''}`, pruned?.struck].filter((text) => text !== undefined),
      ...(byHand && { byHand }),
      ...(pruned && { prune: pruned.outcome }),
      ...(felt && { load: felt }),
    };
  }

  private async strike(slot: Slot, kind: FaultKind): Promise<Strike> {
    if (MEMBER_FAULTS.has(kind)) await this.members.startAll(slot.number);
    return strike(kind, { world: this.world, members: this.members, slot, slotMs: this.slotMs });
  }

  /** Called synchronously, so that its answer can be judged, and repeated as Lambda repeats what the schedule calls: once. */
  private async scheduled(done: Strike | undefined): Promise<Try[]> {
    const take = (struck: readonly Outcome[] | undefined) => this.take({ trigger: 'scheduled' }, struck);
    const tries = [await take(done?.allowed)];
    if (tries[0]?.id === undefined) {
      if (done?.passes) await done.mend();
      this.world.cloud.clock.advance(REPEATED_AFTER_MS);
      tries.push(await take(done?.passes ? done.allowedAgain : done?.allowed));
    }
    await done?.mend();
    return tries;
  }

  /** As every minute: whatever was done to etcd, the ledger holds what was served. */
  private async watch({ manifests }: BucketView): Promise<string[]> {
    // Before it looks: nothing that a client was answered until then may escape it, where the members have a leader to tell of it.
    const served = this.members.hasQuorum ? this.world.load.revision : 0;
    const answer = await this.world.lifeboat.watchMembers();
    if (answer.outcome === 'failed') return [`watch-members ended as ${answer.error.name}: ${answer.error.message}`];
    const { ceiling, problems } = judgeLedger(await this.bucket.ledger(), manifests, this.ceiling, served);
    this.ceiling = ceiling;
    return problems;
  }

  private byHand({ fault }: Slot): Promise<Try> {
    this.world.cloud.clock.advance(BY_HAND_AFTER_MS);
    const electing = fault !== undefined && MEMBER_FAULTS.has(fault);
    return this.take({ trigger: 'manual', note: 'during the soak' }, electing ? ['verified', 'unverified'] : undefined);
  }

  private async take(event: unknown, struck: readonly Outcome[] | undefined): Promise<Try> {
    const locked = (await this.bucket.lockedUntil()) > this.world.cloud.clock.now();
    const allowed = allowedOutcomes({ locked, quorum: this.members.hasQuorum }, struck);
    const answer = await this.world.lifeboat.takeSnapshot(event);
    if (answer.outcome === 'failed') return { outcome: nameOf(answer), message: answer.error.message, allowed };
    const { id, verified } = Taken.parse(answer.result);
    return { outcome: verified ? 'verified' : 'unverified', id, allowed };
  }

  private async prune(slot: Slot, before: BucketView): Promise<{ outcome: Outcome; problems: string[]; struck?: string }> {
    const { cloud, lifeboat } = this.world;
    const done = slot.pruneFault && strikePrune(slot.pruneFault, { world: this.world, members: this.members, slot, slotMs: this.slotMs });
    const at = cloud.clock.now();
    // A backup's lock is nothing to it: it has its own.
    const expected: readonly Outcome[] = done?.allowed ?? ['pruned'];
    const answer = await lifeboat.pruneSnapshots();
    await done?.mend();
    const result = answer.outcome === 'returned' ? Pruned.parse(answer.result) : undefined;
    const outcome = answer.outcome === 'returned' ? (result?.outcome ?? 'pruned') : nameOf(answer);
    if (outcome === 'pruned') this.history.pruned(at);
    const after = await this.look();
    await this.bucket.forget([...before.objects.keys()].filter((id) => !after.objects.has(id)));
    const report = { before: before.manifests, after: after.manifests, at };
    const told = result?.outcome === 'pruned' ? toldBy(result) : undefined;
    const problems = judgePrune(told ? { ...report, told } : report, POLICY);
    if (!expected.includes(outcome)) problems.push(`pruning ended as ${outcome}, not as ${expected.join(' or ')}`);
    return { outcome, problems, ...(done && { struck: `${slot.pruneFault ?? ''}: ${done.what}` }) };
  }

  async look(): Promise<BucketView> {
    this.view = await this.bucket.look();
    this.history.saw(this.view.manifests);
    return this.view;
  }
}

/** What it says of itself. */
function toldBy({ counts, verdicts }: Extract<z.infer<typeof Pruned>, { outcome: 'pruned' }>) {
  const kept = verdicts.filter(({ action }) => action === 'keep').map(({ id }) => id);
  return { kept, undone: counts.denied + counts.waiting + counts.left };
}

/** Names that nobody knows are judged like all others: as not allowed. */
const nameOf = (answer: Extract<InvokeResult, { outcome: 'failed' }>): Outcome => answer.error.name as ErrorName;
