import { ReportEvent, reportRestore } from '../../lambdas/restore/report-restore';
import { ledger } from '../backup/ledgers';
import { NOW } from '../backup/snapshots';
import { factsOf } from '../nodes/facts';
import { handedPlan } from './plans';
import { stored } from './stored-ledger';

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

  describe('of data from another time of the PKI', () => {
    const healed = { of: 'cluster', then: null, now: null, decision: 'heal', because: 'it is mended' } as const;
    const older = { ...state, plan: handedPlan({ pki: [healed] }) };
    const restored = { ending: 'restored', execution: 'e', state: older } as const;

    test('names the execution that heals what it says', async () => {
      const { edges, written } = edgesOf({ heal: async (restoreId: string) => `arn:heal-${restoreId}` });

      await reportRestore(edges, restored);

      expect(written).toMatchObject([{ report: { healing: expect.stringMatching(/^execution arn:heal-run-1 brings/) as string } }]);
    });

    test.each<[string, object, RegExp]>([
      ['cannot be started', { heal: async () => Promise.reject(new Error('no route')) }, /not healed \(no route\)/],
      ['is none, without certificates', {}, /no certificates of this cluster/],
    ])('says what to start by hand when that %s, and is restored all the same', async (_sentence, overrides, words) => {
      const { edges, written } = edgesOf(overrides);

      expect(await reportRestore(edges, restored)).toMatchObject({ outcome: 'RESTORED' });
      expect(written).toMatchObject([{ report: { healing: expect.stringMatching(words) as string } }]);
      expect(JSON.stringify(written)).toContain('lifeboat-prod-rotate-ca with {\\"heal\\":\\"run-1\\"}');
    });

    test('starts nothing where nothing differs, or nothing was restored', async () => {
      const started: string[] = [];
      const { edges } = edgesOf({ heal: async (restoreId: string) => void started.push(restoreId) });
      const same = { ...older, plan: handedPlan({ pki: [{ ...healed, decision: 'same' }] }) };

      await reportRestore(edges, { ...restored, state: same });
      await reportRestore(edges, { ...restored, ending: 'unharmed' });

      expect(started).toEqual([]);
    });
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
