import { Agent, request } from 'node:https';
import { z } from 'zod';
import { sleep } from '../child-process';
import type { EtcdCluster } from './cluster';

const EVERY_MS = 50;
/** A member without a leader holds a read for seconds: it is asked again instead. */
const WITHIN_MS = 500;

const Answer = z.object({ header: z.object({ revision: z.coerce.number() }) });
const QUESTION = JSON.stringify({ key: Buffer.from('/lifeboat-read-probe').toString('base64') });

/** What a client sees of etcd that reads all the time, through raft, and does not care which member answers. */
export interface ReadProbe {
  /** The highest revision that any answer carried so far. */
  readonly highest: number;
  /** The longest time without an answer of any member, in seconds. */
  readonly longestGap: number;
  /** Resolves by the next answer, to the time of `performance.now()`. */
  answered(): Promise<number>;
  stop(): Promise<void>;
}

/** Asks every member in its own loop, every 50 ms, by etcd's JSON gateway: a gRPC client would keep away from a member that it saw refuse. */
export function startReadProbe({ endpoints, credentials }: Pick<EtcdCluster, 'endpoints' | 'credentials'>): ReadProbe {
  const seen = { highest: 0, longestMs: 0, last: undefined as number | undefined };
  let going = true;
  let waiting: ((at: number) => void)[] = [];
  const onAnswer = (revision: number): void => {
    const now = performance.now();
    if (seen.last !== undefined) seen.longestMs = Math.max(seen.longestMs, now - seen.last);
    seen.last = now;
    seen.highest = Math.max(seen.highest, revision);
    for (const tell of waiting.splice(0)) tell(now);
  };
  const { ca, cert, key } = credentials;
  const loops = endpoints.map(async (endpoint) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, cert, key, servername: 'localhost' });
    while (going) {
      const began = performance.now();
      const revision = await read(endpoint, agent);
      if (revision !== undefined) onAnswer(revision);
      await sleep(Math.max(1, EVERY_MS - (performance.now() - began)));
    }
    agent.destroy();
  });
  return {
    get highest() {
      return seen.highest;
    },
    get longestGap() {
      return seen.longestMs / 1000;
    },
    answered: () => new Promise((resolve) => waiting.push(resolve)),
    stop: async () => {
      going = false;
      waiting = [];
      await Promise.all(loops);
    },
  };
}

/** The revision of one linearizable read, which is what etcd's Range is unless told otherwise; undefined when there was none. */
function read(endpoint: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve) => {
    const nothing = () => resolve(undefined);
    const asked = request(`${endpoint}/v3/kv/range`, { method: 'POST', agent, signal: AbortSignal.timeout(WITHIN_MS) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.once('error', nothing);
      answer.once('end', () => {
        resolve(answer.statusCode === 200 ? Answer.safeParse(JSON.parse(text)).data?.header.revision : undefined);
      });
    });
    asked.once('error', nothing);
    asked.end(QUESTION);
  });
}
