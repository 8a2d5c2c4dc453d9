import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { sleep } from '../local/child-process';
import type { ApiCredentials } from './api-client';
import { send, textOf } from './api-client';
import type { World } from './world';

const LIST_WITHIN_MS = 20_000;
const AGAIN_AFTER_MS = 500;

const Named = z.object({ metadata: z.object({ name: z.string(), uid: z.string(), resourceVersion: z.string() }) });
const List = z.object({ metadata: z.object({ resourceVersion: z.string() }), items: z.array(Named) });
const Change = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: Named }),
  z.object({ type: z.literal('BOOKMARK'), object: z.object({ metadata: z.object({ resourceVersion: z.string() }) }) }),
  z.object({ type: z.literal('ERROR'), object: z.object({ code: z.number(), message: z.string().optional() }) }),
]);

/** A client that lists once and then believes what a watch tells it, as controllers do (client-go, tools/cache/reflector.go). */
export interface Watcher {
  /** Uids by name, as far as it has heard. */
  readonly known: ReadonlyMap<string, string>;
  /** How often it was told that what it knows is too old, and listed anew. */
  readonly expired: number;
  /** How often its watch was opened. */
  readonly opened: number;
  /** Changes that it heard by watches, not by lists. */
  readonly heard: number;
  stop(): Promise<void>;
}

interface WatcherOptions {
  readonly url: string;
  readonly credentials: ApiCredentials;
  /** Of a list, such as `/api/v1/namespaces/shop/configmaps`. */
  readonly path: string;
}

/** Lets `work` have a watcher of one list, through the balancer. */
export async function watching<T>(world: World, path: string, work: (watcher: Watcher) => Promise<T>): Promise<T> {
  const watcher = startWatcher({ url: world.balancer.url, credentials: world.credentials(), path });
  try {
    return await work(watcher);
  } finally {
    await watcher.stop();
  }
}

function startWatcher(options: WatcherOptions): Watcher {
  const seen = new Seen(options);
  const ended = seen.follow();
  return {
    known: seen.known,
    get expired() {
      return seen.expired;
    },
    get opened() {
      return seen.opened;
    },
    get heard() {
      return seen.heard;
    },
    stop: async () => {
      seen.ending.abort();
      await ended;
    },
  };
}

class Seen {
  readonly known = new Map<string, string>();
  readonly ending = new AbortController();
  expired = 0;
  opened = 0;
  heard = 0;
  /** Where the next watch begins; undefined when everything must be listed. */
  private version: string | undefined;

  constructor(private readonly options: WatcherOptions) {}

  async follow(): Promise<void> {
    while (!this.ending.signal.aborted) {
      try {
        if (this.version === undefined) await this.list();
        else await this.watch(this.version);
      } catch {
        // Whatever is in the way of one attempt: another one follows, from where the last one ended.
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }

  private async list(): Promise<void> {
    const signal = AbortSignal.any([this.ending.signal, AbortSignal.timeout(LIST_WITHIN_MS)]);
    const answer = await this.ask('', signal);
    const { metadata, items } = List.parse(JSON.parse(await textOf(answer)));
    this.known.clear();
    for (const { metadata: each } of items) this.known.set(each.name, each.uid);
    this.version = metadata.resourceVersion;
  }

  private async watch(from: string): Promise<void> {
    const answer = await this.ask(`?watch=true&allowWatchBookmarks=true&resourceVersion=${from}`, this.ending.signal);
    if (answer.statusCode === 410) {
      this.tooOld();
      return;
    }
    if (answer.statusCode !== 200) throw new Error(`the watch answers ${answer.statusCode}`);
    this.opened++;
    let rest = '';
    for await (const part of answer.setEncoding('utf8')) {
      const lines = (rest + String(part)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.hear(Change.parse(JSON.parse(line)));
      if (this.version === undefined) return void answer.destroy();
    }
  }

  private hear(change: z.infer<typeof Change>): void {
    if (change.type === 'ERROR') {
      if (change.object.code !== 410) throw new Error(`the watch tells ${change.object.code} ${change.object.message ?? ''}`);
      this.tooOld();
      return;
    }
    this.version = change.object.metadata.resourceVersion;
    if (change.type === 'BOOKMARK') return;
    this.heard++;
    const { name, uid } = change.object.metadata;
    if (change.type === 'DELETED') this.known.delete(name);
    else this.known.set(name, uid);
  }

  private tooOld(): void {
    this.expired++;
    this.version = undefined;
  }

  private ask(query: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, credentials, path } = this.options;
    return send(url, credentials, { method: 'GET', path: `${path}${query}`, signal });
  }
}
