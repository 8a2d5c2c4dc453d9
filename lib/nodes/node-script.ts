import { readFileSync } from 'node:fs';
import path from 'node:path';
import { NodeCommands, nodeVariable } from '../../lambdas/contract/node-commands';
import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import { withoutUnreachable } from './reachable-functions';

const FOLDER = path.join(__dirname, '../../nodes');
const SOURCE = /^\. "\$\{BASH_SOURCE%\/\*\}\/(.+)"$/;
const SHEBANG = '#!/usr/bin/env bash';

/** A script with every file that it sources put in the place of the line that does so, without their comment lines. */
function withItsParts(file: string): string[] {
  return readFileSync(path.join(FOLDER, file), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const part = SOURCE.exec(line)?.[1];
      if (part !== undefined) return withItsParts(path.join(path.dirname(file), part));
      return /^\s*(#|$)/.test(line) ? [] : [line];
    });
}

/**
 * What Run Command hands to the shell, a line each: the parameters as environment variables, then the script with what it needs of the library.
 * `{{ name }}` is filled in by Systems Manager before the node sees it; the pattern of each parameter keeps the quotes closed.
 */
export function nodeScript(command: NodeCommandName): string[] {
  const inputs = NodeCommands[command].parameters.map((name) => `export ${nodeVariable(name)}='{{ ${name} }}'`);
  return [SHEBANG, `export ${nodeVariable('command')}='${command}'`, ...inputs, ...withoutUnreachable(withItsParts(`${command}.sh`))];
}
