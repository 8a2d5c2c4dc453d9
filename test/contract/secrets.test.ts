import { EtcdClientSecret } from '../../lambdas/contract/secrets';
import { createAuthority, issueCertificate } from '../../local/etcd/certificates';

describe('EtcdClientSecret', () => {
  const authority = createAuthority();
  const good = { ca: authority.cert, ...issueCertificate(authority, { commonName: 'lifeboat', usage: 'client' }) };

  test('takes PEM texts that belong together', () => {
    expect(EtcdClientSecret.parse(good)).toEqual(good);
  });

  const garbage = (label: string) => `-----BEGIN ${label}-----\nbm90aGluZw==\n-----END ${label}-----\n`;
  test.each<[string, object, string]>([
    [
      'the key of another certificate',
      { key: issueCertificate(authority, { commonName: 'other' }).key },
      'key: is not the private key of cert',
    ],
    ['a key that is no key', { key: garbage('PRIVATE KEY') }, 'key: is a PEM private key that cannot be read: give it unencrypted'],
    ['a certificate that is none', { cert: garbage('CERTIFICATE') }, 'cert: is a PEM certificate that cannot be read'],
    ['a CA that is none', { ca: 'ca.crt' }, 'ca: is not a PEM certificate'],
    ['a path instead of a key', { key: '/etc/kubernetes/pki/etcd/client.key' }, 'key: is not a PEM'],
  ])('refuses %s, and never quotes it', (_what, change, mistake) => {
    const { error } = EtcdClientSecret.safeParse({ ...good, ...change });

    const told = error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') ?? '';
    expect(told).toContain(mistake);
    expect(told).not.toMatch(/BEGIN|bm90/);
  });
});
