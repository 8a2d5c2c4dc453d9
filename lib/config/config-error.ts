/** One thing wrong in the config: where, and what to do about it. An empty `path` means the file as a whole. */
export interface Mistake {
  readonly path: string;
  readonly problem: string;
}

/** Every mistake of a config file at once, one per line, so that an operator corrects the file in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    /** What was read: a file name, or `the config`. */
    readonly source: string,
    readonly mistakes: readonly Mistake[],
    options?: ErrorOptions,
  ) {
    const lines = mistakes.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`));
    super(`${source} has ${mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`}\n${lines.join('\n')}`, options);
  }
}
