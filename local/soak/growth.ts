import type { ProcessRecord } from '../cloud';

/** Calls in which a new process still loads, compiles and opens its connections. */
const WARM_UP = 3;
/** Warm calls of one process before its open files say anything: pruning opens more as there is more to read. */
const ENOUGH = 24;
/** Warm calls before memory says anything: over its first dozens of calls V8 takes as much as the garbage of one call asks for, and keeps it. */
const ENOUGH_FOR_MEMORY = 64;

export interface Growth {
  /** Medians over all warm calls of the first and of the last quarter; nothing when there were too few calls to tell. */
  readonly rssMiB?: { readonly first: number; readonly last: number };
  readonly peakRssMiB: { readonly first: number; readonly last: number };
  /** The most that any process ever held, as a part of what the function has on AWS; 0 when it never ran. */
  readonly mostOfLimit: number;
  /** The most by which the open files of one process grew, once it was warm; nothing where the system does not tell. */
  readonly openFiles?: number;
}

/** How what the processes of one function hold has changed over its calls. */
export function growthOf(records: readonly ProcessRecord[]): Growth {
  const warm = [...byProcess(records).values()].flatMap((calls) => calls.slice(WARM_UP));
  const inOrder = records.filter((record) => warm.includes(record));
  const quarter = Math.floor(inOrder.length / 4);
  const rss = inOrder.map(({ rssKiB }) => rssKiB / 1024);
  const peaks = records.map(({ peakRssKiB }) => peakRssKiB / 1024);
  const part = Math.ceil(peaks.length / 4);
  const files = [...byProcess(records).values()].flatMap(openFileGrowth);
  return {
    ...(inOrder.length >= ENOUGH_FOR_MEMORY && { rssMiB: { first: median(rss.slice(0, quarter)), last: median(rss.slice(-quarter)) } }),
    peakRssMiB: { first: Math.max(0, ...peaks.slice(0, part)), last: Math.max(0, ...peaks.slice(-part)) },
    mostOfLimit: Math.max(0, ...records.map(({ peakRssKiB, limitMiB }) => peakRssKiB / 1024 / limitMiB)),
    ...(files.length > 0 && { openFiles: Math.max(...files) }),
  };
}

function byProcess(records: readonly ProcessRecord[]): Map<number, ProcessRecord[]> {
  const processes = new Map<number, ProcessRecord[]>();
  for (const record of records) processes.set(record.pid, [...(processes.get(record.pid) ?? []), record]);
  return processes;
}

/** Sockets that are kept open come and go, so a third of the calls stands against another. */
function openFileGrowth(calls: readonly ProcessRecord[]): number[] {
  const counts = calls.slice(WARM_UP).flatMap(({ openFiles }) => (openFiles === undefined ? [] : [openFiles]));
  const third = Math.floor(counts.length / 3);
  return counts.length < ENOUGH ? [] : [median(counts.slice(-third)) - median(counts.slice(0, third))];
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
