import { z } from 'zod';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import { takeSnapshot } from '../../local/demo/first-steps';
import type { Narrator } from '../../local/narrator';
import type { Chapter, Measured } from '../chapter';
import { exchanged, renewWhileSoaking } from '../exchange-authority';
import { checkAuthentication, checkCluster, followAuthorities, publishedOtherwise, signerOf } from '../exchanged';
import { leadersRenew } from '../leases';
import { PREPARING_STEPS, withExchangeable } from '../prepare-exchange';
import { authorityOf } from '../run-exchange';
import { runRestore } from '../runbook';
import type { World } from '../world';

const WITHIN_MS = 120_000;
const HEALED_WITHIN_MS = 900_000;
/** About what three kubelets need to renew their certificates. */
const SOAK_SECONDS = 10;
const AUTHORITIES: readonly AuthorityName[] = ['front-proxy', 'cluster'];
const WEBHOOK = 'of-the-older-era';

/** The data of a time before an exchange is restored after it: nodes keep what they are, and what the data says of the PKI follows them. */
export const olderEraChapter: Chapter = {
  name: 'exchange-older-era',
  title: 'A snapshot from before an exchange is restored after it',
  steps: PREPARING_STEPS + AUTHORITIES.length + 4,
  tell: (narrator, world) => withExchangeable(narrator, world, () => tell(narrator, world)),
};

async function tell(narrator: Narrator, world: World): Promise<Measured> {
  const { kubectl, lifeboat } = world;
  const [old, oldFrontProxy] = [signerOf(await authorityOf(world, 'cluster')), signerOf(await authorityOf(world, 'front-proxy'))];
  await kubectl.apply([webhook(old.cert)]);
  const { id: snapshot } = await narrator.run(
    'take a snapshot of the time before',
    () => takeSnapshot(lifeboat),
    (taken) => taken.id,
  );
  // Whoever made it takes it away again, or the exchange would wait for him.
  await kubectl.run(['delete', 'validatingwebhookconfiguration', WEBHOOK]);
  const seconds: Record<string, number> = {};
  for (const authority of AUTHORITIES) {
    const SOAKING = authority === 'cluster' ? () => renewWhileSoaking(narrator, world) : undefined;
    const run = await exchanged(narrator, world, { authority, soakSeconds: SOAK_SECONDS }, { ...(SOAKING && { SOAKING }) });
    await followAuthorities(world);
    seconds[authority] = run.seconds;
  }
  const [next, nextFrontProxy] = [signerOf(await authorityOf(world, 'cluster')), signerOf(await authorityOf(world, 'front-proxy'))];
  narrator.check('both have other roots by now', next.id !== old.id && nextFrontProxy.id !== oldFrontProxy.id, true);

  const restored = await narrator.run(
    'restore the snapshot, approved as it asks',
    () => runRestore(narrator, world, { snapshot }),
    ({ status }) => status,
  );
  const { report, question } = restored;
  narrator.check('the restore', report.outcome, 'RESTORED');
  for (const root of [old, oldFrontProxy])
    narrator.check(`the question names ${root.id.slice(0, 8)}, which nobody trusts any more`, question.includes(root.id.slice(0, 8)), true);

  const healing = /arn:\S+/.exec(report.healing ?? '')?.[0];
  if (lifeboat.rotateCa === undefined || healing === undefined) throw new Error(`nothing heals it: ${report.healing ?? 'it says nothing'}`);
  const heals = lifeboat.rotateCa.execution(healing);
  const end = await narrator.run(
    'what the data says of the PKI is healed',
    () => heals.wait({ timeoutMs: HEALED_WITHIN_MS }),
    ({ status }) => status,
  );
  const told = Healed.parse(end.output);
  narrator.check('it ends', told.outcome, 'HEALED');
  narrator.check(
    'it names the webhook of then, which somebody else has to renew',
    told.whatToDo.some((line) => line.includes(WEBHOOK)),
    true,
  );
  await narrator.run('controllers renew their leases', () => leadersRenew(kubectl, WITHIN_MS));
  await checkCluster(narrator, world, next);
  await checkAuthentication(narrator, world, 'client-ca-file', next);
  await checkAuthentication(narrator, world, 'requestheader-client-ca-file', nextFrontProxy);
  const { others } = await publishedOtherwise(kubectl, next.id);
  narrator.check('namespaces that publish another root', others.join() || 'none', 'none');
  await kubectl.run(['delete', 'validatingwebhookconfiguration', WEBHOOK]);
  return { seconds, restored: report.downtimeSeconds, healed: told.summary };
}

const Healed = z.object({ outcome: z.string(), summary: z.string(), whatToDo: z.array(z.string()) });

/** One that nothing is ever sent to: it asks for a group that nobody has. */
const webhook = (ca: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: WEBHOOK },
  webhooks: [
    {
      name: 'nothing.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Ignore',
      rules: [{ apiGroups: ['nobody.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] }],
      clientConfig: { url: 'https://127.0.0.1:1/', caBundle: Buffer.from(ca).toString('base64') },
    },
  ],
});
