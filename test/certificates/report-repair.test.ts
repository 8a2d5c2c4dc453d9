import { repairReport } from '../../lambdas/certificates/report-repair';
import type { RepairState } from '../../lambdas/certificates/report-repair';
import type { RepairPlan } from '../../lambdas/contract/repair-certificates';
import type { NodeEnd } from '../../lambdas/contract/restore';
import { NOW } from './told-nodes';

const NODE = { instanceId: 'i-0123456789abcdef0', host: 'master-1' };
const SETTINGS = { leafValidityDays: 90, renewBeforeDays: 30, caValidityYears: 5, api: { addresses: [], extraSans: [] } };
const PLAN: RepairPlan = { nodes: [{ ...NODE, parameters: {}, because: ['apiserver: it ended'] }], left: [], etcdClient: 'kept' };
const done = (result: object = {}): NodeEnd => ({ ...NODE, outcome: 'done', result });
const state = (change: Partial<RepairState> = {}): RepairState => ({
  restoreId: 'repair-1',
  request: { force: false, waitForNodesSeconds: 180 },
  planned: { plan: PLAN },
  ends: [done()],
  etcd: { weak: null },
  ...change,
});
const report = (change: Partial<RepairState> = {}) => repairReport('prod', SETTINGS, state(change), NOW);
const failure = (Error: string) => ({ Error, Cause: JSON.stringify({ errorMessage: 'because' }) });

describe('the report of a repair', () => {
  test.each<[string, Partial<RepairState>, string]>([
    ['everything is well', {}, 'REPAIRED'],
    [
      'no node needed it',
      { planned: { plan: { nodes: [], left: [], etcdClient: 'kept' } }, ends: undefined, etcd: undefined },
      'NOTHING_TO_DO',
    ],
    ['a document failed', { ends: [{ ...NODE, outcome: 'failed', error: 'SetUnfit', because: 'so', fix: 'do' }] }, 'NEEDS_HANDS'],
    ['nobody could see etcd well', { etcd: undefined, unwell: failure('EtcdNotReady') }, 'NEEDS_HANDS'],
    ['a node tells nothing afterwards', { facts: [{ ...NODE, outcome: 'undeliverable', because: 'away' }] }, 'NEEDS_HANDS'],
    ['it was refused', { planned: undefined, ends: undefined, failure: failure('RepairRefused') }, 'REFUSED'],
    ['it failed before any node was touched', { planned: undefined, ends: undefined, failure: failure('StoreFailed') }, 'REFUSED'],
    ['it failed after nodes were touched', { failure: failure('Lambda.Unknown') }, 'NEEDS_HANDS'],
  ])('when %s', async (_sentence, change, outcome) => {
    expect((await report(change)).outcome).toBe(outcome);
  });

  test('says what each node needs that is not well, and what etcd said', async () => {
    const { whatToDo } = await report({
      ends: [{ ...NODE, outcome: 'failed', error: 'SetUnfit', because: 'no key', fix: 'look' }],
      etcd: undefined,
      unwell: failure('EtcdNotReady'),
    });

    expect(whatToDo).toEqual([
      'master-1: SetUnfit, no key (look)',
      'etcd: because',
      'start the same again: nodes that are well are left alone',
    ]);
  });

  test('asks for a kubelet to be started again only where its kubeconfig is new', async () => {
    expect((await report({ ends: [done({ kubelet: 'replaced' })] })).whatToDo).toEqual([
      'run systemctl restart kubelet on master-1: its kubeconfig is new',
    ]);
    expect((await report({ ends: [done({ kubelet: 'refers' })] })).whatToDo).toEqual([]);
  });

  test('holds nothing of what a document gave back', async () => {
    expect(JSON.stringify(await report({ ends: [done({ anything: 'long' })] }))).not.toContain('anything');
  });
});
