import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * Where things are kept. Tools outlive checkouts, so they lie in the user's cache:
 * `$LIFEBOAT_CACHE`, else `$XDG_CACHE_HOME/kube-lifeboat`, else `~/.cache/kube-lifeboat`.
 */
export function locations(env) {
  const cache = env.LIFEBOAT_CACHE || path.join(env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'kube-lifeboat');
  return {
    root,
    cache: path.resolve(cache),
    logs: path.join(path.resolve(cache), 'logs'),
    nodeModules: path.join(root, 'node_modules'),
    setup: path.join(root, 'local/setup'),
  };
}
