import { outdatedBecause } from '../../lambdas/certificates/outdated-set';

const ID = (digit: string) => digit.repeat(64);
const SET = { mintedAt: '2026-11-26T12:00:00.000Z', signers: { cluster: ID('a'), etcd: ID('b') } };
const ISSUING = { cluster: { id: ID('a') }, etcd: { id: ID('b') } };

test.each([
  ['that was minted a moment ago', '2026-11-26T12:00:01Z', ISSUING, undefined],
  ['that waited for exactly two days', '2026-11-28T12:00:00Z', ISSUING, undefined],
  ['that waited for longer than two days', '2026-11-28T12:00:01Z', ISSUING, /minted on 2026-11-26.*2 days ago/],
  [
    'whose authority signs by another generation by now',
    '2026-11-26T13:00:00Z',
    { ...ISSUING, etcd: { id: ID('c') } },
    /etcd authority.*bbbb/,
  ],
  ['whose authority is gone', '2026-11-26T13:00:00Z', { cluster: { id: ID('a') } }, /etcd authority/],
  ['while an authority came that signed nothing of it', '2026-11-26T13:00:00Z', { ...ISSUING, 'front-proxy': { id: ID('d') } }, undefined],
])('a set %s', (_sentence, now, issuing, because) => {
  const found = outdatedBecause(SET, issuing, new Date(now));

  if (because === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(because);
});
