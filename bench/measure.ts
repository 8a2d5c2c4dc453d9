export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly wallMs: number }> {
  const started = performance.now();
  const result = await work();
  return { result, wallMs: performance.now() - started };
}
