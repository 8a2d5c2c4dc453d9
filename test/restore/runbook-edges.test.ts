import type { RestorePlan } from '../../lambdas/contract/restore';
import { lockControlPlane } from '../../lambdas/restore/control-plane-lock';
import { makePlan } from '../../lambdas/restore/plan-restore';
import { promiseRevisions } from '../../lambdas/restore/promise-revisions';
import { ledger, lineage } from '../backup/ledgers';
import { NOW, manifest } from '../backup/snapshots';
import { factsOf } from '../nodes/facts';
import { handedPlan } from './plans';
import { SNAPSHOT, stored } from './stored-ledger';

describe('the promise of revisions', () => {
  const known = ledger({ lineages: { a1: lineage({ revision: 1_000 }) } });

  test('is in the ledger before anything is stopped, and reaches above everything that was served', async () => {
    const { edges, now } = stored(known);

    const promised = await promiseRevisions(edges, { plan: handedPlan() }, NOW);

    expect(promised.to).toBeGreaterThan(1_000);
    expect(promised).toMatchObject({ above: 1_000, parameters: { restoreId: 'run-1', bumpRevision: String(promised.by) } });
    expect(now().restores).toEqual([
      { at: NOW.toISOString(), snapshot: handedPlan().snapshot.id, fromLineage: 'a1', bumpedTo: promised.to },
    ]);
    expect(now().ceiling).toBe(promised.to);
  });

  test('is higher the second time that the same snapshot is restored', async () => {
    const { edges } = stored(known);
    const first = await promiseRevisions(edges, { plan: handedPlan() }, NOW);
    const second = await promiseRevisions(edges, { plan: handedPlan() }, new Date(NOW.getTime() + 60_000));

    expect(second.above).toBe(first.to);
    expect(second.to).toBeGreaterThan(first.to);
  });

  test('of a restore elsewhere binds nobody here', async () => {
    const { edges, now } = stored(known);

    await promiseRevisions(edges, { plan: handedPlan({ mode: 'elsewhere' }) }, NOW);

    expect(now()).toEqual(known);
  });

  test('of a restore without a bump is the revision of the snapshot', async () => {
    const { edges } = stored(known);
    const without = handedPlan({ bump: { needed: false, estimate: 0, servedUpTo: 1_000, because: '' } });

    expect(await promiseRevisions(edges, { plan: without }, NOW)).toMatchObject({
      by: 0,
      to: 900,
      above: 0,
      parameters: { bumpRevision: '0' },
    });
  });
});

describe('the plan', () => {
  const node = { instanceId: 'i-00000001', host: 'master-1' };
  const event = {
    request: { ...requestDefaults(), snapshot: 'latest' as const },
    restoreId: 'run-1',
    mode: 'in-place' as const,
    nodes: [node],
    facts: [{ ...node, outcome: 'done' as const, result: factsOf() }],
  };
  const ERAS = { cluster: { issuing: '1'.repeat(64), trusted: ['1'.repeat(64)] } };
  const edgesOf = (live: () => Promise<object>) => {
    const { edges, at } = stored(ledger());
    const written: string[] = [];
    return {
      edges: {
        ledger: edges,
        live,
        eras: async () => ERAS,
        writePlan: async (made: object) => void written.push(JSON.stringify(made)),
        now: () => NOW,
      },
      written,
      at,
    };
  };

  test('is written whole and handed on without what would fill an execution', async () => {
    const { edges, written } = edgesOf(async () => ({ revision: 950, inventory: { pods: 1 } }));

    const handed = await makePlan(edges, 'state', event);

    expect(handed.snapshot.id).toBe(SNAPSHOT.id);
    expect(handed.pki).toMatchObject([{ of: 'cluster', then: null, now: ERAS.cluster, decision: 'heal' }]);
    expect(handed).not.toHaveProperty('loss');
    expect(JSON.parse(written[0]!)).toMatchObject({ loss: { revisions: 50, objects: { pods: 1 } }, snapshot: { inventory: {} } });
  });

  test('is made without the live cluster when that is dead', async () => {
    const { edges, written, at } = edgesOf(async () => Promise.reject(new Error('connection refused')));

    await makePlan(edges, 'state', event);

    expect(JSON.parse(written[0]!)).toMatchObject({ loss: { objects: {} } });
    expect(at.events).toContain('live-cluster-silent');
  });

  test('that is refused says why, and leaves no file', async () => {
    const { edges, written } = edgesOf(async () => ({}));

    await expect(makePlan(edges, 'state', { ...event, facts: [{ ...node, outcome: 'lost' }] })).rejects.toThrow(
      'nothing was changed: master-1 i-00000001 does not answer',
    );
    await expect(
      makePlan(edges, 'state', { ...event, request: { ...event.request, snapshot: '20261116T110000Z-0000000b' } }),
    ).rejects.toThrow('is not listed');
    expect(written).toEqual([]);
  });

  describe('made again after it was approved', () => {
    const NEWER = manifest({ id: '20261116T113000Z-0000000c', takenAt: '2026-11-16T11:30:00.000Z', revision: 980, lineage: 'a1' });
    const ofBoth = () => {
      const { edges } = stored(ledger(), [SNAPSHOT, NEWER]);
      const written: RestorePlan[] = [];
      const live = async () => ({ revision: 990, inventory: {} });
      const writePlan = async (made: RestorePlan) => void written.push(made);
      return { edges: { ledger: edges, live, eras: async () => ERAS, writePlan, now: () => NOW }, written };
    };
    const approve = async () => makePlan(edgesOf(async () => ({ revision: 950 })).edges, 'state', event);

    test('is of the same snapshot, though there is a newer one by now, and plan.json tells of today', async () => {
      const approved = await approve();
      const { edges, written } = ofBoth();

      const again = await makePlan(edges, 'state', { ...event, approved });

      expect(approved.snapshot.id).toBe(SNAPSHOT.id);
      expect((await makePlan(ofBoth().edges, 'state', event)).snapshot.id).toBe(NEWER.id);
      expect(again.snapshot.id).toBe(SNAPSHOT.id);
      expect(again.approved).toEqual({ madeAt: approved.madeAt, since: ['90 revisions are lost by now'] });
      expect(written).toMatchObject([{ snapshot: { id: SNAPSHOT.id }, loss: { revisions: 90 }, approved: again.approved }]);
    });

    test('is refused when it is not what was approved any more, and plan.json stays what was', async () => {
      const approved = await approve();
      const { edges, written } = ofBoth();
      const second = { instanceId: 'i-00000002', host: 'master-2' };
      const etcd = { name: 'master-2', peerUrls: 'https://10.0.1.2:2380', clientUrl: 'https://10.0.1.2:2379' };
      const facts = [...event.facts, { ...second, outcome: 'done' as const, result: factsOf({ etcd }) }];

      const refused = makePlan(edges, 'state', { ...event, nodes: [node, second], facts, approved });

      await expect(refused).rejects.toMatchObject({ name: 'RestoreRefused' });
      await expect(refused).rejects.toThrow(
        /^nothing was changed: what was approved does not hold any more, start again to be asked anew: the members are others: master-2 on master-2 i-00000002 .* has come/,
      );
      expect(written).toEqual([]);
    });

    test('is refused when the snapshot is gone, or something new stands in the way', async () => {
      const approved = await approve();
      const { edges } = stored(ledger(), [NEWER]);
      const gone = makePlan({ ...ofBoth().edges, ledger: edges }, 'state', { ...event, approved });
      const busy = [{ ...node, outcome: 'done' as const, result: factsOf({ busyWith: 'stage' }) }];

      await expect(gone).rejects.toThrow(`snapshot ${SNAPSHOT.id} is not listed: the newest verified one is ${NEWER.id}`);
      await expect(makePlan(ofBoth().edges, 'state', { ...event, facts: busy, approved })).rejects.toThrow('stage runs there now');
    });
  });
});

function requestDefaults() {
  return {
    approval: 'required',
    dryRun: false,
    allowUnverified: false,
    allowNoBump: false,
    approvalSeconds: 60,
    waitForNodesSeconds: 60,
    drill: false,
    safetySnapshot: true,
  } as const;
}

describe('the lock of the control plane', () => {
  const held = (holder?: string) => {
    const log: string[] = [];
    return {
      log,
      locks: (name: string) => ({
        acquire: async (who: string) => {
          log.push(`${name} taken by ${who}`);
          return holder === undefined || holder === who
            ? { acquired: true as const, release: async () => void log.push('released') }
            : { acquired: false as const, holder, expiresAt: '2026-11-26T04:00:00.000Z' };
        },
        release: async (who: string) => void log.push(`${name} given back by ${who}`),
      }),
    };
  };

  test('is taken, also for the second time by the same execution, and given back without being taken', async () => {
    const { locks, log } = held('run-1');

    expect(await lockControlPlane(locks, { do: 'acquire', lock: 'control-plane', holder: 'run-1' })).toEqual({ held: true });
    expect(await lockControlPlane(locks, { do: 'release', lock: 'drill', holder: 'run-1' })).toEqual({ held: false });
    expect(log).toEqual(['control-plane taken by run-1', 'drill given back by run-1']);
  });

  test('that somebody else holds is refused with the holder and the way out, whichever runbook that is', async () => {
    const { locks } = held('run-0');

    await expect(lockControlPlane(locks, { do: 'acquire', lock: 'drill', holder: 'run-1' })).rejects.toThrow(
      'run-0 works on the nodes until 2026-11-26T04:00:00.000Z at the latest: wait for it; when that execution was aborted and is a restore, start one with {"rollBack":"run-0"}; when it is a replacement, which cannot be rolled back, redrive it',
    );
  });
});
