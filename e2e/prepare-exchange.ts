import { z } from 'zod';
import { takeSnapshot } from '../local/demo/first-steps';
import type { LocalNode } from '../local/nodes';
import type { Narrator } from '../local/narrator';
import { adopt } from './adopted';
import { installKubelets } from './kubelets';
import { runDocument } from './node-documents';
import { administratorOf, publishClusterInfo } from './outside-clients';
import { withReadyWorker } from './worker-heart';
import type { World } from './world';

const SplitSigner = z.object({ was: z.string(), signer: z.object({ certFile: z.string() }) });

export const PREPARING_STEPS = 4;

/** Lets `work` have a world in which an authority can be exchanged, as often as chapters ask for it. */
export function withExchangeable<T>(narrator: Narrator, world: World, work: () => Promise<T>): Promise<T> {
  const { lifeboat, kubectl, balancer, nodes, traffic } = world;
  const [first] = nodes.nodes;
  return withReadyWorker(kubectl, async () => {
    await publishClusterInfo(kubectl, balancer.url, nodes.authorities.cluster.cert);
    await narrator.run('kubelets renew their certificates', () => installKubelets(world));
    await adopt(narrator, world);
    await narrator.run('give the signers files of their own', () => splitSigners(world));
    await narrator.run(
      'take a snapshot',
      () => takeSnapshot(lifeboat),
      ({ id }) => id,
    );
    // As people are told to, they take what the node has at each moment.
    if (first !== undefined) traffic.use(() => administratorOf(first));
    for (const node of nodes.nodes) sparePatience(node);
    try {
      return await work();
    } finally {
      for (const node of nodes.nodes) node.heal();
      const last = first && administratorOf(first);
      if (last !== undefined) traffic.use(() => last);
    }
  });
}

async function splitSigners(world: World): Promise<void> {
  for (const node of world.nodes.nodes) {
    const { was, signer } = SplitSigner.parse(await runDocument(world, node, 'split-signer'));
    if (!signer.certFile.endsWith('/signer/ca.crt')) throw new Error(`${node.name} signs by ${signer.certFile}, and was ${was}`);
  }
}

/**
 * The functions wait 128 s for an API server to take its client certificates towards kubelets and servers that extend it, none of which runs here:
 * these files are told as that much older. All other times, of the functions too, are as they are.
 */
function sparePatience(node: LocalNode): void {
  node.breakProgram(
    'stat',
    [
      'case "${*: -1}" in',
      '*/apiserver-kubelet-client.crt | */front-proxy-client.crt)',
      '  if [ "$*" = "-L -c %.2Z -- ${*: -1}" ]; then',
      '    at=$(/usr/bin/stat "$@") && printf "%s\\n" "$((${at%.*} - 130)).${at#*.}"',
      '    exit',
      '  fi ;;',
      'esac',
      'exec /usr/bin/stat "$@"',
    ].join('\n'),
  );
}
