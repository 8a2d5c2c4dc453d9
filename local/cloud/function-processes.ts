import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const ProcessRecord = z.object({
  pid: z.number(),
  peakRssKiB: z.number(),
  rssKiB: z.number(),
  /** Files and sockets; only Linux tells. */
  openFiles: z.number().optional(),
  /** The memory that the function has on AWS. */
  limitMiB: z.number(),
});
/** What one process of a function held at the end of one call. */
export type ProcessRecord = Readonly<z.infer<typeof ProcessRecord>>;

/** One record per call that ended, in the order of their ends; calls whose process was killed leave none. */
export function processRecords(memoryFolder: string, functionName: string): ProcessRecord[] {
  const file = path.join(memoryFolder, `${functionName}.jsonl`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => ProcessRecord.parse(JSON.parse(line)));
}

/** The most memory that any process of a function ever held, in MiB; undefined when it never ran. */
export function peakRssMiB(memoryFolder: string, functionName: string): number | undefined {
  const records = processRecords(memoryFolder, functionName);
  return records.length === 0 ? undefined : Math.max(...records.map(({ peakRssKiB }) => peakRssKiB)) / 1024;
}

/** One that was killed could not take back its word of itself, and its number may be somebody else's by now: on Linux its environment tells. */
function lives(pid: number, processFolder: string): boolean {
  try {
    process.kill(pid, 0);
    return (
      process.platform !== 'linux' ||
      readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${PROCESS_FOLDER}=${processFolder}`)
    );
  } catch {
    return false;
  }
}

/** The variable by which a function's process is told where to leave word of itself. */
export const PROCESS_FOLDER = 'LIFEBOAT_LOCAL_PROCESS_DIR';

/** Ids of the living processes of a function, by what each of them left of itself when it began. */
export function processesOf(processFolder: string, functionName: string): number[] {
  const names = readdirSync(processFolder).filter((name) => name.startsWith(`${functionName}.`));
  return names
    .map((name) => Number(name.slice(functionName.length + 1)))
    .filter((pid) => Number.isInteger(pid) && lives(pid, processFolder));
}

/** Ends every process of a function at once, as a machine that fails does; how many there were. */
export function killProcesses(processFolder: string, functionName: string): number {
  let killed = 0;
  for (const pid of processesOf(processFolder, functionName)) {
    // Its own word of itself goes with it: the number may soon be somebody else's.
    rmSync(path.join(processFolder, `${functionName}.${pid}`), { force: true });
    try {
      process.kill(pid, 'SIGKILL');
      killed++;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
  return killed;
}
