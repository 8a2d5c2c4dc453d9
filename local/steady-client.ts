import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RequestLog {
  readonly requests: number;
  /** What went wrong, each with the time and the API server. */
  readonly failed: readonly string[];
}

/** A client of all API servers that asks one after the other, each time by a handshake of its own, and never asks twice. */
export class SteadyClient {
  private requests = 0;
  private readonly failed: string[] = [];
  private running = true;
  private readonly done: Promise<void>;

  constructor(
    private readonly urls: readonly string[],
    private readonly ca: string,
    private readonly everyMs = 20,
  ) {
    this.done = this.run();
  }

  async stop(): Promise<RequestLog> {
    this.running = false;
    await this.done;
    return { requests: this.requests, failed: this.failed };
  }

  private async run(): Promise<void> {
    for (let turn = 0; this.running; turn++) {
      const url = this.urls[turn % this.urls.length] ?? '';
      const wrong = await this.ask(url);
      this.requests++;
      if (wrong !== undefined) this.failed.push(`${new Date().toISOString()} ${url}: ${wrong}`);
      await sleep(this.everyMs);
    }
  }

  private ask(url: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const asked = get(new URL('/livez', url), { ca: this.ca, agent: false, timeout: 15_000 }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode === 200 ? undefined : `it answers ${answer.statusCode}`));
      });
      asked.once('timeout', () => asked.destroy(new Error('no answer within 15 s')));
      asked.once('error', (error) => resolve(error.message));
    });
  }
}
