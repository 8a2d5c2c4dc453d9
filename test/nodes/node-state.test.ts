import type { NodeState } from '../../lambdas/nodes/node-state';
import { nodeStateOf } from '../../lambdas/nodes/node-state';
import { factsOf } from './facts';
import type { FactsChange } from './facts';

const ID = 'r1';

const away = { definition: 'kept', keptBy: ID, running: false } as const;
const stopped = { etcd: { ...away, listening: false }, apiserver: away };
const old = (restoreId = ID) => ({ restoreId, kind: 'old', bytes: 1 });

test.each<[sentence: string, change: FactsChange, state: Partial<NodeState> & { readonly data?: string }]>([
  ['nothing was done', {}, { state: 'serving', data: 'old' }],
  ['a document runs', { busyWith: 'restore-data' }, { state: 'busy' }],
  ['everything was stopped', stopped, { state: 'stopped', data: 'old' }],
  [
    'the old data was taken away and nothing put in its place',
    { ...stopped, data: { exists: false, kept: [old()] } },
    { state: 'stopped', data: 'half-swapped' },
  ],
  ['the data was exchanged', { ...stopped, data: { restoredBy: ID, kept: [old()] } }, { state: 'stopped', data: 'restored' }],
  ['everything runs on the restored data', { data: { restoredBy: ID, kept: [old()] } }, { state: 'serving', data: 'restored' }],
  [
    'an earlier restore made the data that is old to this one',
    { data: { restoredBy: 'r0', kept: [old('r0')] } },
    { state: 'serving', data: 'old' },
  ],
  ['somebody put other data there', { ...stopped, data: { kept: [old()] } }, { state: 'stopped', data: 'unclear' }],
  [
    'a later restore made the data that is there',
    { data: { restoredBy: 'r2', restoredBefore: ['r0', ID], kept: [old(), old('r2')] } },
    { state: 'needs-hands', because: expect.stringContaining('restore r2 was there later') as string },
  ],
  [
    'a later restore made it, and what was before this one is cleaned up',
    { data: { restoredBy: 'r2', restoredBefore: [ID], kept: [old('r2')] } },
    { state: 'needs-hands' },
  ],
  [
    'a later restore made it by an older document, which did not say what was before',
    { data: { restoredBy: 'r2', kept: [old(), old('r2')] } },
    { state: 'needs-hands' },
  ],
  ['the API server alone was stopped', { apiserver: away }, { state: 'partly-stopped' }],
  [
    'etcd alone was started again',
    { apiserver: away, data: { restoredBy: ID, kept: [old()] } },
    { state: 'partly-stopped', data: 'restored' },
  ],
  ['the manifest is away and the process not yet gone', { etcd: { ...away, running: true }, apiserver: away }, { state: 'partly-stopped' }],
  ['the manifest is back and etcd does not run', { etcd: { running: false, listening: false } }, { state: 'partly-stopped' }],
  ['etcd runs and does not listen', { etcd: { listening: false } }, { state: 'partly-stopped' }],
  ['the data was exchanged under an etcd that runs', { etcd: { servesLiveData: false } }, { state: 'partly-stopped' }],
  ['a manifest is in both places', { etcd: { definition: 'both', keptBy: ID } }, { state: 'partly-stopped' }],
  [
    'the API server runs and is not ready',
    { apiserver: { ready: false } },
    { state: 'partly-stopped', because: expect.stringContaining('kube-apiserver runs and is not ready') as string },
  ],
  ['the API server runs and does not tell whether it is ready', { apiserver: { ready: null } }, { state: 'serving' }],
  ['a node with etcd alone serves', { apiserver: { definition: 'none', running: false, ready: false } }, { state: 'serving' }],
  ['a node with etcd alone is stopped', { etcd: stopped.etcd, apiserver: { definition: 'none', running: false } }, { state: 'stopped' }],
  ['another restore stopped it', { etcd: { ...away, keptBy: 'r0' } }, { state: 'needs-hands' }],
  ['there is no etcd', { data: null }, { state: 'needs-hands' }],
])('%s', (_sentence, change, state) => {
  expect(nodeStateOf(factsOf(change), ID)).toMatchObject(state);
});
