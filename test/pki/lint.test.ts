import fc from 'fast-check';
import { lint } from '../../lambdas/pki/lint';
import { GO_RULES } from '../../lambdas/pki/lint-rules';
import { PROFILE_RULES } from '../../lambdas/pki/lint-profile';
import { EXTENDED_USAGES, Oid } from '../../lambdas/pki/oids';
import { integer, oid, sequence, time, yes } from '../../lambdas/pki/write-der';
import { DEFECTS, defective } from './defects';
import { kubeadmAuthority } from './kubeadm-authority';
import { authority, inDays, leafOf, profileOf } from './pki-world';
import { extension, remake, replacing } from './remake';

const expected = { role: 'leaf', profile: profileOf('apiserver') } as const;
const rulesOf = (cert: string) => [...new Set(lint(cert, { issuer: authority('cluster').cert, expected }).map(({ rule }) => rule))];

describe('lint', () => {
  test('has nothing to say of a good leaf and a good authority', () => {
    expect(rulesOf(leafOf('apiserver').cert)).toEqual([]);
    expect(lint(authority('etcd').cert, { issuer: authority('etcd').cert, expected: { role: 'authority' } })).toEqual([]);
  });

  test('takes the root that kubeadm made', () => {
    const root = kubeadmAuthority().cert;

    expect(lint(root, { issuer: root, expected: { role: 'authority' } })).toEqual([]);
  });

  test.each(DEFECTS)('finds $sentence', (defect) => {
    const found = rulesOf(defective(defect));

    expect(found).toContain(defect.rule);
    // Names that are wrong in themselves are not those of the profile either, and some strings OpenSSL does not read at all.
    expect(found.filter((rule) => ![defect.rule, 'profile', 'readable'].includes(rule))).toEqual([]);
  });

  test('has a defect for every rule', () => {
    const rules = [...GO_RULES, ...PROFILE_RULES].map(({ name }) => name);

    expect([...new Set(DEFECTS.map(({ rule }) => rule))].sort()).toEqual([...rules].sort());
  });

  test('tells all problems at once, not the first', () => {
    const by = authority('cluster');
    const validity = sequence(time(inDays(1)), time(inDays(-1)));

    const found = rulesOf(remake(leafOf('apiserver', by).cert, by.key, () => ({ serial: integer(Buffer.of(0x80)), validity })));

    expect(found).toEqual(['serial', 'validity']);
  });

  test('finds a root that limits how long its chains are, and one that is for servers only', () => {
    const { cert, key } = authority('cluster');
    const limited = remake(cert, key, (parts) => ({
      extensions: replacing(
        parts,
        extension(Oid.basicConstraints, sequence(yes(), integer(Buffer.of(1))), true),
        extension(Oid.extendedKeyUsage, sequence(oid(EXTENDED_USAGES.serverAuth))),
      ),
    }));

    const problems = lint(limited, { issuer: limited, expected: { role: 'authority' } });

    expect(problems.map(({ rule }) => rule)).toEqual(['basic-constraints', 'extended-key-usage']);
    expect(lint(limited, { issuer: limited })).toEqual([]);
  });

  test('judges a certificate that is no certificate by one problem', () => {
    expect(lint(authority('cluster').cert.replace(/\n[^\n]*\n-----END/, '\n-----END'))).toEqual([
      { rule: 'readable', message: expect.stringContaining('is damaged') as string },
    ]);
  });

  test('judges whatever bytes a certificate has, and never throws', () => {
    const { cert } = leafOf('apiserver');
    const [head, ...lines] = cert.trim().split('\n');
    const der = Buffer.from(lines.slice(0, -1).join(''), 'base64');

    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(der);
        damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at);

        const judge = () => rulesOf(`${head}\n${damaged.toString('base64')}\n-----END CERTIFICATE-----\n`);

        expect(judge).not.toThrow();
      }),
      { numRuns: 400 },
    );
  });
});
