/** Milliseconds per named phase. Phases may overlap; a phase that runs twice adds up. */
export class Stopwatch {
  private readonly phases = new Map<string, number>();
  constructor(private readonly now: () => Date) {}

  async time<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const started = this.now().getTime();
    try {
      return await work();
    } finally {
      this.phases.set(phase, (this.phases.get(phase) ?? 0) + Math.max(0, this.now().getTime() - started));
    }
  }

  get durations(): Record<string, number> {
    return Object.fromEntries(this.phases);
  }
}
