import { abortPair, advancePair, approvePair, closePair } from '../../lambdas/accounts/key-generations';
import { idOfKid } from '../../lambdas/accounts/key-id';
import { newPair } from '../../lambdas/accounts/new-pair';
import { accountKeysOf } from '../../lambdas/accounts/verifying';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { adoptedPair, idOf, later, mintedPair, pair } from './accounts-pki';

const step = { rotation: 'r-1', now: later(60) };
const verifying = advancePair(approvePair(mintedPair(), 'ann', step), 'VERIFYING', step);
const signing = advancePair(verifying, 'SIGNING', step);
const dropping = advancePair(signing, 'DROPPING', step);

test.each([
  ['before any exchange', adoptedPair(), [1], 1, false],
  ['when the next one is made', mintedPair(), [1], 1, true],
  ['while both verify', verifying, [1, 2], 1, true],
  ['while the new one signs', signing, [2, 1], 2, true],
  ['on the way back from there', abortPair(signing, 'ann', 'why', step), [2, 1], 2, true],
  ['when the old one is dropped', dropping, [2], 2, true],
  ['afterwards', closePair(dropping, step), [2], 2, true],
])('the one that signs comes first: %s', (_when, document, numbers, signs, distributed) => {
  const keys = accountKeysOf(document);

  expect(keys).toMatchObject({ ids: numbers.map(idOf), privateKey: pair(signs).privateKey, distributed });
  expect(keys?.publicKeys).toBe(numbers.map((number) => pair(number).publicKey).join(''));
});

test('a stamp is another for other keys alone: who was given the old one alone again has what he had', () => {
  expect(accountKeysOf(mintedPair())?.stamp).toBe(accountKeysOf(adoptedPair())?.stamp);
  expect(new Set([mintedPair(), verifying, signing, dropping].map((each) => accountKeysOf(each)?.stamp)).size).toBe(4);
  expect(accountKeysOf({ ...adoptedPair(), issuing: idOf(9) })).toBeUndefined();
});

test('a kid is the id of its key in other letters, and any other stays as it is', () => {
  expect(idOfKid(Buffer.from(idOf(1), 'hex').toString('base64url'))).toBe(idOf(1));
  expect(idOfKid('my-key')).toBe('my-key');
});

describe('a new pair', () => {
  test('is as kubeadm makes it where nothing else is said', async () => {
    const { publicKey, privateKey } = await newPair();

    expect(createPublicKey(publicKey).asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
    expect(privateKey).toContain('BEGIN RSA PRIVATE KEY');
  });

  test('is of the kind of the one before', async () => {
    const { publicKey, privateKey } = await newPair(pair(1).publicKey);

    expect(createPublicKey(publicKey).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(privateKey).toContain('BEGIN EC PRIVATE KEY');
  });

  test('is refused where no API server signs by that kind', async () => {
    const { publicKey } = generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });

    await expect(newPair(publicKey)).rejects.toMatchObject({ name: 'KeyPairRefused' });
  });
});
