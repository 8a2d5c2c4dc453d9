import type { Health } from '../../../local/balancer/health';
import { ASSUMED, judged } from '../../../local/balancer/health';

const after = (...checks: boolean[]): Health => checks.reduce(judged, ASSUMED);

test.each<[sentence: string, checks: boolean[], up: boolean]>([
  ['is up before anybody asked', [], true],
  ['stays up after one bad answer', [false], true],
  ['is down after two in a row', [false, false], false],
  ['stays up when a good answer comes between two bad ones', [false, true, false], true],
  ['stays down after one good answer', [false, false, true], false],
  ['is up again after two in a row', [false, false, true, true], true],
  ['stays down when a bad answer comes between two good ones', [false, false, true, false, true], false],
])('a backend %s', (_sentence, checks, up) => {
  expect(after(...checks).up).toBe(up);
});
