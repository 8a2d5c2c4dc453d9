import { z } from 'zod';

const DAY_MS = 86_400_000;
const LONGEST_WAIT_DAYS = 32;

const DeniedRemoval = z.object({ tries: z.number().int().positive(), nextTryAt: z.iso.datetime(), because: z.string() });

/** `clusters/<cluster>/prune.json`: removals that S3 refused, and when each is tried again. */
const Document = z.object({ version: z.literal(1), denied: z.record(z.string(), DeniedRemoval) });

/**
 * Remembers refused removals, so that none is repeated every hour for ever: it is tried again after a day, then two, four and so on
 * to 32. An object tag would say the same, but writing one needs a right on every snapshot; this needs one object.
 */
export class DeniedRemovals {
  private changed = false;
  private constructor(private readonly denied: Map<string, z.infer<typeof DeniedRemoval>>) {}

  /** A document that cannot be read is none: at worst a refused removal is tried once more. */
  static parse(text: string | undefined): DeniedRemovals {
    let document: unknown;
    try {
      document = JSON.parse(text ?? '');
    } catch {
      document = undefined;
    }
    return new DeniedRemovals(new Map(Object.entries(Document.safeParse(document).data?.denied ?? {})));
  }

  isWaiting(id: string, now: Date): boolean {
    const entry = this.denied.get(id);
    return entry !== undefined && new Date(entry.nextTryAt) > now;
  }

  note(id: string, because: string, now: Date): void {
    const tries = (this.denied.get(id)?.tries ?? 0) + 1;
    const days = Math.min(2 ** (tries - 1), LONGEST_WAIT_DAYS);
    this.denied.set(id, { tries, because, nextTryAt: new Date(now.getTime() + days * DAY_MS).toISOString() });
    this.changed = true;
  }

  /** Forgets all that are gone. */
  retain(present: ReadonlySet<string>): void {
    for (const id of this.denied.keys()) if (!present.has(id)) this.changed = this.denied.delete(id);
  }

  /** The text to store, or undefined when nothing changed. */
  textToStore(): string | undefined {
    return this.changed ? JSON.stringify({ version: 1, denied: Object.fromEntries(this.denied) }, undefined, 1) : undefined;
  }
}
