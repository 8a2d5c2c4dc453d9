import { outdatedBecause } from '../../lambdas/certificates/outdated-set';

const ID = (digit: string) => digit.repeat(64);
const SET = { mintedAt: '2026-11-26T12:00:00.000Z', signers: { cluster: ID('a'), etcd: ID('b') }, stamps: { etcd: ID('9') } };
const ISSUING = { cluster: { id: ID('a'), stamp: ID('8') }, etcd: { id: ID('b'), stamp: ID('9') } };

test.each([
  ['that was minted a moment ago', '2026-11-26T12:00:01Z', ISSUING, undefined],
  ['that waited for exactly two days', '2026-11-28T12:00:00Z', ISSUING, undefined],
  ['that waited for longer than two days', '2026-11-28T12:00:01Z', ISSUING, /minted on 2026-11-26.*2 days ago/],
  [
    'whose authority signs by another generation by now',
    '2026-11-26T13:00:00Z',
    { ...ISSUING, etcd: { id: ID('c'), stamp: ID('9') } },
    /etcd authority.*bbbb/,
  ],
  [
    'whose authority trusts others by now',
    '2026-11-26T13:00:00Z',
    { ...ISSUING, etcd: { id: ID('b'), stamp: ID('7') } },
    /trusted of the etcd authority/,
  ],
  [
    'from before stamps, whose authority trusts others by now',
    '2026-11-26T13:00:00Z',
    { ...ISSUING, cluster: { id: ID('a'), stamp: ID('6') } },
    undefined,
  ],
  ['whose authority is gone', '2026-11-26T13:00:00Z', { cluster: ISSUING.cluster }, /etcd authority/],
  [
    'while an authority came that signed nothing of it',
    '2026-11-26T13:00:00Z',
    { ...ISSUING, 'front-proxy': { id: ID('d'), stamp: ID('7') } },
    undefined,
  ],
])('a set %s', (_sentence, now, issuing, because) => {
  const found = outdatedBecause(SET, issuing, new Date(now));

  if (because === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(because);
});
