import type { Manifest } from '../../lambdas/contract/manifest';
import type { LocalCloud } from '../cloud';
import { deployLifeboat } from '../deployment';
import type { Deployment, DeploymentOptions } from '../deployment';
import type { Narrator } from '../narrator';
import type { LocalNodes } from '../nodes';

/**
 * Deploys the app for these nodes, and gives it the credentials of their etcd.
 *
 * @param config what of the config is not its default
 */
export function deployStep(
  narrator: Narrator,
  cloud: LocalCloud,
  { endpoints, credentials }: LocalNodes,
  config: Pick<DeploymentOptions, 'certificates' | 'api' | 'alarms'> = {},
): Promise<Deployment> {
  return narrator.run(
    'cdk deploy, the app unchanged',
    async () => {
      const deployed = await deployLifeboat(cloud, { endpoints, ...config });
      await deployed.putSecret(credentials);
      return deployed;
    },
    ({ restore }) => restore.arn.split(':').at(-1) ?? '',
  );
}

/** By the deployed functions, as their schedules call them: the second one remembers how far revisions went. */
export async function takeSnapshot(lifeboat: Deployment): Promise<Manifest> {
  const answer = await lifeboat.takeSnapshot({ trigger: 'scheduled' });
  if (answer.outcome === 'failed') throw new Error(`take-snapshot failed with ${answer.error.name}: ${answer.error.message}`);
  await lifeboat.watchMembers();
  const taken = (await lifeboat.snapshots()).at(-1);
  if (taken?.verified !== true) throw new Error('the snapshot that was taken is not listed as verified');
  return taken;
}
