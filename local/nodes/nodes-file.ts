import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/** What local/cloud/emulator.py knows of a node that Systems Manager reaches. */
export const NodeEntry = z.object({
  folder: z.string(),
  /** What its agent tells Systems Manager as its own. */
  address: z.string(),
  /** Where the ids of running commands are written. */
  runDir: z.string(),
  env: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  online: z.boolean(),
  /** How often its power went away: what ran at that moment is run again by its agent when it is back. */
  powerCuts: z.number().default(0),
  /** Put before every command: a limit, a delay. */
  prefix: z.array(z.string()),
  /** The agent ends a command after so many seconds, whatever its document says. */
  secondsLimit: z.number().optional(),
});
export type NodeEntry = z.infer<typeof NodeEntry>;

const NodesFile = z.record(z.string(), NodeEntry);

/** Several sets of nodes may share a cloud: only one entry is changed, and the emulator never reads half a file. */
export function writeNodeEntry(file: string, instanceId: string, entry: NodeEntry | undefined): void {
  const before = existsSync(file) ? NodesFile.parse(JSON.parse(readFileSync(file, 'utf8'))) : {};
  const entries = Object.entries(before).filter(([id]) => id !== instanceId);
  if (entry !== undefined) entries.push([instanceId, entry]);
  writeFileSync(`${file}.part`, JSON.stringify(Object.fromEntries(entries)));
  renameSync(`${file}.part`, file);
}
