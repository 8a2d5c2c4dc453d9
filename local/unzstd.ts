import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { pythonPath } from './tools';

const run = promisify(execFile);

/**
 * Decompresses a file by plain `zstd -d` where it is installed, else by the reference library's Python binding; Node's own
 * decompressor ends after the first of several frames.
 *
 * @returns by what it was done
 */
export async function unzstd(packed: string, plain: string): Promise<'zstd -d' | 'python zstandard'> {
  const zstd = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'zstd'))
    .find((file) => existsSync(file));
  if (zstd !== undefined) {
    await run(zstd, ['-d', '-q', '-f', packed, '-o', plain]);
    return 'zstd -d';
  }
  await run(pythonPath(), [path.join(__dirname, 'unzstd.py'), packed, plain]);
  return 'python zstandard';
}
