import type { NodeFacts } from '../../lambdas/contract/node-commands';

type Data = NonNullable<NodeFacts['data']>;
export interface FactsChange {
  readonly busyWith?: string;
  readonly etcdutl?: NodeFacts['etcdutl'];
  readonly strayManifests?: string[];
  readonly restores?: NodeFacts['restores'];
  readonly tools?: NodeFacts['tools'];
  readonly etcd?: Partial<NodeFacts['etcd']>;
  readonly apiserver?: Partial<NodeFacts['apiserver']>;
  readonly data?: Partial<Data> | null;
}

/** What a well node says of itself, with some of it otherwise. */
export const factsOf = ({ busyWith = '', etcd, apiserver, data, ...others }: FactsChange = {}): NodeFacts => ({
  host: 'master-1',
  busyWith: busyWith === '' ? null : busyWith,
  etcd: {
    runs: 'static-pod',
    definition: 'in-place',
    keptBy: null,
    running: true,
    servesLiveData: true,
    listening: true,
    name: 'master-1',
    peerUrls: 'https://10.0.1.10:2380',
    clientUrl: 'https://10.0.1.10:2379',
    walDir: null,
    image: 'registry.k8s.io/etcd:3.6.16-0',
    version: '3.6.16',
    unitIs: null,
    ...etcd,
  },
  apiserver: { definition: 'in-place', keptBy: null, running: true, ready: true, address: '10.0.1.10:6443', ...apiserver },
  etcdutl: { from: 'path', version: '3.6.16', bumpRevision: true },
  data:
    data === null
      ? null
      : {
          dir: '/var/lib/etcd',
          exists: true,
          ownDisk: false,
          dbBytes: 1,
          restoredBy: null,
          restoredBefore: [],
          kept: [],
          freeBytes: 10 ** 9,
          freeInodes: 1,
          ...data,
        },
  stage: { freeBytes: 1, freeInodes: 1, sameDisk: true },
  restores: [],
  strayManifests: [],
  tools: { aws: true, curl: true, flock: true, sha256sum: true },
  ...others,
});
