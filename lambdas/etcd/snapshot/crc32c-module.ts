/**
 * The inner loop of the CRC as a WebAssembly module, assembled here so that no binary has to be checked in.
 *
 * Plain JavaScript reaches 2 GB/s with sixteen lookup tables; this loop has no tables at all and runs at memory speed.
 * It exports `fold(history: i32, source: i32, bytes: i32)` over an imported memory:
 *
 *     for (; bytes > 0; history += 16, source += 16, bytes -= 16)
 *       mem128[history + LAGS.far] = mem128[source] ^ mem128[history] ^ mem128[history + FAR - MIDDLE] ^ mem128[history + FAR - NEAR]
 *
 * It works in steps of 16 bytes and so reads and writes up to 63 bytes more than asked: both sides need that much room.
 */

/**
 * `1 + x^(8·2751) + x^(8·4508) + x^(8·5275)` is a multiple of the Castagnoli polynomial, so a byte may be removed from a message
 * without changing its remainder by XORing it to the bytes that stand so far behind it. The lowest degree at which a
 * multiple with only four terms exists is 5275 (that is where CRC-32C's Hamming distance falls from 6 to 4).
 */
export const LAGS: Readonly<Record<'near' | 'middle' | 'far', number>> = { near: 767, middle: 2524, far: 5275 };

/** Bytes that `fold` may touch behind the end of what it was asked for. */
export const OVERRUN = 64;

const Op = {
  loop: 0x03,
  end: 0x0b,
  brIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i32Add: 0x6a,
  i32GtS: 0x4a,
};
const V128 = { load: [0xfd, 0x00], store: [0xfd, 0x0b], xor: [0xfd, 0x51] };
const I32 = 0x7f;
const NO_RESULT = 0x40;
const STEP = 16;
const UNROLLED = 4;

function unsigned(value: number): number[] {
  const out: number[] = [];
  for (; value > 127; value >>>= 7) out.push((value & 127) | 128);
  return [...out, value];
}

function signed(value: number): number[] {
  const out: number[] = [];
  for (; value < -64 || value > 63; value >>= 7) out.push((value & 127) | 128);
  return [...out, value & 127];
}

/** Alignment exponent 0: the bytes of a page start anywhere. */
const at = (offset: number) => [0, ...unsigned(offset)];
const section = (id: number, ...items: readonly (readonly number[])[]) => {
  const body = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(body.length), ...body];
};
const text = (name: string) => [name.length, ...Buffer.from(name)];

const [HISTORY, SOURCE, BYTES] = [0, 1, 2];

function step(index: number): number[] {
  const load = (local: number, offset: number) => [Op.localGet, local, ...V128.load, ...at(offset + index * STEP)];
  return [
    ...[Op.localGet, HISTORY],
    ...load(SOURCE, 0),
    ...[...load(HISTORY, 0), ...V128.xor],
    ...[...load(HISTORY, LAGS.far - LAGS.middle), ...V128.xor],
    ...[...load(HISTORY, LAGS.far - LAGS.near), ...V128.xor],
    ...[...V128.store, ...at(LAGS.far + index * STEP)],
  ];
}

function foldBody(): number[] {
  const advance = (local: number, by: number) => [Op.localGet, local, Op.i32Const, ...signed(by), Op.i32Add];
  const bytes = STEP * UNROLLED;
  const loop = [
    ...[Op.loop, NO_RESULT],
    ...Array.from({ length: UNROLLED }, (_, index) => step(index)).flat(),
    ...[...advance(HISTORY, bytes), Op.localSet, HISTORY],
    ...[...advance(SOURCE, bytes), Op.localSet, SOURCE],
    ...[...advance(BYTES, -bytes), Op.localTee, BYTES, Op.i32Const, 0, Op.i32GtS, Op.brIf, 0],
    Op.end,
  ];
  const body = [0, ...loop, Op.end];
  return [...unsigned(body.length), ...body];
}

/** The module's bytes: it imports `env.memory` with at least `pages` pages of 64 KiB. */
export function crcModule(pages: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [0x60, 3, I32, I32, I32, 0]),
    ...section(2, [...text('env'), ...text('memory'), 0x02, 0x00, ...unsigned(pages)]),
    ...section(3, [0]),
    ...section(7, [...text('fold'), 0x00, 0]),
    ...section(10, foldBody()),
  ]);
}
