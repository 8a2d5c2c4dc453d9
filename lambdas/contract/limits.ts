const GIB = 1024 ** 3;

/**
 * The function's disk beside the largest configured database, in GiB: room for the file to end above the quota (below) and for what the
 * file system keeps to itself, up to 5 %.
 */
export const DISK_HEADROOM_GIB = 1;

/**
 * The largest snapshot that a run takes, in bytes, for a database of so many GiB. etcd applies the write that raises NOSPACE, and bbolt
 * grows its file by steps (`AllocSize`, 16 MiB), so a full database is larger than its quota; that is no reason to go without a backup.
 */
export const maxSnapshotBytes = (maxDbSizeGiB: number): number => (maxDbSizeGiB + DISK_HEADROOM_GIB / 2) * GIB;
