import { DescribeSecretCommand, RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { nodeSecretName } from '../lambdas/contract/certificates';
import { waitUntil } from './child-process';
import type { LocalCloud } from './cloud';
import type { LocalNode } from './nodes';

const WITHIN_MS = 180_000;

/** Has the certificates of one node rotated, as `aws secretsmanager rotate-secret` does, and waits until the new set is the current one. */
export async function rotateNode(cloud: Pick<LocalCloud, 'clientConfig'>, cluster: string, node: LocalNode): Promise<void> {
  const secrets = new SecretsManagerClient(cloud.clientConfig());
  const SecretId = nodeSecretName(cluster, node.instanceId);
  const labels = async (): Promise<Readonly<Record<string, string[]>>> =>
    (await secrets.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {};
  try {
    // Adoption lets the function be tried once, after it has ended.
    await waitUntil(
      `nothing is pending for ${node.name}`,
      WITHIN_MS,
      async () =>
        !Object.values(await labels())
          .flat()
          .includes('AWSPENDING'),
      200,
    );
    const { VersionId = '' } = await secrets.send(new RotateSecretCommand({ SecretId }));
    await waitUntil(
      `the certificates of ${node.name} are rotated`,
      WITHIN_MS,
      async () => {
        const own = (await labels())[VersionId] ?? [];
        return own.includes('AWSCURRENT') && !own.includes('AWSPENDING');
      },
      200,
    );
  } finally {
    secrets.destroy();
  }
}
