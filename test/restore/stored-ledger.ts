import type { LedgerEdges } from '../../lambdas/backup/keep-ledger';
import { ledgerText } from '../../lambdas/backup/ledger';
import type { Ledger } from '../../lambdas/contract/ledger';
import { manifestKey, snapshotKey } from '../../lambdas/contract/s3-keys';
import { NOW, manifest } from '../backup/snapshots';

export const SNAPSHOT = manifest({ id: '20261116T110000Z-0000000a', takenAt: '2026-11-16T11:00:00.000Z', revision: 900, lineage: 'a1' });

/** A ledger in S3 and the manifests beside it. */
export function stored(known: Ledger, manifests = [SNAPSHOT]) {
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
