import path from 'node:path';
import { commandEnvironment } from '../local/cloud/clients';
import type { Narrator } from '../local/narrator';
import { kubernetesProgram } from '../local/tools';
import type { World } from './world';

/** Says where everything is, and keeps it running until it is stopped. */
export async function stay(narrator: Narrator, { cloud, nodes, kubectl, lifeboat, folder }: World, stopped: AbortSignal): Promise<void> {
  narrator.title('Where to look next');
  narrator.say(`      export KUBECONFIG=${kubectl.kubeconfig} PATH=${path.dirname(kubernetesProgram('kubectl'))}:$PATH`);
  narrator.say('      kubectl get pods --all-namespaces');
  const environment = Object.entries(commandEnvironment(cloud.endpoint)).map(([name, value]) => `${name}=${value}`);
  narrator.say(`      export ${environment.join(' ')}`);
  narrator.say(`      aws stepfunctions start-execution --state-machine-arn ${lifeboat.restore.arn} --input '{"dryRun": true}'`);
  for (const { name, apiUrl, tree } of nodes.nodes) narrator.say(`      ${name}: ${apiUrl}, logs in ${tree.logDir}`);
  narrator.say(`      requests that failed: ${path.join(folder, 'failed-requests.jsonl')}`);
  narrator.say('\n      Ctrl-C stops everything.\n');
  if (!stopped.aborted) await new Promise((resolve) => stopped.addEventListener('abort', resolve, { once: true }));
}
