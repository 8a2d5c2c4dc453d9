import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { waitUntil } from '../local/child-process';
import { Kubectl } from '../local/kubectl';
import type { LocalNode } from '../local/nodes';
import { installKubelet } from '../local/nodes/kubelet-pki';
import type { World } from './world';

const SIGNED_WITHIN_MS = 60_000;
const SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const Request = z.object({ status: z.object({ certificate: z.string().optional() }).default({}) });

const pairOf = (node: LocalNode): string => path.join(node.tree.kubeletDir, 'pki/kubelet-client-current.pem');

/** No kubelet runs here; what kubelets have on their disks lies there, by the authority of the cluster, as each has it after its first renewal. */
export async function installKubelets(world: World): Promise<void> {
  const { nodes, balancer } = world;
  for (const node of nodes.nodes) {
    const { tree, name, apiUrl } = node;
    rmSync(path.join(tree.kubeletDir, 'pki'), { recursive: true, force: true });
    installKubelet(tree, name, { authority: nodes.authorities.cluster, apiUrl, controlPlaneUrl: balancer.url });
    await renewKubelet(world, node);
  }
}

/**
 * Renews the certificate of one kubelet as that does by itself (client-go, util/certificate/certificate_manager.go): a new P-256 key, a request by
 * the present certificate, which somebody approves and the controller-manager signs, and a file that takes the place of the present one.
 *
 * @returns the new certificate, PEM
 */
export async function renewKubelet({ kubectl }: World, node: LocalNode): Promise<string> {
  const { tree, name } = node;
  // The present file stays as it is until the new one takes its place.
  const pem = path.join(tree.kubeletDir, `pki/kubelet-client-${Date.now()}.pem`);
  const asked = `${pem}.csr`;
  const of = `/O=system:nodes/CN=system:node:${name}`;
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', pem];
  execFileSync('openssl', ['req', '-new', ...key, '-subj', of, '-out', asked], { stdio: 'pipe' });
  const object = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: `${name}-` },
    spec: { request: readFileSync(asked).toString('base64'), signerName: SIGNER, usages: ['digital signature', 'client auth'] },
  };
  const kubelet = new Kubectl(path.join(tree.kubernetesDir, 'kubelet.conf'));
  const made = (await kubelet.run(['create', '-f', '-', '-o', 'name'], JSON.stringify(object))).trim();
  await kubectl.run(['certificate', 'approve', made]);
  let certificate = '';
  await waitUntil(
    `the controller-manager signs for the kubelet of ${name}`,
    SIGNED_WITHIN_MS,
    async () => {
      const { status } = Request.parse(await kubectl.json(['get', made]));
      certificate = Buffer.from(status.certificate ?? '', 'base64').toString('utf8');
      return certificate !== '';
    },
    300,
  );
  writeFileSync(pem, certificate + readFileSync(pem, 'utf8'), { mode: 0o600 });
  symlinkSync(pem, `${pairOf(node)}.new`);
  renameSync(`${pairOf(node)}.new`, pairOf(node));
  rmSync(asked);
  return certificate;
}
