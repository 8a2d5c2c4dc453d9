const REGISTRY = '/registry/';
/** Where keys are counted that no API server wrote. */
export const OTHER = '(other)';
/** API groups and resources are names of RFC 1123, which Kubernetes bounds to this; what is longer is nobody's resource. */
export const MAX_SEGMENT_BYTES = 253;

/** Resources whose objects lie under another name than the API's, from the time before there were groups. */
const RENAMED: Readonly<Record<string, string>> = {
  minions: 'nodes',
  controllers: 'replicationcontrollers',
  ingress: 'ingresses',
  podsecuritypolicy: 'podsecuritypolicies',
};

/** First segments below which the next one still belongs to the name. */
const TWO_SEGMENTS: Readonly<Record<string, (second: string) => string>> = {
  services: (second) => (second === 'specs' ? 'services' : second === 'endpoints' ? 'endpoints' : `services/${second}`),
  ranges: (second) => `ranges/${second}`,
};

/** Whether the segment behind `first` is needed to name a resource: below an API group, and for a few old names. */
export const needsSecondSegment = (first: string): boolean => first.includes('.') || Object.hasOwn(TWO_SEGMENTS, first);

/**
 * The API resource that a key of etcd belongs to, as `kubectl api-resources` names it.
 *
 *     /registry/pods/<namespace>/<name>                             pods
 *     /registry/minions/<name>                                      nodes
 *     /registry/services/specs/<namespace>/<name>                   services
 *     /registry/apiregistration.k8s.io/apiservices/<name>           apiservices.apiregistration.k8s.io
 *     /registry/<group>/<resource>/<namespace>/<name>               <resource>.<group>
 *     /registry/ranges/serviceips, /registry/masterleases/<ip>      ranges/serviceips, masterleases
 *     anything else                                                 (other)
 */
export function resourceOf(key: string): string {
  if (!key.startsWith(REGISTRY)) return OTHER;
  const [first = '', second = ''] = key.slice(REGISTRY.length).split('/', 2);
  return resourceOfSegments(first, second);
}

/** As {@link resourceOf}, from the two segments behind `/registry/`, one character to a byte. */
export function resourceOfSegments(first: string, second: string): string {
  if (first === '' || first.length > MAX_SEGMENT_BYTES || second.length > MAX_SEGMENT_BYTES) return OTHER;
  if (first.includes('.')) return second === '' ? first : `${second}.${first}`;
  if (Object.hasOwn(TWO_SEGMENTS, first)) return second === '' ? first : (TWO_SEGMENTS[first]?.(second) ?? first);
  return Object.hasOwn(RENAMED, first) ? (RENAMED[first] ?? first) : first;
}
