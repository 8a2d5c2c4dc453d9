import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { messageOf } from '../contract/lifeboat-error';
import { PkiUnusable } from './errors';

const unzip = promisify(gunzip);
const zip = promisify(gzip);

/** A whole kubeadm tree has some fifty files of a few KiB; more than this is no such tree, or a bomb. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Texts by the path of their file. */
export type Files = ReadonlyMap<string, string>;

/**
 * What nodes and secrets pass to each other: a tar.gz in base64.
 *
 * @param what for the message: never the content
 * @throws PkiUnusable when it is no such archive, is larger than 4 MiB, or has anything but plain files with relative paths
 */
export async function filesOf(base64: string, what: string): Promise<Files> {
  const files = new Map<string, string>();
  try {
    const tar = extract();
    tar.end(await unzip(Buffer.from(base64, 'base64'), { maxOutputLength: MOST_BYTES }));
    for await (const entry of tar) {
      const { name, type } = entry.header;
      const chunks: Buffer[] = [];
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
      const path = name.replace(/^(\.\/)+/, '');
      if (type === 'directory') continue;
      if (type !== 'file' || path.startsWith('/') || path.split('/').includes('..')) throw new Error(`it holds ${name}, a ${type}`);
      files.set(path, Buffer.concat(chunks).toString('utf8'));
    }
  } catch (cause) {
    throw new PkiUnusable(`${what} is not an archive of plain files: ${messageOf(cause)}`, { cause });
  }
  return files;
}

/** The same bytes for the same files, whatever their order: what is compared by its hash must not differ by time. */
export async function archiveOf(files: Files): Promise<string> {
  const tar = pack();
  const chunks: Buffer[] = [];
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    tar.entry({ name, mode: name.endsWith('.crt') || name.endsWith('.pub') ? 0o644 : 0o600, mtime: new Date(0) }, content);
  tar.finalize();
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return (await zip(Buffer.concat(chunks), { level: 9 })).toString('base64');
}

/** By which a node knows that it has the archive that was meant. */
export const setSha256Of = (archive: string): string => createHash('sha256').update(Buffer.from(archive, 'base64')).digest('hex');
