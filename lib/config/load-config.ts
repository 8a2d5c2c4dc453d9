import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error';
import type { Mistake } from './config-error';
import { findJsonMistake } from './json-mistake';
import { Lifeboat } from './schema';
import type { Config } from './schema';

/** Reads and checks a config file; `path` is relative to the working directory. Throws ConfigError with every mistake at once. */
export function loadConfig(path: string): Config {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const problem = `cannot be read (${cause instanceof Error ? cause.message : String(cause)}); name another file by -c config=path/to/lifeboat.json`;
    throw new ConfigError(path, [{ path: '', problem }], { cause });
  }
  return parseConfig(text, path);
}

/** Checks the text of a config file; `source` names it in messages. Throws ConfigError with every mistake at once. */
export function parseConfig(text: string, source = 'the config'): Config {
  // Editors on Windows begin a UTF-8 file with a byte order mark, which is not JSON.
  const json = text.replace(/^\uFEFF/, '');
  const mistake = findJsonMistake(json);
  if (mistake !== undefined) {
    throw new ConfigError(source, [{ path: `line ${mistake.line}, column ${mistake.column}`, problem: mistake.problem }]);
  }
  const parsed = Lifeboat.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  throw new ConfigError(source, parsed.error.issues.flatMap(mistakesOf), { cause: parsed.error });
}

function mistakesOf({ path, message }: { readonly path: readonly PropertyKey[]; readonly message: string }): Mistake[] {
  return message.split('\n').map((problem) => ({ path: writtenPath(path), problem }));
}

/** `clusters[0].etcd.endpoints[1]`; a key that is no plain word is quoted. */
function writtenPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((written, part) => {
    if (typeof part === 'number') return `${written}[${part}]`;
    const key = String(part);
    if (!/^[$\w]+$/.test(key)) return `${written}[${JSON.stringify(key)}]`;
    return written === '' ? key : `${written}.${key}`;
  }, '');
}
