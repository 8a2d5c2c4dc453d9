/** How objects of one resource look in etcd. */
export interface ResourceShape {
  /** Below `/registry/`. */
  readonly prefix: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly scope: 'namespaced' | 'cluster' | 'name-only';
  /** Share of all objects, relative to the others. */
  readonly weight: number;
  /** Rough size of an object's own part, in bytes; the shared part (metadata) is about 900. */
  readonly bytes: number;
  /** Of those, bytes that do not compress: tokens, certificates, packed releases. @default 0 */
  readonly opaque?: number;
  /** @default protobuf, as for every built-in type */
  readonly encoding?: 'json';
  /** Attached to an etcd lease, so that etcd removes it by itself. */
  readonly leased?: true;
}

const core = 'v1';
const namespaced = (prefix: string, apiVersion: string, kind: string, weight: number, bytes: number): ResourceShape => ({
  prefix,
  apiVersion,
  kind,
  scope: 'namespaced',
  weight,
  bytes,
});
const cluster = (prefix: string, apiVersion: string, kind: string, weight: number, bytes: number): ResourceShape => ({
  ...namespaced(prefix, apiVersion, kind, weight, bytes),
  scope: 'cluster',
});

/** The mix of a busy cluster: pods and events by number, secrets (packed Helm releases) and config maps by weight. */
export const RESOURCES: readonly ResourceShape[] = [
  namespaced('pods', core, 'Pod', 240, 5200),
  { ...namespaced('events', core, 'Event', 260, 500), leased: true },
  { ...namespaced('secrets', core, 'Secret', 60, 3200), opaque: 1500 },
  namespaced('configmaps', core, 'ConfigMap', 60, 3600),
  namespaced('replicasets', 'apps/v1', 'ReplicaSet', 110, 3800),
  namespaced('deployments', 'apps/v1', 'Deployment', 40, 4200),
  namespaced('statefulsets', 'apps/v1', 'StatefulSet', 8, 4200),
  namespaced('daemonsets', 'apps/v1', 'DaemonSet', 4, 4200),
  namespaced('controllerrevisions', 'apps/v1', 'ControllerRevision', 12, 2800),
  namespaced('horizontalpodautoscalers', 'autoscaling/v2', 'HorizontalPodAutoscaler', 20, 1400),
  namespaced('poddisruptionbudgets', 'policy/v1', 'PodDisruptionBudget', 14, 700),
  namespaced('jobs', 'batch/v1', 'Job', 20, 3000),
  namespaced('cronjobs', 'batch/v1', 'CronJob', 8, 2600),
  namespaced('services/specs', core, 'Service', 30, 900),
  namespaced('services/endpoints', core, 'Endpoints', 30, 900),
  namespaced('endpointslices', 'discovery.k8s.io/v1', 'EndpointSlice', 32, 1300),
  namespaced('ingress', 'networking.k8s.io/v1', 'Ingress', 10, 900),
  namespaced('networkpolicies', 'networking.k8s.io/v1', 'NetworkPolicy', 12, 700),
  namespaced('serviceaccounts', core, 'ServiceAccount', 30, 100),
  namespaced('roles', 'rbac.authorization.k8s.io/v1', 'Role', 12, 600),
  namespaced('rolebindings', 'rbac.authorization.k8s.io/v1', 'RoleBinding', 16, 300),
  namespaced('persistentvolumeclaims', core, 'PersistentVolumeClaim', 16, 700),
  namespaced('resourcequotas', core, 'ResourceQuota', 4, 500),
  namespaced('limitranges', core, 'LimitRange', 4, 300),
  { ...namespaced('leases', 'coordination.k8s.io/v1', 'Lease', 16, 200), leased: true },
  { ...cluster('masterleases', core, 'Endpoints', 1, 100), scope: 'name-only', leased: true },
  cluster('minions', core, 'Node', 6, 8000),
  cluster('namespaces', core, 'Namespace', 6, 200),
  cluster('persistentvolumes', core, 'PersistentVolume', 16, 1000),
  cluster('csinodes', 'storage.k8s.io/v1', 'CSINode', 6, 400),
  cluster('storageclasses', 'storage.k8s.io/v1', 'StorageClass', 1, 300),
  cluster('priorityclasses', 'scheduling.k8s.io/v1', 'PriorityClass', 1, 200),
  cluster('clusterroles', 'rbac.authorization.k8s.io/v1', 'ClusterRole', 5, 1800),
  cluster('clusterrolebindings', 'rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 5, 300),
  { ...cluster('apiregistration.k8s.io/apiservices', 'apiregistration.k8s.io/v1', 'APIService', 1, 500), encoding: 'json' },
  {
    ...cluster('apiextensions.k8s.io/customresourcedefinitions', 'apiextensions.k8s.io/v1', 'CustomResourceDefinition', 3, 30_000),
    encoding: 'json',
  },
  { ...namespaced('cert-manager.io/certificates', 'cert-manager.io/v1', 'Certificate', 12, 1400), encoding: 'json' },
];
