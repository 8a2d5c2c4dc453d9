import { sleep } from '../local/child-process';
import type { Kubectl } from '../local/kubectl';
import { WORKER } from './workload';

/** A node is believed to be gone 50 s after its last sign (kube-controller-manager, --node-monitor-grace-period). */
const EVERY_MS = 10_000;

/** Lets `work` have a worker that is Ready: no kubelet says so here, and an exchange of an authority minds how many nodes are. */
export async function withReadyWorker<T>(kubectl: Kubectl, work: () => Promise<T>): Promise<T> {
  const ending = new AbortController();
  await beat(kubectl);
  const beating = (async () => {
    for (let left = EVERY_MS; !ending.signal.aborted; left -= 500) {
      // Like a kubelet it tries again where a request fails; who sends and never repeats is somebody else.
      if (left <= 0) await beat(kubectl).catch(() => undefined);
      if (left <= 0) left = EVERY_MS;
      await sleep(500);
    }
  })();
  try {
    return await work();
  } finally {
    ending.abort();
    await beating;
  }
}

async function beat(kubectl: Kubectl): Promise<void> {
  const now = new Date().toISOString();
  const spec = { holderIdentity: WORKER, leaseDurationSeconds: 40, renewTime: now.replace('Z', '000Z') };
  await kubectl.apply([
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace: 'kube-node-lease', name: WORKER }, spec },
  ]);
  const at = `${now.slice(0, 19)}Z`;
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: at, lastTransitionTime: at };
  const patch = JSON.stringify({ status: { conditions: [ready] } });
  await kubectl.run(['patch', 'node', WORKER, '--subresource=status', '--type=merge', '--patch', patch]);
}
