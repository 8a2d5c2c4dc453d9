import type { Telemetry } from '../backup/edges';
import { AddressType } from '../contract/api-record';
import { messageOf } from '../contract/lifeboat-error';
import { normalName, ownershipName, sameName } from './record-name';
import type { Protectable, Zone } from './zone';

export interface GuardEdges {
  readonly zone: Pick<Zone, 'protectedAt' | 'protect' | 'unprotect'>;
  readonly telemetry: Pick<Telemetry, 'warn'>;
}

/**
 * What nobody but the lifeboat is to change: the addresses, what would stand in their place, and the notes whose they are. A note in the name itself
 * is not among them: others have texts of their own there.
 */
export function guardedNames(name: string, zone: string): Protectable[] {
  const types = AddressType.options;
  const notes = types.map((type) => ownershipName(name, type, zone)).filter((note) => !sameName(note, name));
  return [...types.map((type) => ({ name: normalName(name), type })), ...notes.map((note) => ({ name: note, type: 'TXT' }))];
}

/**
 * Whether Route 53 refuses every change of these records by anybody; what is missing of that is put on. Never throws: the record is right without.
 */
export async function isGuarded({ zone, telemetry }: GuardEdges, guarded: readonly Protectable[], comment: string): Promise<boolean> {
  try {
    const there = await present(zone, guarded);
    const missing = guarded.filter((each) => !there.some((other) => same(each, other)));
    if (missing.length > 0) await zone.protect(missing, comment);
    return true;
  } catch (error) {
    telemetry.warn('record-not-protected', { because: messageOf(error) });
    return false;
  }
}

/**
 * Does something to the records while they can be changed. Lifting the guard and changing are two requests, so somebody else may come between them;
 * the next run finds what he did. The guard is put back whatever happened; whether it is on again is the answer.
 *
 * @throws what `work` throws, and DnsFailed when the guard cannot be lifted
 */
export async function withoutGuard(
  edges: GuardEdges,
  guarded: readonly Protectable[],
  comment: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const { zone, telemetry } = edges;
  const there = await present(zone, guarded).catch((error: unknown) => {
    // Where protections cannot be listed, the change itself shows whether there are any.
    telemetry.warn('record-not-protected', { because: messageOf(error) });
    return [];
  });
  if (there.length > 0) await zone.unprotect(there);
  try {
    await work();
  } catch (error) {
    await isGuarded(edges, guarded, comment);
    throw error;
  }
  return isGuarded(edges, guarded, comment);
}

const same = (one: Protectable, other: Protectable): boolean => one.type === other.type && sameName(one.name, other.name);

async function present(zone: GuardEdges['zone'], guarded: readonly Protectable[]): Promise<Protectable[]> {
  const found = await zone.protectedAt([...new Set(guarded.map(({ name }) => name))]);
  return found.filter((each) => guarded.some((other) => same(each, other)));
}
