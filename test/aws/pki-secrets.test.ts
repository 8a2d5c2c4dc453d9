import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretsManagerPki } from '../../lambdas/aws/pki-secrets';
import { begun } from '../authorities/pki';

test('what could not be read again is not written', async () => {
  const text = JSON.stringify(begun('planned'));
  const sent: unknown[] = [];
  const client = {
    send: async (command: unknown) => {
      if (!(command instanceof GetSecretValueCommand)) sent.push(command);
      return Promise.resolve({ SecretString: text, VersionId: 'one' });
    },
  } as unknown as SecretsManagerClient;
  const pki = new SecretsManagerPki(client, 'prod');
  const drivenBy = (driver: string) =>
    pki.changeAuthority('cluster', (document) => ({ ...document, rotation: { ...document.rotation!, driver } }));

  await expect(drivenBy('x'.repeat(3_000))).rejects.toMatchObject({
    name: 'PkiUnusable',
    message: expect.stringMatching(/would hold what the lifeboat does not read \(rotation\.driver: .*nothing was written$/) as string,
  });
  expect(sent).toEqual([]);
  await drivenBy(`arn:aws:states:eu-central-1:123456789012:execution:lifeboat-${'c'.repeat(61)}-rotate-ca:${'e'.repeat(80)}`);
  expect(sent).toHaveLength(2);
});
