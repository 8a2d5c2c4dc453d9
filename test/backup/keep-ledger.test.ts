import { ledgerText, raise, rebuild } from '../../lambdas/backup/ledger';
import { loadLedger, noteSnapshot, readMergedLedger, updateLedger } from '../../lambdas/backup/keep-ledger';
import type { LedgerEdges } from '../../lambdas/backup/keep-ledger';
import type { Ledger } from '../../lambdas/contract/ledger';
import { manifestKey } from '../../lambdas/contract/s3-keys';
import { ledger, lineage } from './ledgers';
import { NOW, manifest } from './snapshots';

const IDS = ['20261116T120000Z-00000001', '20261116T120000Z-00000002'] as const;
const stored = { a: manifest({ id: IDS[0], revision: 700 }), b: manifest({ id: IDS[1], revision: 800, lineage: 'beef' }) };

interface Bucket {
  text: string | undefined;
  etag: number;
  readonly manifests: Map<string, string>;
  /** What happens to the next writes, in order; afterwards they succeed. */
  readonly writes: ('lost' | 'answer-lost' | 'fails')[];
  readonly events: string[];
  readonly waits: number[];
}

/** An object with S3's conditional writes, and manifests beside it. The real ones are tested through the deployed functions. */
function bucket(text?: string, overrides: Partial<Bucket> = {}): { at: Bucket; edges: LedgerEdges } {
  const manifests = new Map(Object.values(stored).map((one) => [one.id, JSON.stringify(one)]));
  const at: Bucket = { text, etag: 1, manifests, writes: [], events: [], waits: [], ...overrides };
  const edges: LedgerEdges = {
    cluster: 'prod',
    document: {
      read: async () => (at.text === undefined ? undefined : { text: at.text, etag: String(at.etag) }),
      write: async (next, over) => {
        const fate = at.writes.shift();
        if (fate === 'fails') throw new Error('S3 is gone');
        if (fate === 'lost') put(ledgerText(raise(ledger(), { lineage: 'other', revision: 3, at: NOW, led: true })));
        if ((at.text === undefined ? undefined : String(at.etag)) !== over) return undefined;
        put(next);
        return fate === 'answer-lost' ? undefined : String(at.etag);
      },
    },
    catalog: {
      list: async () => [...at.manifests.keys()].map((id) => ({ key: manifestKey('prod', id), lastModified: NOW, bytes: 1 })),
      readManifest: async (id) => at.manifests.get(id),
    },
    telemetry: { log: (event) => void at.events.push(event), warn: (event) => void at.events.push(event) },
    wait: async (milliseconds) => void at.waits.push(milliseconds),
    random: () => 1,
  };
  const put = (next: string) => {
    at.text = next;
    at.etag++;
  };
  return { at, edges };
}

const current = ledger({ lineages: { a1: lineage() } });
const poll = (revision: number) => (known: Ledger) => raise(known, { lineage: 'a1', revision, at: NOW, led: true });
const inStore = (at: Bucket) => JSON.parse(at.text ?? '{}') as Ledger;

describe('loading the ledger', () => {
  test('that is fine does not look at the manifests', async () => {
    const { edges } = bucket(ledgerText(current));
    const unused = {
      list: () => Promise.reject(new Error('must not be listed')),
      readManifest: () => Promise.reject(new Error('nor read')),
    };

    expect(await loadLedger({ ...edges, catalog: unused })).toEqual({ ledger: current, etag: '1', stored: ledgerText(current) });
  });

  test.each<[string, string | undefined, string, number]>([
    ['that is missing', undefined, 'ledger-missing', 800],
    ['that is damaged', '{"lineages":', 'ledger-damaged', 800],
    ['of which some can be saved', JSON.stringify({ ...current, ceiling: 'x' }), 'ledger-damaged', 1_000],
  ])('%s rebuilds it from the manifests', async (_what, text, event, ceiling) => {
    const { at, edges } = bucket(text);

    const loaded = await loadLedger(edges);

    expect(loaded).toMatchObject({ stored: undefined, ledger: { ceiling, lineages: { beef: { revision: 800 } } } });
    expect(at.events).toEqual([event]);
  });

  test('does not rebuild it without a manifest that cannot be read, for it might be too low', async () => {
    const { edges } = bucket(undefined);
    const broken = { ...edges.catalog, readManifest: () => Promise.reject(new Error('503')) };

    await expect(loadLedger({ ...edges, catalog: broken })).rejects.toThrow('503');
  });

  test('leaves out manifests that went since they were listed, that do not parse, and that are of another cluster', async () => {
    const foreign = JSON.stringify({ ...stored.b, cluster: 'other', revision: 9_000 });
    const manifests = new Map([
      ...Object.entries({ [IDS[0]]: JSON.stringify(stored.a), [IDS[1]]: foreign, '20261116T120000Z-00000003': '{' }),
    ]);
    const { at, edges } = bucket(undefined, { manifests });
    const catalog = { ...edges.catalog, list: async () => [...(await edges.catalog.list()), { key: manifestKey('prod', '20261116T120000Z-00000004'), lastModified: NOW, bytes: 1 }] }; // prettier-ignore

    expect((await loadLedger({ ...edges, catalog })).ledger).toEqual(rebuild([stored.a]));
    expect(at.events).toEqual(['manifest-damaged', 'ledger-missing']);
  });
});

describe('updating the ledger', () => {
  test('writes over what was read', async () => {
    const { at, edges } = bucket(ledgerText(current));

    await updateLedger(edges, poll(2_000));

    expect(inStore(at)).toMatchObject({ ceiling: 2_000 });
    expect(at.waits).toEqual([]);
  });

  test('writes nothing where nothing changes', async () => {
    const { at, edges } = bucket(ledgerText(current), { writes: ['fails'] });

    expect(await updateLedger(edges, poll(900))).toEqual(current);
    expect(at.etag).toBe(1);
  });

  test.each<[string, string | undefined]>([
    ['missing', undefined],
    ['damaged', '{'],
  ])('writes one that was %s although the change adds nothing', async (_what, text) => {
    const { at, edges } = bucket(text);

    await updateLedger(edges, (known) => known);

    expect(inStore(at)).toMatchObject({ ceiling: 800 });
  });

  test('that was lost to another writer keeps what both know, after a wait', async () => {
    const { at, edges } = bucket(ledgerText(current), { writes: ['lost', 'lost'] });

    await updateLedger(edges, poll(2_000));

    expect(Object.keys(inStore(at).lineages).sort()).toEqual(['a1', 'other']);
    expect(at.waits).toEqual([40, 80]);
  });

  test('whose answer was lost finds its own work done', async () => {
    const { at, edges } = bucket(ledgerText(current), { writes: ['answer-lost', 'fails'] });

    expect((await updateLedger(edges, poll(2_000))).ceiling).toBe(2_000);
    expect(at.etag).toBe(2);
  });

  test('gives up in the end, by a name that says to try again', async () => {
    const { at, edges } = bucket(ledgerText(current), { writes: Array.from({ length: 50 }, () => 'lost' as const) });

    await expect(updateLedger(edges, poll(2_000))).rejects.toThrow(
      expect.objectContaining({ name: 'LedgerContended', retryable: true }) as Error,
    );
    expect(at.writes.length).toBeGreaterThan(30);
    expect(Math.max(...at.waits)).toBe(1_000);
  });

  test('takes what was read a moment ago for its first try only', async () => {
    const { at, edges } = bucket(ledgerText(current));
    const loaded = await loadLedger(edges);
    await updateLedger(edges, poll(3_000));

    await updateLedger(edges, poll(2_000), loaded);

    expect(inStore(at)).toMatchObject({ ceiling: 3_000 });
  });
});

test('whoever decides by the ledger gets the manifests merged in, also where it is fine but old', async () => {
  const { edges } = bucket(ledgerText(ledger({ lineages: { c0ffee: lineage({ revision: 5 }) } })));

  expect((await readMergedLedger(edges)).lineages).toMatchObject({ c0ffee: { revision: 700 }, beef: { revision: 800 } });
});

describe('noting a snapshot', () => {
  test('raises its lineage and the mark of the newest verified one', async () => {
    const { at, edges } = bucket(ledgerText(current));

    await noteSnapshot(edges, stored.b);

    expect(inStore(at)).toMatchObject({ lineages: { a1: { revision: 1_000 }, beef: { revision: 800 } }, newestVerified: { id: IDS[1] } });
  });

  test('that fails is a warning and no error: the snapshot is published', async () => {
    const { at, edges } = bucket(ledgerText(current), { writes: ['fails'] });

    await noteSnapshot(edges, stored.b);

    expect(at.events).toEqual(['ledger-not-raised']);
  });
});
