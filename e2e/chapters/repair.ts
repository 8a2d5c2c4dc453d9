import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../../local/child-process';
import type { LocalNode } from '../../local/nodes';
import { adopt } from '../adopted';
import type { Chapter, Measured } from '../chapter';
import { leadersRenew } from '../leases';
import { TRAFFIC_NAMESPACE } from '../traffic';

const WITHIN_MS = 240_000;
const DAY_MS = 86_400_000;

/** Every certificate of every node ended while the machines were off. */
export const repairChapter: Chapter = {
  name: 'repair',
  title: 'All certificates have ended, and nothing starts',
  steps: 6,
  tell: async (narrator, world) => {
    const { lifeboat, nodes, kubectl } = world;
    await adopt(narrator, world);
    await narrator.run('let all certificates end, with the machines off', async () => {
      for (const node of nodes.nodes) {
        await node.powerOff();
        end(node);
      }
    });
    await narrator.run('start the machines', async () => {
      for (const node of nodes.nodes) await node.reboot();
    });
    narrator.check('kubectl gets an answer', await answers(kubectl.run(['get', 'namespaces'])), false);

    const began = Date.now();
    await narrator.run('repair the certificates', async () => {
      const execution = await lifeboat.repair?.start({ waitForNodesSeconds: 30 });
      const ended = await execution?.wait({ timeoutMs: 900_000 });
      if (ended?.status !== 'SUCCEEDED') throw new Error(`the repair ended as ${ended?.status ?? 'nothing'}: ${ended?.cause ?? ''}`);
    });
    const repairSeconds = (Date.now() - began) / 1000;
    await narrator.run('kubectl gets answers at each API server', async () => {
      for (const { name, kubectl: each } of world.eachApiserver)
        await waitUntil(
          `${name} answers`,
          WITHIN_MS,
          () => answers(each.run(['get', 'configmap', 'counter', '--namespace', TRAFFIC_NAMESPACE])),
          1_000,
        );
    });
    await narrator.run('controllers renew their leases', () => leadersRenew(kubectl, WITHIN_MS));
    const backAfterSeconds = (Date.now() - began) / 1000;
    narrator.check(
      'what was there before is there',
      (await kubectl.run(['get', 'namespace', TRAFFIC_NAMESPACE, '-o', 'name'])).trim(),
      `namespace/${TRAFFIC_NAMESPACE}`,
    );
    return { repairSeconds, backAfterSeconds } satisfies Measured;
  },
};

const answers = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  );

function end({ issuer, tree }: LocalNode): void {
  const ended = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
  for (const [file, text] of Object.entries(issuer.files(ended)))
    writeFileSync(path.join(tree.kubernetesDir, file.replace(/^kubeconfigs\//, '')), text);
}
