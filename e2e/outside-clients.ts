import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Kubectl } from '../local/kubectl';
import type { LocalNode } from '../local/nodes';
import type { ApiCredentials } from './api-client';
import { TRAFFIC_NAMESPACE } from './traffic';

/** The service account of who reads what the traffic is about. */
export const READER = 'reader';

const Kubeconfig = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ 'certificate-authority-data': z.string() }) })]),
  users: z.tuple([z.object({ user: z.object({ 'client-certificate-data': z.string(), 'client-key-data': z.string() }) })]),
});

const text = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

/** The administrator of a node, as its admin.conf has it at this moment. */
export function administratorOf({ tree }: LocalNode): ApiCredentials & { readonly cert: string } {
  const { clusters, users } = Kubeconfig.parse(parse(readFileSync(path.join(tree.kubernetesDir, 'admin.conf'), 'utf8')));
  const { user } = users[0];
  return {
    ca: text(clusters[0].cluster['certificate-authority-data']),
    cert: text(user['client-certificate-data']),
    key: text(user['client-key-data']),
  };
}

/** A token as pods have one, which may read what the traffic is about. */
export async function podToken(kubectl: Kubectl): Promise<string> {
  const namespace = TRAFFIC_NAMESPACE;
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: READER } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { namespace, name: READER },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: READER }],
    },
  ]);
  return (await kubectl.run(['create', 'token', READER, '--namespace', namespace, '--duration=24h'])).trim();
}

/** What `kubeadm init` tells nodes that join (cmd/kubeadm/app/phases/bootstraptoken/clusterinfo): where the API is, and whom to trust there. */
export async function publishClusterInfo(kubectl: Kubectl, server: string, ca: string): Promise<void> {
  const kubeconfig = [
    'apiVersion: v1',
    'clusters:',
    '- cluster:',
    `    certificate-authority-data: ${Buffer.from(ca).toString('base64')}`,
    `    server: ${server}`,
    '  name: ""',
    'kind: Config',
    '',
  ].join('\n');
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'kube-public', name: 'cluster-info' }, data: { kubeconfig } },
  ]);
}
