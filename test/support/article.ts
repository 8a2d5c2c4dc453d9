import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The commands of one article of the runbook, in their order, as somebody pastes them. */
export function commandsOf(heading: string): string[] {
  const runbook = readFileSync(path.join(__dirname, '..', '..', 'docs', 'operator-runbook.md'), 'utf8');
  const [, article = ''] = runbook.split(`\n## ${heading}\n`);
  const [text = ''] = article.split('\n## ');
  return [...text.matchAll(/^( *)```sh\n([^]*?)^\1```$/gm)].map(([, indent = '', block = '']) =>
    block
      .split('\n')
      .map((line) => line.slice(indent.length))
      .join('\n'),
  );
}
