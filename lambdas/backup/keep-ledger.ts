import type { Ledger } from '../contract/ledger';
import { messageOf } from '../contract/lifeboat-error';
import type { Manifest } from '../contract/manifest';
import { parseManifest, readManifests, sortListing } from './catalog';
import type { StoredManifest } from './catalog';
import type { ConditionalDocument, Telemetry } from './edges';
import { LedgerContended } from './errors';
import { ledgerText, merge, mergeManifests, readLedger, rebuild } from './ledger';
import type { MergedLedger, Witness } from './ledger';
import type { SnapshotCatalog } from './prune-snapshots';

export interface LedgerEdges {
  readonly cluster: string;
  /** `ledger.json`. */
  readonly document: ConditionalDocument;
  readonly catalog: Pick<SnapshotCatalog, 'list' | 'readManifest'>;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** From 0 up to 1, as `Math.random`. */
  readonly random: () => number;
}

/** The ledger as it was read, and over which version it may be written. */
export interface LoadedLedger {
  readonly ledger: Ledger;
  readonly etag: string | undefined;
  /** What lies in S3 in so many characters; undefined when that must be replaced whatever the ledger says. */
  readonly stored: string | undefined;
}

/** Each lost write means that another one succeeded, and there are seldom more than two writers. */
const TRIES = 12;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1_000;

/**
 * Reads the ledger. A missing one is rebuilt from the manifests; a damaged one too, and what can be saved of it still counts.
 *
 * An older copy that somebody put back cannot be told from a current one here. It needs no telling: polls and snapshots only ever raise it,
 * and whoever decides by it merges the manifests in first (`readMergedLedger`).
 *
 * @throws StoreFailed, also when a manifest cannot be read: a ledger rebuilt without one might be too low
 */
export async function loadLedger(edges: LedgerEdges): Promise<LoadedLedger> {
  const found = await edges.document.read();
  const reading = readLedger(found?.text);
  const etag = found?.etag;
  if (reading.state === 'fine') return { ledger: reading.ledger, etag, stored: found?.text };
  const manifests = await manifestsOf(edges);
  const ledger = merge(reading.ledger, rebuild(manifests));
  const { ceiling } = ledger;
  if (reading.state === 'damaged') {
    edges.telemetry.warn('ledger-damaged', {
      because: reading.because,
      saved: reading.ledger.ceiling,
      manifests: manifests.length,
      ceiling,
    });
  } else edges.telemetry.log('ledger-missing', { manifests: manifests.length, ceiling });
  return { ledger, etag, stored: undefined };
}

/**
 * Applies a change to the ledger and writes it if that changes anything. A write that was lost to another one is made anew from what the
 * other wrote; one whose answer was lost finds its own change there and has nothing more to do.
 *
 * @param loaded what was read a moment ago, for the first try
 * @throws LedgerContended after a bounded number of lost writes, and StoreFailed
 */
export async function updateLedger(edges: LedgerEdges, change: (ledger: Ledger) => Ledger, loaded?: LoadedLedger): Promise<Ledger> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { ledger, etag, stored } = (attempt === 1 ? loaded : undefined) ?? (await loadLedger(edges));
    const changed = change(ledger);
    const text = ledgerText(changed);
    if (text === stored || (await edges.document.write(text, etag)) !== undefined) return changed;
    // Full jitter: writers that collided once must not collide in step.
    await edges.wait(Math.round(edges.random() * Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS)));
  }
  throw new LedgerContended(`the ledger of ${edges.cluster} was written by others ${TRIES} times in a row: the next run tries again`);
}

/**
 * The ledger with every manifest of the bucket merged in: what a restore plans by. An old copy of the ledger, put back by a person or by a
 * tool, is healed by it as far as the snapshots reach; `bumpFor` takes nothing less, so no plan can forget it.
 *
 * @param texts every manifest of the bucket, for whoever has just read them
 */
export async function readMergedLedger(edges: LedgerEdges, texts?: readonly StoredManifest[]): Promise<MergedLedger> {
  const { ledger } = await loadLedger(edges);
  return mergeManifests(ledger, texts === undefined ? await manifestsOf(edges) : parsedManifests(edges, texts));
}

/** Raises the ledger to a snapshot that was just published. A failure is told and does no harm: the manifest itself is there. */
export async function noteSnapshot(edges: LedgerEdges, manifest: Witness): Promise<void> {
  try {
    await updateLedger(edges, (ledger) => mergeManifests(ledger, [manifest]));
  } catch (error) {
    edges.telemetry.warn('ledger-not-raised', { id: manifest.id, revision: manifest.revision, because: messageOf(error) });
  }
}

async function manifestsOf(edges: LedgerEdges): Promise<Manifest[]> {
  const { manifests } = sortListing(edges.cluster, await edges.catalog.list());
  return parsedManifests(edges, await readManifests(edges.catalog, manifests));
}

/** Every manifest that parses, also one whose snapshot is gone: its revision was served all the same. */
function parsedManifests({ cluster, telemetry }: LedgerEdges, texts: readonly StoredManifest[]): Manifest[] {
  return texts.flatMap(({ id, text }) => {
    const parsed = parseManifest(text);
    if ('wrong' in parsed) telemetry.warn('manifest-damaged', { id, because: parsed.wrong });
    else if (parsed.manifest.cluster === cluster) return [parsed.manifest];
    return [];
  });
}
