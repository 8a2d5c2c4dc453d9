import type { Narrator } from '../narrator';
import { countBy, runsOf } from './evidence';
import type { SlotRecord } from './slot';

/** One line on how far it has come. */
export function progressOf(records: readonly SlotRecord[], slot: number, of: number): string {
  const outcomes = Object.entries(countBy(runsOf(records).map(({ outcome }) => outcome)));
  const wrong = records.reduce((sum, { problems }) => sum + problems.length, 0);
  const ended = outcomes.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  return `      ${String(slot).padStart(4)}/${of}  ${ended}${wrong === 0 ? '' : `, ${wrong} WRONG`}`;
}

/** What was done how often, and how the runs of those slots ended: the scheduled one, its repetition, and pruning. */
export function showFaults(narrator: Narrator, records: readonly SlotRecord[]): void {
  const kinds = new Map<string, SlotRecord[]>();
  const note = (kind: string, record: SlotRecord) => kinds.set(kind, [...(kinds.get(kind) ?? []), record]);
  for (const record of records) {
    note(record.slot.fault ?? '(nothing)', record);
    if (record.slot.pruneFault !== undefined) note(record.slot.pruneFault, record);
  }
  const cell = (names: readonly (string | undefined)[]): string =>
    Object.entries(countBy(names.filter((name) => name !== undefined)))
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const mean = (those: readonly SlotRecord[]): string =>
    `${(those.reduce((sum, { seconds }) => sum + seconds, 0) / those.length).toFixed(1)} s`;
  const rows = [...kinds]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, those]) =>
      kind.startsWith('prune-')
        ? [kind, those.length, cell(those.map(({ prune }) => prune)), '', mean(those)]
        : [
            kind,
            those.length,
            cell(those.map(({ tries }) => tries[0]?.outcome)),
            cell(those.map(({ tries }) => tries[1]?.outcome)),
            mean(those),
          ],
    );
  narrator.table(['fault', 'slots', 'run', 'repeated', 'each'], rows);
}
