import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(__dirname, '..', '..');

test('docs/security.md says of every function what it may do, and of no other', () => {
  const handlers = globSync('lambdas/**/*.handler.ts', { cwd: root }).map((file) => basename(file, '.handler.ts'));
  const text = readFileSync(join(root, 'docs/security.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \|$/gm)].map(([, name, may, mayNot]) => ({ name, may, mayNot }));

  expect(rows.map(({ name }) => name).sort()).toEqual(handlers.sort());
  expect(handlers).toContain('take-snapshot');
});
