import { editDistance, nearest } from '../../../lib/config/nearest';

test.each([
  ['endpoint', 'endpoints'],
  ['huorly', 'hourly'],
  ['Schedule', 'schedule'],
  ['retenton', 'retention'],
  ['maxDbSizeGB', 'maxDbSizeGiB'],
  ['pagerduty', undefined],
  ['x', undefined],
])('%s was meant to be %s', (word, expected) => {
  expect(nearest(word, ['schedule', 'retention', 'endpoints', 'hourly', 'maxDbSizeGiB'])).toBe(expected);
});

test.each([
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['abc', 'acb', 1],
  ['kitten', 'sitting', 3],
])('%s and %s are %i edits apart', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
  expect(editDistance(b, a)).toBe(edits);
});
