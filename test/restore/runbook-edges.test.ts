import type { LedgerEdges } from '../../lambdas/backup/keep-ledger';
import { ledgerText } from '../../lambdas/backup/ledger';
import type { Ledger } from '../../lambdas/contract/ledger';
import type { RestorePlan } from '../../lambdas/contract/restore';
import { manifestKey, snapshotKey } from '../../lambdas/contract/s3-keys';
import { approvalMessage, askApproval } from '../../lambdas/restore/ask-approval';
import { lockControlPlane } from '../../lambdas/restore/control-plane-lock';
import { makePlan } from '../../lambdas/restore/plan-restore';
import { promiseRevisions } from '../../lambdas/restore/promise-revisions';
import { ReportEvent, reportRestore } from '../../lambdas/restore/report-restore';
import { ledger, lineage } from '../backup/ledgers';
import { NOW, manifest } from '../backup/snapshots';
import { factsOf } from '../nodes/facts';
import { handedPlan, plan, storedPlan } from './plans';

const SNAPSHOT = manifest({ id: '20261116T110000Z-0000000a', takenAt: '2026-11-16T11:00:00.000Z', revision: 900, lineage: 'a1' });

/** A ledger in S3 and the manifests beside it. */
function stored(known: Ledger, manifests = [SNAPSHOT]) {
  const at = { text: ledgerText(known), events: [] as string[] };
  const edges: LedgerEdges = {
    cluster: 'prod',
    document: {
      read: async () => ({ text: at.text, etag: '1' }),
      write: async (text) => {
        at.text = text;
        return '2';
      },
    },
    catalog: {
      list: async () =>
        manifests.flatMap(({ id, stored: { bytes } }) => [
          { key: manifestKey('prod', id), lastModified: NOW, bytes: 1 },
          { key: snapshotKey('prod', id), lastModified: NOW, bytes },
        ]),
      readManifest: async (id) => JSON.stringify(manifests.find((each) => each.id === id)),
    },
    telemetry: { log: (event) => void at.events.push(event), warn: (event) => void at.events.push(event) },
    wait: async () => undefined,
    random: () => 0,
  };
  return { edges, at, now: () => JSON.parse(at.text) as Ledger };
}

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
  const edgesOf = (live: () => Promise<object>) => {
    const { edges, at } = stored(ledger());
    const written: string[] = [];
    return {
      edges: { ledger: edges, live, writePlan: async (made: object) => void written.push(JSON.stringify(made)), now: () => NOW },
      written,
      at,
    };
  };

  test('is written whole and handed on without what would fill an execution', async () => {
    const { edges, written } = edgesOf(async () => ({ revision: 950, inventory: { pods: 1 } }));

    const handed = await makePlan(edges, 'state', event);

    expect(handed.snapshot.id).toBe(SNAPSHOT.id);
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
      return { edges: { ledger: edges, live, writePlan: async (made: RestorePlan) => void written.push(made), now: () => NOW }, written };
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

describe('the question for approval', () => {
  const EXECUTION = 'arn:aws:states:eu-central-1:111122223333:execution:lifeboat-prod-restore:run-1';

  test('says what happens, what is lost and the two commands', () => {
    const message = approvalMessage(
      plan({ loss: { revisions: 100, seconds: 7_200, objects: { pods: 2, nodes: -1 } }, warnings: ['one thing'] }),
      'TOKEN==',
      EXECUTION,
    );

    expect(message).toMatch(/^Restore of the control plane of prod, execution run-1/);
    for (const words of [
      'taken 2 hours ago',
      '100 revisions',
      '  2 pods are gone',
      '  1 nodes come back',
      '- one thing',
      'm1 on master-1 (i-00000001)',
      `Watch it: aws stepfunctions describe-execution --region eu-central-1 --execution-arn ${EXECUTION}`,
    ])
      expect(message).toContain(words);
    expect(message).toContain(
      'aws stepfunctions send-task-success --region eu-central-1 --task-output \'{"approvedBy":"your name"}\' --task-token \'TOKEN==\'',
    );
    expect(message).toContain(
      "aws stepfunctions send-task-failure --region eu-central-1 --error Rejected --cause 'your reason' --task-token 'TOKEN=='",
    );
  });

  test('does not claim to know what is lost when nobody answers', () => {
    expect(approvalMessage(plan(), 't', EXECUTION)).toContain('nobody knows, since no member answers');
    expect(approvalMessage(plan({ bump: { ...plan().bump, needed: false } }), 't', EXECUTION)).toContain('BACKWARDS');
  });

  test.each<[mode: RestorePlan['mode'], heading: string, words: readonly string[]]>([
    [
      'elsewhere',
      'Restore elsewhere of the control plane of prod, execution run-1',
      ['What is lost: nothing of prod itself, whose members were not asked and are not touched', 'the old data stays beside it'],
    ],
    [
      'drill',
      'Drill of a restore of the control plane of prod, execution run-1',
      ['What is lost: nothing; the members of prod were not asked and are not touched', 'the old data is put back afterwards'],
    ],
  ])('does not say that nobody answers where nobody was asked: %s', (mode, heading, words) => {
    const message = approvalMessage(plan({ mode }), 't', EXECUTION);

    expect(message.split('\n')[0]).toBe(heading);
    for (const each of words) expect(message).toContain(each);
    expect(message).not.toContain('no member answers');
  });

  const same = 'The snapshot holds as many objects of each kind as the live cluster: if something was deleted, name an earlier snapshot.';
  const none = 'No object comes back: if something was deleted, name an earlier snapshot.';
  test.each<[sentence: string, loss: Omit<RestorePlan['loss'], 'seconds'>, advice: string | undefined]>([
    ['the live cluster holds the same', { revisions: 20, objects: {} }, same],
    ['it differs in events alone, which pass by themselves', { revisions: 9_000, objects: { events: -12 } }, same],
    ['it only has more', { revisions: 20, objects: { pods: 2, events: -12 } }, none],
    ['something comes back', { revisions: 20, objects: { pods: 2, secrets: -1 } }, undefined],
    ['nobody answers', { objects: {} }, undefined],
  ])('says whether an earlier snapshot is wanted, when %s', (_sentence, loss, advice) => {
    const message = approvalMessage(plan({ loss: { seconds: 60, ...loss } }), 't', EXECUTION);

    expect(message.split('\n').filter((line) => line.includes('earlier snapshot'))).toEqual(advice === undefined ? [] : [advice]);
  });

  test('is in S3 whether or not a message comes through, and why none came is told', async () => {
    const written: string[] = [];
    const warned: unknown[] = [];
    const ask = (tell?: () => Promise<void>) =>
      askApproval(
        {
          readPlan: async () => storedPlan(),
          write: async (text) => void written.push(text),
          tell,
          telemetry: { warn: (event, fields) => void warned.push([event, fields]) },
        },
        { restoreId: 'run-1', token: 't', execution: EXECUTION },
      );

    expect(await ask(async () => undefined)).toEqual({ told: true });
    expect(await ask(async () => Promise.reject(new Error('no such topic')))).toEqual({ told: false });
    expect(await ask()).toEqual({ told: false });
    expect(written).toHaveLength(3);
    expect(warned).toEqual([['nobody-told', { because: 'no such topic' }]]);
  });
});

describe('the report', () => {
  const edgesOf = (overrides: object = {}) => {
    const { edges, now, at } = stored(ledger());
    const told: string[] = [];
    const written: { readonly execution: string; readonly report: object }[] = [];
    const stamped: object[] = [];
    return {
      stamped,
      edges: {
        ledger: edges,
        history: async () => [],
        writeReport: async (execution: string, report: object) => void written.push({ execution, report }),
        tell: async (subject: string, message: string) => void told.push(subject, message),
        stamp: async (snapshot: string, drill: object) => void stamped.push({ snapshot, ...drill }),
        now: () => NOW,
        ...overrides,
      },
      told,
      written,
      now,
      at,
    };
  };
  const promised = { by: 10, to: 910, at: NOW.toISOString() };
  const state = { restoreId: 'run-1', mode: 'in-place' as const, plan: handedPlan(), promised, restored: { lineage: 'b2' } };

  test('of a restore completes the promise with the lineage that it opened', async () => {
    const { edges, now, told } = edgesOf();

    expect(await reportRestore(edges, { ending: 'restored', execution: 'e', state })).toMatchObject({ outcome: 'RESTORED' });
    expect(now().restores).toMatchObject([{ bumpedTo: 910, newLineage: 'b2' }]);
    expect(told[0]).toBe('kube-lifeboat prod: restore RESTORED');
  });

  test('lies under the name of its own execution: that of a roll-back leaves the one of the restore as it is', async () => {
    const { edges, written } = edgesOf();
    const execution = 'arn:aws:states:eu-central-1:111122223333:execution:lifeboat-prod-restore:undo-1';

    await reportRestore(edges, { ending: 'rolled-back', execution, state: { restoreId: 'run-1', mode: 'roll-back' } });

    expect(written).toMatchObject([{ execution: 'undo-1', report: { restoreId: 'run-1', mode: 'roll-back' } }]);
  });

  test('says who approved, in the file and in the message', async () => {
    const { edges, told, written } = edgesOf();
    const { state: approved } = ReportEvent.parse({
      ending: 'restored',
      execution: 'e',
      state: { ...state, approval: { approvedBy: 'Ada', at: 'three' } },
    });

    await reportRestore(edges, { ending: 'restored', execution: 'e', state: approved });

    expect(written).toMatchObject([{ report: { approvedBy: 'Ada' } }]);
    expect(told[1]).toContain('\nApproved by: Ada\n');
  });

  test.each<[what: string, approval: unknown]>([
    ['nobody was asked', undefined],
    ['the answer was no object', 'yes'],
    ['it names nobody', {}],
    ['its name is empty', { approvedBy: ' ' }],
    ['its name is a book', { approvedBy: 'x'.repeat(201) }],
  ])('is written without a name when %s', async (_what, approval) => {
    const { edges, told, written } = edgesOf();

    await reportRestore(edges, ReportEvent.parse({ ending: 'restored', execution: 'e', state: { ...state, approval } }));

    expect(written[0]!.report).not.toHaveProperty('approvedBy');
    expect(told[1]).not.toContain('Approved by');
  });

  test('of anything else leaves the ledger as it is', async () => {
    const { edges, now } = edgesOf();

    await reportRestore(edges, { ending: 'unharmed', execution: 'e', state });
    await reportRestore(edges, { ending: 'restored', execution: 'e', state: { ...state, mode: 'elsewhere' } });

    expect(now().restores).toEqual([]);
  });

  test('of a drill is stamped on the manifest of its snapshot, whether it passed or not', async () => {
    const { edges, stamped, told } = edgesOf();
    const drill = { ...state, mode: 'drill' as const };
    const well = { instanceId: 'i-00000001', host: 'a', outcome: 'done' as const, result: factsOf() };

    await reportRestore(edges, { ending: 'drilled', execution: 'e', state: { ...drill, after: [well], old: { lineage: 'a1' } } });
    await reportRestore(edges, {
      ending: 'rolled-back',
      execution: 'e',
      state: { ...drill, after: [well], old: { lineage: 'a1' }, failure: { Error: 'NodesFailed', Cause: 'no' } },
    });

    expect(stamped).toMatchObject([
      { snapshot: state.plan.snapshot.id, kind: 'restored', passed: true, by: 'run-1' },
      { passed: false, detail: 'NodesFailed: no' },
    ]);
    expect(told.filter((_, index) => index % 2 === 0)).toEqual([
      'kube-lifeboat prod: drill DRILLED',
      'kube-lifeboat prod: drill ROLLED_BACK',
    ]);
  });

  const node = { instanceId: 'i-00000001', host: 'a', outcome: 'failed' as const, because: 'no' };
  test.each<[sentence: string, how: Partial<ReportEvent['state']>, stamps: readonly object[], subject: string]>([
    [
      'the snapshot was found damaged',
      { failure: { Error: 'StoredSnapshotDamaged', Cause: 'other bytes' } },
      [{ kind: 'restored', passed: false, detail: 'StoredSnapshotDamaged: other bytes', by: 'run-1' }],
      'drill UNHARMED, the snapshot did not pass',
    ],
    [
      'etcdutl refused it',
      { failure: { Error: 'NodesFailed', Cause: 'stage failed' }, ends: [{ ...node, error: 'SnapshotDiffers' }] },
      [{ passed: false, detail: 'NodesFailed: stage failed' }],
      'drill UNHARMED, the snapshot did not pass',
    ],
    [
      'its machine could not be used',
      { failure: { Error: 'NodesFailed', Cause: 'stage failed' }, ends: [{ ...node, error: 'NoSpace' }] },
      [],
      'drill UNHARMED, none was held',
    ],
    ['S3 was down', { failure: { Error: 'StoreFailed', Cause: 'no' } }, [], 'drill UNHARMED, none was held'],
    [
      'it was refused before there was a snapshot',
      { failure: { Error: 'RestoreRefused', Cause: 'no' }, plan: undefined },
      [],
      'drill UNHARMED, none was held',
    ],
  ])(
    'of a drill in which nothing was touched is stamped only if the snapshot is at fault, and people hear of it either way: %s',
    async (...row) => {
      const [, how, stamps, subject] = row;
      const { edges, stamped, told } = edgesOf();

      await reportRestore(edges, { ending: 'unharmed', execution: 'e', state: { ...state, mode: 'drill', ...how } });

      expect(stamped).toEqual(stamps.map((each) => expect.objectContaining(each) as object));
      expect(told[0]).toBe(`kube-lifeboat prod: ${subject}`);
    },
  );

  test('of a restore is stamped on no snapshot, whatever it found', async () => {
    const { edges, stamped } = edgesOf();

    await reportRestore(edges, {
      ending: 'unharmed',
      execution: 'e',
      state: { ...state, failure: { Error: 'StoredSnapshotDamaged', Cause: '' } },
    });

    expect(stamped).toEqual([]);
  });

  test('says what was found since the approval', async () => {
    const { edges, told, written } = edgesOf();
    const approved = { madeAt: NOW.toISOString(), since: ['20 revisions are lost by now', 'a warning'] };

    await reportRestore(edges, { ending: 'restored', execution: 'e', state: { ...state, plan: handedPlan({ approved }) } });

    expect(written).toMatchObject([{ report: { sinceApproval: approved.since } }]);
    expect(told[1]).toContain('\nSince the approval: 20 revisions are lost by now; a warning\n');
  });

  test('is written though nobody can be told and the history cannot be read', async () => {
    const fails = async () => Promise.reject(new Error('no'));
    const { edges, written, at } = edgesOf({ history: fails, tell: fails });

    await reportRestore(edges, { ending: 'dry-run', execution: 'e', state });

    expect(written).toMatchObject([{ report: { outcome: 'DRY_RUN', phases: [] } }]);
    expect(at.events).toEqual(expect.arrayContaining(['history-unread', 'nobody-told']));
  });
});
