import type { BoltItem } from './bolt-file';
import { metaPage, withTrailer } from './bolt-file';

const PAGE = 4096;

/** Single bbolt pages where a test wants them, for trees that no honest writer makes. */
export interface PageAt {
  readonly page: number;
  readonly bytes: Buffer;
}

function page(id: number, flags: number, count: number, content: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(BigInt(id), 0);
  head.writeUInt16LE(flags, 8);
  head.writeUInt16LE(count, 10);
  const body = Buffer.concat([head, ...content]);
  const bytes = Buffer.alloc(Math.ceil(body.length / PAGE) * PAGE);
  body.copy(bytes);
  bytes.writeUInt32LE(bytes.length / PAGE - 1, 12);
  return bytes;
}

type Entry = Extract<BoltItem, { value: Buffer }>;

export function leafPage(id: number, entries: readonly Entry[], flags = 0): Buffer {
  let position = 16 + entries.length * 16;
  const elements = entries.map(({ key, value }, i) => {
    const element = Buffer.alloc(16);
    element.writeUInt32LE(flags, 0);
    element.writeUInt32LE(position - 16 - i * 16, 4);
    element.writeUInt32LE(key.length, 8);
    element.writeUInt32LE(value.length, 12);
    position += key.length + value.length;
    return element;
  });
  return page(id, 2, entries.length, [...elements, ...entries.flatMap(({ key, value }) => [key, value])]);
}

export function branchPage(id: number, children: readonly { readonly key: Buffer; readonly page: number }[]): Buffer {
  let position = 16 + children.length * 16;
  const elements = children.map(({ key, page: child }, i) => {
    const element = Buffer.alloc(16);
    element.writeUInt32LE(position - 16 - i * 16, 0);
    element.writeUInt32LE(key.length, 4);
    element.writeBigUInt64LE(BigInt(child), 8);
    position += key.length;
    return element;
  });
  return page(id, 1, children.length, [...elements, ...children.map(({ key }) => key)]);
}

/** A root bucket with nothing but etcd's `key` bucket, whose tree begins at `root`. */
export function keyRoot(id: number, root: number): Buffer {
  const value = Buffer.alloc(16);
  value.writeBigUInt64LE(BigInt(root), 0);
  return leafPage(id, [{ key: Buffer.from('key'), value }], 1);
}

/** The file of these pages with meta pages, of which page 2 is the root, and trailer. */
export function fileOfPages(pages: readonly PageAt[]): Buffer {
  const count = Math.max(...pages.map(({ page: id, bytes }) => id + bytes.length / PAGE));
  const file = Buffer.alloc(count * PAGE);
  for (const { page: id, bytes } of pages) bytes.copy(file, id * PAGE);
  for (const id of [0, 1]) {
    metaPage({ page: id, pageSize: PAGE, root: 2, freelist: 0xffff_ffff_ffff_ffffn, pages: count, transaction: 8 - id }).copy(
      file,
      id * PAGE,
    );
  }
  return withTrailer(file);
}
