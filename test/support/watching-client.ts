import type { Etcd3 } from 'etcd3';
import { endsWithFile } from './ends-with-file';

/** What a client of the API server sees of etcd: it writes all the time, and keeps the revision of everything that it was answered. */
export interface WatchingClient {
  /** The highest revision that any answer carried. */
  readonly highest: number;
  /** Answers whose revision was not above every one before, each as `before > after`. */
  readonly backwards: readonly string[];
  readonly writes: number;
  stop(): Promise<void>;
}

/**
 * Writes one key over and over through any of the members. A write that fails, as all do while etcd is stopped, is tried again. Ends with the test
 * file at the latest.
 */
export function startWatchingClient(open: () => Etcd3, key: string): WatchingClient {
  const seen = { highest: 0, backwards: [] as string[], writes: 0 };
  const state = { going: true };
  const work = (async () => {
    let client = open();
    while (state.going) {
      try {
        const { header } = await client.kv.put(
          { key: Buffer.from(key), value: Buffer.from(String(seen.writes)) },
          { deadline: Date.now() + 2_000 },
        );
        const revision = Number(header.revision);
        if (revision <= seen.highest) seen.backwards.push(`${seen.highest} > ${revision}`);
        seen.highest = Math.max(seen.highest, revision);
        seen.writes++;
      } catch {
        // A connection that has seen its member stop keeps away from it for a while.
        client.close();
        client = open();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.close();
  })();
  return {
    get highest() {
      return seen.highest;
    },
    get backwards() {
      return seen.backwards;
    },
    get writes() {
      return seen.writes;
    },
    stop: endsWithFile(async () => {
      state.going = false;
      await work;
    }),
  };
}
