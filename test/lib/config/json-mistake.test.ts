import * as fc from 'fast-check';
import { findJsonMistake } from '../../../lib/config/json-mistake';
import { mistakesInText } from './configs';

test.each([
  [
    'a comment to the end of the line',
    '{\n  // the cluster\n  "clusters": [] }',
    'line 2, column 3: a comment, which plain JSON does not have; remove it',
  ],
  ['a comment in the middle', '{"clusters": /* none */ []}', 'line 1, column 14: a comment'],
  ['a comment of a shell', '# config\n{}', 'line 1, column 1: a comment'],
  ['a comma too many in an object', '{"clusters": [],}', 'line 1, column 16: a comma before }; remove it'],
  ['a comma too many in a list', '{"clusters": [1,\n]}', 'line 1, column 16: a comma before ]; remove it'],
  ['a comma too few', '{"a": 1\n "b": 2}', 'line 2, column 2: "\\"" stands where , or } should be'],
  ['no colon', '{"a" 1}', 'line 1, column 6: "1" stands where the : after "a" should be'],
  ['single quotes', "{'a': 1}", 'line 1, column 2: "\'" stands where a key in double quotes should be; use double quotes'],
  ['a bare word', '{"a": yes}', 'line 1, column 7: "y" stands where a value should be'],
  ['an open end', '{"a": [1, 2', 'line 1, column 12: the file ends where , or ] should be'],
  ['an empty file', '', 'line 1, column 1: the file ends where a value should be'],
  ['something after the end', '{}\n{}', 'line 2, column 1: "{" stands after the end of the config; remove it'],
  [
    'the same key twice',
    '{"clusters": [],\n "clusters": []}',
    'line 2, column 2: "clusters" is here for the second time in one object; remove one',
  ],
  ['the same key written otherwise', '{"a": 1, "\\u0061": 2}', 'line 1, column 10: "a" is here for the second time'],
])('shows where %s is', (_sentence, text, expected) => {
  const mistakes = mistakesInText(text);

  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toContain(expected);
});

test('the same key in two objects is no mistake', () => {
  expect(findJsonMistake('[{"a": {"a": 1}}, {"a": 1}]')).toBeUndefined();
});

test('a byte order mark is no mistake', () => {
  expect(mistakesInText('\uFEFF{"clusters": []}')).toEqual(['clusters: is empty; give 1 to 100 clusters']);
});

test('finds no mistake in whatever JSON.stringify writes', () => {
  fc.assert(fc.property(fc.json(), (text) => findJsonMistake(text) === undefined));
  fc.assert(fc.property(fc.jsonValue(), (value) => findJsonMistake(JSON.stringify(value, null, '\t')) === undefined));
});

test('finds a mistake exactly where JSON.parse does not read the text', () => {
  const damaged = fc.tuple(
    fc.json({ maxDepth: 3 }),
    fc.nat(),
    fc.constantFrom('', ',', ':', '"', '}', ']', '0', '-', 'e', '.', '\\', '\n', '\u0001'),
  );
  fc.assert(
    fc.property(damaged, ([text, at, piece]) => {
      const cut = at % (text.length + 1);
      const changed = text.slice(0, cut) + piece + text.slice(cut + 1);
      const mistake = findJsonMistake(changed);
      // JSON.parse takes the last of two equal keys; that this is a mistake here is shown above.
      fc.pre(mistake?.problem.includes('for the second time') !== true);

      expect(mistake === undefined).toBe(parses(changed));
    }),
    { numRuns: 2000 },
  );
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
