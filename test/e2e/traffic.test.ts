import type { Sent } from '../../e2e/traffic';
import { summaryOf } from '../../e2e/traffic';

const sent = (at: number, change: Partial<Sent> = {}): Sent => ({ kind: 'read', at, ms: 10, ...change });

test('counts what failed by what went wrong, and finds the longest time between two good answers', () => {
  const summary = summaryOf([
    sent(0),
    sent(1000),
    sent(2000, { failure: 'ECONNRESET' }),
    sent(3000, { failure: 'ECONNRESET' }),
    sent(4000, { failure: '503 ServiceUnavailable', ms: 700 }),
    sent(9000),
    sent(10_000),
  ]);

  expect(summary).toEqual({
    requests: 7,
    failedRequests: 3,
    downtimeSeconds: 8,
    slowestSeconds: 0.7,
    failures: { ECONNRESET: 2, '503 ServiceUnavailable': 1 },
  });
});

test('a slow answer counts when it came, whoever else was answered later or earlier', () => {
  expect(summaryOf([sent(0, { ms: 5000 }), sent(1000), sent(2000)])).toMatchObject({ downtimeSeconds: 2.99, slowestSeconds: 5 });
});

test('of nothing it says nothing', () => {
  expect(summaryOf([])).toEqual({ requests: 0, failedRequests: 0, downtimeSeconds: 0, slowestSeconds: 0, failures: {} });
});
