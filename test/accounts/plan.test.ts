import { planAccounts } from '../../lambdas/accounts/plan';
import type { AccountsFacts } from '../../lambdas/accounts/plan';
import type { Component } from '../../lambdas/authorities/restarts';
import { NOW, adoptedPair, idOf, later, mintedPair } from './accounts-pki';

const RUNS: readonly Component[] = ['apiserver', 'controller-manager', 'scheduler', 'etcd', 'kubelet'];
const NAMES = ['master-1', 'master-2', 'master-3'];

/** A cluster that is well, as kubeadm and an adoption left it. */
function facts(change: Partial<AccountsFacts> = {}): AccountsFacts {
  return {
    now: NOW,
    nodes: NAMES.map((name) => ({ name, role: 'control-plane', told: true, clockOff: 0, signer: 'split', runs: RUNS, leaves: [] })),
    missing: [],
    underWay: [],
    etcd: { voters: 3, healthy: 3, learners: 0 },
    snapshot: { id: 's-1', takenAt: later(-600) },
    document: adoptedPair(),
    files: NAMES.map((name) => ({ name, runs: RUNS, verifies: [idOf(1)], signsByFirst: true, processes: [] })),
    elsewhere: [],
    apiServers: NAMES.map((place) => ({
      ...{ place, verifies: [idOf(1)], signs: idOf(1) },
      acceptedBy: NAMES.map((other) => ({ place: other, accepted: true })),
    })),
    legacy: [],
    ...change,
  };
}
const plan = (change: Partial<AccountsFacts> = {}, mode: 'planned' | 'compromise' = 'planned') =>
  planAccounts(facts(change), { id: 'r-1', mode });

test('of a cluster that is well tells every state with its restarts, and no downtime', () => {
  expect(plan()).toMatchObject({
    decision: 'rotate',
    downtime: undefined,
    states: [
      { state: 'MINTED', restarts: [], waits: 0 },
      { state: 'VERIFYING', waits: 0 },
      { state: 'SIGNING', waits: 86_400 },
      { state: 'DROPPING', waits: 0 },
    ],
  });
});

test('after a compromise nobody waits, and what clients will notice is told', () => {
  expect(plan({}, 'compromise')).toMatchObject({
    downtime: expect.stringContaining('every token by the old key is refused at once') as string,
    states: [{}, {}, { waits: 0 }, {}],
  });
});

test('of one control-plane node alone says that the API is away while it restarts', () => {
  const { nodes, files, apiServers } = facts();
  const one = {
    nodes: nodes.slice(0, 1),
    files: files.slice(0, 1),
    apiServers: apiServers?.slice(0, 1),
    etcd: { voters: 1, healthy: 1, learners: 0 },
  };

  expect(plan(one)).toMatchObject({ downtime: expect.stringContaining('the API is away three times') as string });
});

test('legacy tokens are told in the order of their names, whoever signed them', () => {
  const legacy = [
    { namespace: 'ci', name: 'robot', key: idOf(1), lastUsed: undefined },
    { namespace: 'apps', name: 'old', key: undefined, lastUsed: '2026-11-20' },
  ];

  expect(plan({ legacy })).toMatchObject({ legacy: [{ name: 'old' }, { name: 'robot' }] });
});

const { files: wellFiles, apiServers: wellServers = [] } = facts();

test.each<[string, Partial<AccountsFacts>, RegExp]>([
  ['the cluster was never adopted', { document: undefined }, /holds no key pair of service accounts.*adopt the cluster first/s],
  [
    'the secret names none of its pairs',
    { document: { ...adoptedPair(), issuing: idOf(9) } },
    /is none of the pairs in the secret.*mend its field issuing/s,
  ],
  [
    'the private key is elsewhere',
    { document: { ...adoptedPair(), generations: adoptedPair().generations.map(({ privateKey: _, ...each }) => each) } },
    /tokens are signed elsewhere.*rotate it where it is/s,
  ],
  [
    'an API server reads other files',
    { elsewhere: [{ node: 'master-2', component: 'apiserver' }] },
    /flags of the apiserver of master-2 name other files than pki\/sa.pub/,
  ],
  [
    'a node has another key in sa.pub',
    { files: wellFiles.map((each) => (each.name === 'master-3' ? { ...each, verifies: [idOf(2)] } : each)) },
    /sa.pub of master-3 has .*give the node the pair that the others have/s,
  ],
  [
    'a node signs by another key',
    { files: wellFiles.map((each) => (each.name === 'master-3' ? { ...each, signsByFirst: false } : each)) },
    /sa.key there is another/,
  ],
  [
    'an API server still has other keys in its memory',
    { apiServers: wellServers.map((each) => (each.place === 'master-1' ? { ...each, verifies: [idOf(1), idOf(3)] } : each)) },
    /apiserver of master-1 verifies by .*started after its keys were written/s,
  ],
  ['nobody could ask the API servers', { apiServers: undefined }, /nothing is known of the apiserver of master-1: ask it by itself/],
  ['an authority is being exchanged', { underWay: [{ of: 'etcd', id: 'r-0', state: 'SOAKING' }] }, /r-0 of etcd is under way/],
  ['a member of etcd is not healthy', { etcd: { voters: 3, healthy: 2, learners: 0 } }, /etcd/],
  ['there is no snapshot of the last day', { snapshot: { id: 's-1', takenAt: later(-9 * 86_400) } }, /snapshot/],
  ['a node is not known to Systems Manager', { missing: ['master-4'] }, /master-4/],
])('is refused when %s', (_when, change, because) => {
  const refused = plan(change);

  expect(refused).toMatchObject({ decision: 'refuse' });
  const all = refused.decision === 'refuse' ? refused.all.map((each) => `${each.because}: ${each.instead}`) : [];
  expect(all.join('\n')).toMatch(because);
});

test('one that is planned again while it is under way is between two pairs, and refused by nothing of that', () => {
  const underWay = [{ of: 'service-accounts' as const, id: 'r-1', state: 'VERIFYING' as const }];
  const files = wellFiles.map((each) => ({ ...each, verifies: [idOf(1), idOf(2)] }));

  expect(plan({ document: mintedPair(), underWay, files })).toMatchObject({ decision: 'rotate' });
});
