/** What is still under way when a test file ends: a test that failed has stopped nothing. */
const underWay = new Set<() => Promise<unknown>>();
afterAll(() => Promise.all([...underWay].map((stop) => stop())));

/** Stops at the end of the test file what nobody has stopped by then. */
export function endsWithFile<T>(stop: () => Promise<T>): () => Promise<T> {
  const once = async (): Promise<T> => {
    const end = await stop();
    underWay.delete(once);
    return end;
  };
  underWay.add(once);
  return once;
}
