import { createHash } from 'node:crypto';

/** What a test wants in a bbolt file; pages are given ids in the order in which they are made. */
export type BoltItem =
  | { readonly key: Buffer; readonly value: Buffer }
  | { readonly key: Buffer; readonly bucket: readonly BoltItem[]; readonly inline?: boolean };

export interface BoltOptions {
  readonly pageSize?: number;
  /** Entries to a leaf page. */
  readonly perLeaf?: number;
  /** Children to a branch page. */
  readonly perBranch?: number;
  /** `none`: not kept, as in etcd; else the number of free pages that lie between the others. */
  readonly freePages?: number | 'none';
  /** Writes the free list with the count of large ones, whatever its length. */
  readonly largeFreelist?: boolean;
}

const PAGE_HEADER = 16;
const ELEMENT = 16;

function fnv1a64(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

export interface MetaFields {
  readonly page: number;
  readonly pageSize: number;
  readonly root: number;
  readonly freelist: bigint;
  readonly pages: number;
  readonly transaction: number;
}

/** A valid meta page. */
export function metaPage({ page, pageSize, root, freelist, pages, transaction }: MetaFields): Buffer {
  const bytes = Buffer.alloc(pageSize);
  bytes.writeBigUInt64LE(BigInt(page), 0);
  bytes.writeUInt16LE(4, 8);
  bytes.writeUInt32LE(0xed0cdaed, 16);
  bytes.writeUInt32LE(2, 20);
  bytes.writeUInt32LE(pageSize, 24);
  bytes.writeBigUInt64LE(BigInt(root), 32);
  bytes.writeBigUInt64LE(freelist, 48);
  bytes.writeBigUInt64LE(BigInt(pages), 56);
  bytes.writeBigUInt64LE(BigInt(transaction), 64);
  return sealMeta(bytes);
}

/** Makes the checksum of a meta page right again after a change. */
export function sealMeta(page: Buffer): Buffer {
  page.writeBigUInt64LE(fnv1a64(page.subarray(16, 72)), 72);
  return page;
}

/** The file with the SHA-256 of what it has. */
export const withTrailer = (pages: Buffer): Buffer => Buffer.concat([pages, createHash('sha256').update(pages).digest()]);

/** The file with its trailer made right again after a change. */
export const resealed = (file: Buffer): Buffer => withTrailer(file.subarray(0, file.length - 32));

interface Element {
  readonly flags: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

class BoltBuilder {
  readonly pages: Buffer[] = [];
  private next = 2;

  constructor(private readonly options: Required<BoltOptions>) {}

  get count(): number {
    return this.next;
  }

  place(bytes: Buffer): number {
    const { pageSize } = this.options;
    const span = Math.ceil(bytes.length / pageSize);
    const page = Buffer.alloc(span * pageSize);
    bytes.copy(page);
    page.writeBigUInt64LE(BigInt(this.next), 0);
    page.writeUInt32LE(span - 1, 12);
    this.pages.push(page);
    this.next += span;
    return this.next - span;
  }

  private leaf(elements: readonly Element[]): Buffer {
    const head = Buffer.alloc(PAGE_HEADER + elements.length * ELEMENT);
    head.writeUInt16LE(2, 8);
    head.writeUInt16LE(elements.length, 10);
    let position = head.length;
    for (const [i, { flags, key, value }] of elements.entries()) {
      const at = PAGE_HEADER + i * ELEMENT;
      head.writeUInt32LE(flags, at);
      head.writeUInt32LE(position - at, at + 4);
      head.writeUInt32LE(key.length, at + 8);
      head.writeUInt32LE(value.length, at + 12);
      position += key.length + value.length;
    }
    return Buffer.concat([head, ...elements.flatMap(({ key, value }) => [key, value])]);
  }

  private branch(children: readonly { key: Buffer; page: number }[]): Buffer {
    const head = Buffer.alloc(PAGE_HEADER + children.length * ELEMENT);
    head.writeUInt16LE(1, 8);
    head.writeUInt16LE(children.length, 10);
    let position = head.length;
    for (const [i, { key, page }] of children.entries()) {
      const at = PAGE_HEADER + i * ELEMENT;
      head.writeUInt32LE(position - at, at);
      head.writeUInt32LE(key.length, at + 4);
      head.writeBigUInt64LE(BigInt(page), at + 8);
      position += key.length;
    }
    return Buffer.concat([head, ...children.map(({ key }) => key)]);
  }

  private elements(items: readonly BoltItem[]): Element[] {
    return items.map((item) => {
      if ('value' in item) return { flags: 0, key: item.key, value: item.value };
      const header = Buffer.alloc(16);
      if (item.inline) return { flags: 1, key: item.key, value: Buffer.concat([header, this.leaf(this.elements(item.bucket))]) };
      header.writeBigUInt64LE(BigInt(this.tree(item.bucket)), 0);
      return { flags: 1, key: item.key, value: header };
    });
  }

  /** Writes a tree bottom up and returns its root page. */
  tree(items: readonly BoltItem[]): number {
    const elements = this.elements(items);
    if (elements.length === 0) return this.place(this.leaf([]));
    let level = groups(elements, this.options.perLeaf).map((group) => ({ key: group[0]!.key, page: this.place(this.leaf(group)) }));
    while (level.length > 1)
      level = groups(level, this.options.perBranch).map((group) => ({ key: group[0]!.key, page: this.place(this.branch(group)) }));
    return level[0]!.page;
  }

  /** Leaves pages free and writes the list of them. */
  freelist(): number {
    const { freePages, largeFreelist, pageSize } = this.options;
    const free = Array.from({ length: freePages === 'none' ? 0 : freePages }, () => this.place(Buffer.alloc(pageSize)));
    const ids = largeFreelist ? [free.length, ...free] : free;
    const bytes = Buffer.alloc(PAGE_HEADER + ids.length * 8);
    bytes.writeUInt16LE(16, 8);
    bytes.writeUInt16LE(largeFreelist ? 0xffff : free.length, 10);
    for (const [i, id] of ids.entries()) bytes.writeBigUInt64LE(BigInt(id), PAGE_HEADER + i * 8);
    return this.place(bytes);
  }
}

function groups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** A bbolt file as etcd streams it, with its trailer: a small second writer of the format, so that every corner of it can be had. */
export function boltFile(root: readonly BoltItem[], options: BoltOptions = {}): Buffer {
  const all = { pageSize: 4096, perLeaf: 5, perBranch: 4, freePages: 'none', largeFreelist: false, ...options } as const;
  const builder = new BoltBuilder(all);
  const rootPage = builder.tree(root);
  const freelist = all.freePages === 'none' ? 0xffff_ffff_ffff_ffffn : BigInt(builder.freelist());
  const meta = (page: number, transaction: number) =>
    metaPage({ page, pageSize: all.pageSize, root: rootPage, freelist, pages: builder.count, transaction });
  return withTrailer(Buffer.concat([meta(0, 8), meta(1, 7), ...builder.pages]));
}
