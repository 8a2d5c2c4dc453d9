import { judgeLeaf } from '../../lambdas/certificates/judge-leaf';
import type { Judging, PresentLeaf } from '../../lambdas/certificates/judge-leaf';

const NOW = new Date('2026-11-26T12:00:00Z');
const inDays = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);
const PRESENT: PresentLeaf = {
  names: { dns: ['master-1', 'api.example.com'], ips: ['10.0.0.1'] },
  notBefore: inDays(-30),
  notAfter: inDays(60),
  usages: ['serverAuth'],
  subject: 'CN=kube-apiserver',
  pair: 'matches',
  signedBy: 'generation-2',
};
const judge = (present: Judging['present'] | Partial<PresentLeaf>, rest: Partial<Judging> = {}) =>
  judgeLeaf({
    desired: { leaf: 'apiserver', nodeName: 'master-1', names: { dns: ['master-1'], ips: ['10.0.0.1'] } },
    present: typeof present === 'object' ? { ...PRESENT, ...present } : present,
    profile: { usages: ['serverAuth'], subject: 'CN=kube-apiserver' },
    issuing: { cluster: 'generation-2', etcd: 'e', 'front-proxy': 'f' },
    renewBeforeDays: 30,
    now: NOW,
    ...rest,
  });

describe('judgeLeaf', () => {
  test('keeps a certificate that is right and lasts', () => {
    expect(judge({})).toEqual({ leaf: 'apiserver', action: 'keep', reason: 'fresh', message: 'it lasts 60 days more' });
  });

  test.each<[string, Judging['present'] | Partial<PresentLeaf>, string, RegExp]>([
    ['is not there', undefined, 'missing', /not there/],
    ['cannot be read', 'unparsable', 'unparsable', /no certificate/],
    ['has another key beside it', { pair: 'differs' }, 'key-mismatch', /another one’s/],
    ['has no key beside it', { pair: 'no-key' }, 'key-mismatch', /not there/],
    ['was signed by somebody else', { signedBy: undefined }, 'wrong-issuer', /no authority of this cluster/],
    ['was signed by the authority before', { signedBy: 'generation-1' }, 'signer-generation-changed', /an older cluster authority/],
    ['is somebody else’s', { subject: 'CN=admin' }, 'wrong-subject', /names CN=admin, not CN=kube-apiserver/],
    ['has another group', { subject: 'O=system:masters, CN=kube-apiserver' }, 'wrong-subject', /O=system:masters, CN=kube-apiserver/],
    ['is for clients', { usages: ['clientAuth'] }, 'usage-wrong', /not for serverAuth/],
    ['lacks a name', { names: { dns: ['master-1'], ips: [] } }, 'san-missing', /does not name 10\.0\.0\.1/],
    ['is not valid yet', { notBefore: inDays(1) }, 'not-yet-valid', /valid from 2026-11-27/],
    ['has ended', { notAfter: inDays(-1) }, 'expired', /ended on 2026-11-25/],
    ['ends soon', { notAfter: inDays(29) }, 'expires-soon', /in 29 days/],
    ['ends on the day that it is to be renewed', { notAfter: inDays(30) }, 'expires-soon', /in 30 days/],
  ])('renews one that %s', (_sentence, present, reason, message) => {
    expect(judge(present)).toMatchObject({ action: 'renew', reason, message: expect.stringMatching(message) as string });
  });

  test('names the worst of several reasons', () => {
    expect(judge({ pair: 'differs', signedBy: undefined, notAfter: inDays(-1) })).toMatchObject({ reason: 'key-mismatch' });
    expect(judge({ names: { dns: [], ips: [] }, notAfter: inDays(-1) })).toMatchObject({ reason: 'san-missing' });
  });

  test('keeps names that nobody asked for: they harm nobody, and the next renewal drops them', () => {
    expect(judge({ names: { dns: ['master-1', 'old.example.com'], ips: ['10.0.0.1'] } })).toMatchObject({ action: 'keep' });
  });

  test('allows for a clock that is a little behind', () => {
    expect(judge({ notBefore: new Date(NOW.getTime() + 4 * 60_000) })).toMatchObject({ action: 'keep' });
  });
});
