import { resourceOf } from '../../../lambdas/etcd/snapshot';

test.each([
  ['/registry/pods/default/web-0', 'pods'],
  ['/registry/configmaps/kube-system/coredns', 'configmaps'],
  ['/registry/namespaces/default', 'namespaces'],
  ['/registry/minions/node-1', 'nodes'],
  ['/registry/controllers/default/old', 'replicationcontrollers'],
  ['/registry/ingress/default/web', 'ingresses'],
  ['/registry/leases/kube-node-lease/node-1', 'leases'],
  ['/registry/horizontalpodautoscalers/default/web', 'horizontalpodautoscalers'],
  ['/registry/services/specs/default/kubernetes', 'services'],
  ['/registry/services/endpoints/default/kubernetes', 'endpoints'],
  ['/registry/ranges/serviceips', 'ranges/serviceips'],
  ['/registry/ranges/servicenodeports', 'ranges/servicenodeports'],
  ['/registry/masterleases/10.0.0.1', 'masterleases'],
  ['/registry/health', 'health'],
  ['/registry/apiregistration.k8s.io/apiservices/v1.apps', 'apiservices.apiregistration.k8s.io'],
  ['/registry/apiextensions.k8s.io/customresourcedefinitions/widgets.example.com', 'customresourcedefinitions.apiextensions.k8s.io'],
  ['/registry/example.com/widgets/default/one', 'widgets.example.com'],
  ['/registry/example.com', 'example.com'],
  ['/registry/services', 'services'],
  ['/registry/', '(other)'],
  ['/registryx/pods/a/b', '(other)'],
  ['/calico/resources/v3/x', '(other)'],
  ['compact_rev_key', '(other)'],
  ['', '(other)'],
  ['/registry/constructor/a', 'constructor'],
])('the key %s belongs to %s', (key, resource) => {
  expect(resourceOf(key)).toBe(resource);
});
