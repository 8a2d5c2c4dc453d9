import { checked } from '../../lambdas/pki/checked';
import { MintedBadly } from '../../lambdas/pki/errors';
import { DEFECTS, defective } from './defects';
import { kubeadmAuthority } from './kubeadm-authority';
import { authority, leafOf, profileOf, sharedKey } from './pki-world';

const expected = { role: 'leaf', profile: profileOf('apiserver') } as const;
const issuer = authority('cluster');
const good = leafOf('apiserver', issuer);

function refusal(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was refused');
}

test('what is right is given out as it is', () => {
  const minted = { ...good, issuer: issuer.cert, expected };

  expect(checked(minted)).toBe(minted);
});

test.each(DEFECTS)('a certificate with $sentence is not given out', (defect) => {
  expect(() => checked({ cert: defective(defect), issuer: issuer.cert, expected })).toThrow(MintedBadly);
});

test('another authority of the same name is found by its key, though OpenSSL takes the names to fit', () => {
  const [mine, other] = [kubeadmAuthority(1), kubeadmAuthority(2)];
  const leaf = leafOf('apiserver', mine);

  expect(() => checked({ cert: leaf.cert, issuer: other.cert, expected })).toThrow(/not signed by the key of its issuer/);
});

test('another authority is found by its name, too', () => {
  const act = () => checked({ ...good, issuer: authority('cluster', 2).cert, expected });

  expect(act).toThrow(/OpenSSL does not take it as issued.*not signed by the key.*which is not byte for byte/);
});

test('a key of another certificate is found', () => {
  expect(() => checked({ cert: good.cert, key: sharedKey('another'), issuer: issuer.cert, expected })).toThrow(/not for the key beside it/);
});

test.each([
  ['a key of another certificate', sharedKey('another')],
  ['a damaged key', sharedKey('another').replace('M', '!')],
  ['no key at all', 'secret-words'],
])('the refusal of %s holds nothing of it', (_sentence, key) => {
  const error = refusal(() => checked({ cert: good.cert, key, issuer: issuer.cert, expected }));
  const all = JSON.stringify([error.message, error.stack, error.cause]);

  for (const line of key.split('\n').filter((text) => !text.startsWith('-----') && text !== '')) expect(all).not.toContain(line);
});
