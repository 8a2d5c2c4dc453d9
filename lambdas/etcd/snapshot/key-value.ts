const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const MAX_VARINT_BYTES = 10;

const Field = { key: 1, createRevision: 2, modRevision: 3, version: 4, value: 5, lease: 6 } as const;

/**
 * Scans an `mvccpb.KeyValue` in place, by offsets, for reuse over many entries:
 * `key` 1 bytes, `create_revision` 2, `mod_revision` 3, `version` 4, `value` 5 bytes, `lease` 6 (etcd `api/mvccpb/kv.proto`).
 */
export class KeyValueScanner {
  keyStart = 0;
  keyEnd = 0;
  createRevision = 0;
  modRevision = 0;
  version = 0;
  private at = 0;

  /** False if [start, end) is no such message: fields in order, each at most once, none unknown, as etcd writes them. */
  scan(bytes: Buffer, start: number, end: number): boolean {
    this.keyStart = this.keyEnd = start;
    this.createRevision = this.modRevision = this.version = 0;
    this.at = start;
    for (let before = 0; this.at < end;) {
      const tag = bytes[this.at++] ?? 0;
      const field = tag >>> 3;
      if (field <= before || field > Field.lease) return false;
      before = field;
      const wire = field === Field.key || field === Field.value ? WIRE_BYTES : WIRE_VARINT;
      if ((tag & 7) !== wire) return false;
      const number = this.varint(bytes, end);
      if (number < 0 || (wire === WIRE_BYTES && number > end - this.at)) return false;
      this.take(field, number);
    }
    return true;
  }

  private take(field: number, number: number): void {
    if (field === Field.key) {
      this.keyStart = this.at;
      this.keyEnd = this.at += number;
    } else if (field === Field.value) this.at += number;
    else if (field === Field.createRevision) this.createRevision = number;
    else if (field === Field.modRevision) this.modRevision = number;
    else if (field === Field.version) this.version = number;
  }

  /** The next varint, exact below 2^53; -1 if it does not end in time. */
  private varint(bytes: Buffer, end: number): number {
    let number = 0;
    let weight = 1;
    for (let i = 0; i < MAX_VARINT_BYTES && this.at < end; i++, weight *= 128) {
      const byte = bytes[this.at++] ?? 0;
      number += (byte & 127) * weight;
      if (byte < 128) return number;
    }
    return -1;
  }
}
