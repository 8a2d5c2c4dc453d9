import { openSpool } from './disk-spool';
import { hashKvOf, inspectSnapshot, positionOf } from './index';

/** A folder of the function's own disk: where a snapshot is spooled, and how its file is judged there. */
export const spoolDisk = (folder: string) => ({
  open: (name: string) => openSpool(folder, name),
  inspect: (path: string, databaseSha256: string) => inspectSnapshot(path, { expectedSha256Trailer: Buffer.from(databaseSha256, 'hex') }),
  hashKvOf,
  positionOf,
});
