import { SetupError } from './setup-error.mjs';

export const PURPOSES = ['demo', 'test', 'bench', 'e2e', 'ci'];
const USAGE = `usage: node local/setup.mjs --for ${PURPOSES.join('|')} [-- <command> [arguments …]]`;

/** What the machine is made ready for, and the command to run afterwards; nothing after `--` is interpreted. */
export function parseArguments(argv) {
  const [flag, purpose, separator, ...command] = argv;
  if (flag !== '--for' || (separator !== undefined && separator !== '--')) throw new SetupError(USAGE);
  if (!PURPOSES.includes(purpose)) throw new SetupError(`--for "${purpose ?? ''}" is not one of ${PURPOSES.join(', ')}\n${USAGE}`);
  return { purpose, command };
}
