import type { ResourceShape } from './kubernetes-resources';
import { RESOURCES } from './kubernetes-resources';
import { field, integerField, mapField, message } from './protobuf';
import type { Random } from './random';
import { random } from './random';

export interface KubernetesObject {
  readonly key: string;
  readonly value: Buffer;
  readonly leased: boolean;
}

/** Every value that the API server writes as protobuf begins so (apimachinery, runtime/serializer/protobuf). */
const MAGIC = Buffer.from('k8s\0');
const TOTAL_WEIGHT = RESOURCES.reduce((sum, { weight }) => sum + weight, 0);

const TEAMS = ['payments', 'checkout', 'search', 'identity', 'ledger', 'shipping', 'catalog', 'pricing', 'mailer', 'reports'] as const;
const PARTS = ['api', 'worker', 'web', 'cache', 'proxy', 'scheduler', 'exporter', 'migrator', 'gateway', 'consumer'] as const;
const MANAGERS = ['kube-controller-manager', 'kubectl-client-side-apply', 'helm', 'argocd-controller', 'kubelet'] as const;

/** The first objects are one of each resource, so that even the smallest data has them all; the rest is by weight. */
function shapeOf(index: number, draw: Random): ResourceShape {
  const first = RESOURCES[index];
  if (first !== undefined) return first;
  let rest = draw.below(TOTAL_WEIGHT);
  const found = RESOURCES.find(({ weight }) => (rest -= weight) < 0);
  if (found === undefined) throw new Error('the weights do not add up');
  return found;
}

interface Identity {
  readonly namespace: string;
  readonly name: string;
  readonly app: string;
  readonly uid: string;
}

function identityOf(shape: ResourceShape, index: number, draw: Random): Identity {
  const team = draw.pick(TEAMS);
  const app = `${team}-${draw.pick(PARTS)}`;
  // A master lease is named by its API server's address.
  const name = shape.scope === 'name-only' ? `10.0.${index >> 8}.${index & 255}` : `${app}-${draw.hex(10)}-${index.toString(36)}`;
  return { namespace: `${team}-${draw.pick(['prod', 'staging', 'dev'])}`, name, app, uid: draw.uuid() };
}

function keyOf({ prefix, scope }: ResourceShape, { namespace, name }: Identity): string {
  return scope === 'namespaced' ? `/registry/${prefix}/${namespace}/${name}` : `/registry/${prefix}/${name}`;
}

const timeOf = (draw: Random): string => new Date(1_790_000_000_000 + draw.below(5_000_000) * 1000).toISOString().replace('.000Z', 'Z');

const labelsOf = ({ app, namespace }: Identity, draw: Random): Record<string, string> => ({
  'app.kubernetes.io/name': app,
  'app.kubernetes.io/instance': `${app}-${namespace}`,
  'app.kubernetes.io/managed-by': 'Helm',
  'app.kubernetes.io/version': `1.${draw.below(30)}.${draw.below(10)}`,
  'pod-template-hash': draw.hex(10),
});

/** What server-side apply keeps: long paths of field names, the same in every object. */
const MANAGED_FIELDS = JSON.stringify({
  'f:metadata': {
    'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/last-applied-configuration': {}, 'f:meta.helm.sh/release-name': {} },
    'f:labels': { '.': {}, 'f:app.kubernetes.io/instance': {}, 'f:app.kubernetes.io/managed-by': {}, 'f:app.kubernetes.io/name': {} },
    'f:ownerReferences': { '.': {} },
  },
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {}, 'f:resources': {} } } } } },
});

/** One line of a spec after the other until it is long enough: mostly words that repeat, with a few that never do. */
function specText(shape: ResourceShape, { app }: Identity, draw: Random): string {
  const lines = [
    () => `{"name":"${app}","image":"registry.example.com/${app}@sha256:${draw.hex(64)}","imagePullPolicy":"IfNotPresent"}`,
    () =>
      `{"name":"${draw.pick(TEAMS).toUpperCase()}_URL","value":"https://${draw.pick(TEAMS)}.${draw.pick(PARTS)}.svc.cluster.local:8443/v1"}`,
    () =>
      `{"requests":{"cpu":"${draw.below(40) * 50}m","memory":"${draw.below(64) * 32}Mi"},"limits":{"memory":"${draw.below(64) * 64}Mi"}}`,
    () => `{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-${draw.hex(5)}","readOnly":true}`,
    () => `{"type":"ContainersReady","status":"True","lastProbeTime":null,"lastTransitionTime":"${timeOf(draw)}"}`,
    () =>
      `{"ip":"10.${draw.below(256)}.${draw.below(256)}.${draw.below(256)}","nodeName":"ip-10-0-${draw.below(256)}-${draw.below(256)}","ready":true}`,
    () =>
      `{"livenessProbe":{"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"initialDelaySeconds":${draw.below(60)},"periodSeconds":10}}`,
    () => `{"containerID":"containerd://${draw.hex(64)}","restartCount":${draw.below(9)},"started":true}`,
  ] as const;
  let text = shape.opaque === undefined ? '' : draw.base64(shape.opaque);
  while (text.length < shape.bytes) text += draw.pick(lines)();
  return text;
}

/** ObjectMeta by its field numbers in k8s.io/apimachinery generated.proto. */
function metadata(identity: Identity, shape: ResourceShape, version: number, draw: Random): Buffer {
  const managed = message(
    field(1, draw.pick(MANAGERS)),
    field(2, 'Update'),
    field(3, shape.apiVersion),
    field(6, 'FieldsV1'),
    field(7, message(field(1, MANAGED_FIELDS))),
  );
  return message(
    field(1, identity.name),
    ...(shape.scope === 'namespaced' ? [field(3, identity.namespace)] : []),
    field(5, identity.uid),
    integerField(7, version + 1),
    field(8, message(integerField(1, 1_790_000_000 + draw.below(5_000_000)))),
    ...mapField(11, labelsOf(identity, draw)),
    ...mapField(12, { 'meta.helm.sh/release-name': identity.app, 'checksum/config': draw.hex(64) }),
    field(17, managed),
  );
}

function protobufValue(shape: ResourceShape, identity: Identity, version: number, draw: Random): Buffer {
  const body = message(field(1, metadata(identity, shape, version, draw)), field(2, message(field(1, specText(shape, identity, draw)))));
  return Buffer.concat([MAGIC, message(field(1, message(field(1, shape.apiVersion), field(2, shape.kind))), field(2, body))]);
}

function jsonValue(shape: ResourceShape, identity: Identity, version: number, draw: Random): Buffer {
  const { apiVersion, kind } = shape;
  const { name, namespace, uid } = identity;
  const own = shape.scope === 'namespaced' ? { namespace } : {};
  const meta = { name, ...own, uid, generation: version + 1, creationTimestamp: timeOf(draw), labels: labelsOf(identity, draw) };
  return Buffer.from(JSON.stringify({ apiVersion, kind, metadata: meta, spec: specText(shape, identity, draw) }));
}

/** The object of this number as its `version`th update left it. The same arguments always give the same bytes. */
export function kubernetesObject(seed: number, index: number, version = 0): KubernetesObject {
  const fixed = random(seed, index);
  const shape = shapeOf(index, fixed);
  const identity = identityOf(shape, index, fixed);
  const draw = random(seed, index, version + 1);
  const value = (shape.encoding === 'json' ? jsonValue : protobufValue)(shape, identity, version, draw);
  return { key: keyOf(shape, identity), value, leased: shape.leased === true };
}
