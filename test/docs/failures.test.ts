import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');
const PAGE = 'docs/failures-we-learned-from.md';

/** What the page says of each failure, by number. */
function failures(): ReadonlyMap<number, string> {
  const rows = readFileSync(path.join(root, PAGE), 'utf8').matchAll(/^\| (\d+) \|.*\| ([^|]+) \|$/gm);
  return new Map([...rows].map(([, number, here]) => [Number(number), here!]));
}

/** Numbers in the names of tests, and of the checks that the soak makes. */
function tested(): ReadonlySet<number> {
  const files = ['test', 'local'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== path.relative(folder, 'test/docs/failures.test.ts'))
      .map((file) => readFileSync(path.join(root, folder, file), 'utf8')),
  );
  const named = files.flatMap((text) => [...text.matchAll(/\(peer failures? (\d+(?:, \d+)*)\)/g)].map(([, numbers]) => numbers!));
  return new Set(named.flatMap((numbers) => numbers.split(', ').map(Number)));
}

test('every failure of others has a test that names it, or a reason why it cannot happen here', () => {
  const names = tested();
  const untested = [...failures()].filter(([number, here]) => !names.has(number) && !/^cannot happen: .{40,}/.test(here));

  expect(untested).toEqual([]);
  expect(failures().size).toBeGreaterThan(25);
});

test('what the page calls tested is tested, and no test names a failure that the page does not tell of', () => {
  const told = failures();
  const names = tested();

  expect([...told].filter(([number, here]) => here === 'tested' && !names.has(number))).toEqual([]);
  expect([...names].filter((number) => !told.has(number))).toEqual([]);
});
