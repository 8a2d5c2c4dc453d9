/** Bytes before each gRPC message: one for compression, four for the length, big endian (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;
/** etcdserverpb.SnapshotResponse: header = 1, remaining_bytes = 2, blob = 3, version = 4. */
const BLOB_FIELD = 3;
const VARINT = 0;
const LENGTH_DELIMITED = 2;

type Expecting = 'prefix' | 'tag' | 'number' | 'length' | 'bytes';

/**
 * Finds the blobs in the bytes of a snapshot call, without copying: each chunk that arrives gives views of the parts of it that belong
 * to blobs. A general protobuf decoder copies every byte of a stream that is nothing but one large field.
 */
export class SnapshotMessages {
  private expecting: Expecting = 'prefix';
  private prefix: number[] = [];
  /** Bytes left of the current message, and of the current length-delimited field. */
  private messageLeft = 0;
  private fieldLeft = 0;
  private field = 0;
  private value = 0;
  private scale = 1;

  /** Whether the bytes so far end between two messages: anything else at the end of a stream is a loss. */
  get complete(): boolean {
    return this.expecting === 'prefix' && this.prefix.length === 0;
  }

  /**
   * @throws RangeError on bytes that are no SnapshotResponse: compressed, of an unknown wire type, or a field longer than its message
   */
  *blobsOf(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.length;) {
      if (this.expecting === 'bytes') {
        const end = Math.min(chunk.length, at + this.fieldLeft);
        if (this.field === BLOB_FIELD) yield chunk.subarray(at, end);
        this.consumeField(end - at);
        at = end;
      } else this.consumeByte(chunk[at++] ?? 0);
    }
  }

  private consumeByte(byte: number): void {
    if (this.expecting === 'prefix') {
      this.prefix.push(byte);
      if (this.prefix.length === PREFIX_BYTES) this.openMessage();
      return;
    }
    this.messageLeft--;
    this.value += (byte & 127) * this.scale;
    this.scale *= 128;
    if (this.scale > 2 ** 70) throw new RangeError('a number in the snapshot stream is longer than ten bytes');
    if (byte < 128) this.closeVarint();
    else if (this.messageLeft === 0) throw new RangeError('a message of the snapshot stream ends inside a number');
  }

  private openMessage(): void {
    const [compressed = 0, ...length] = this.prefix;
    if (compressed !== 0) throw new RangeError('the snapshot stream is compressed, which was not asked for');
    this.messageLeft = length.reduce((sum, byte) => sum * 256 + byte, 0);
    this.prefix = [];
    this.expectTag();
  }

  private closeVarint(): void {
    const { value, expecting } = this;
    this.value = 0;
    this.scale = 1;
    if (expecting === 'tag') {
      const wireType = value & 7;
      if (wireType !== VARINT && wireType !== LENGTH_DELIMITED) throw new RangeError(`wire type ${wireType} in the snapshot stream`);
      this.field = Math.floor(value / 8);
      this.expecting = wireType === VARINT ? 'number' : 'length';
    } else if (expecting === 'length') {
      if (value > this.messageLeft) throw new RangeError(`a field of ${value} bytes in a message that has ${this.messageLeft} left`);
      this.fieldLeft = value;
      this.expecting = 'bytes';
      if (value === 0) this.expectTag();
    } else this.expectTag();
    if (this.messageLeft === 0 && this.expecting !== 'prefix') throw new RangeError('a message of the snapshot stream ends inside a field');
  }

  private consumeField(bytes: number): void {
    this.fieldLeft -= bytes;
    this.messageLeft -= bytes;
    if (this.fieldLeft === 0) this.expectTag();
  }

  private expectTag(): void {
    this.expecting = this.messageLeft === 0 ? 'prefix' : 'tag';
  }
}
