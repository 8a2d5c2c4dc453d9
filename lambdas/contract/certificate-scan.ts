// What the daily look at the certificates finds, and how it is handed from state to state.
import { z } from 'zod';
import { AuthorityName, LeafName } from './certificate-names';
import { Finding, SERVING_LEAVES } from './certificates';
import { RunbookNode, Waiting } from './restore';

/** The input of an execution; the schedule gives `{}`. */
export const ScanRequest = z.strictObject({
  waitForNodesSeconds: Waiting.waitForNodesSeconds,
  /** Whether the node whose certificates are due first is rotated. */
  renew: z.boolean().default(true),
  /** Whether the exchange of an authority is begun that is near its end, where the config has that done. */
  exchange: z.boolean().default(true),
});
export type ScanRequest = z.infer<typeof ScanRequest>;

/** What one port served at a fresh handshake; `sha256` is missing where none came so far. */
export const ServedPort = z.object({
  instanceId: z.string(),
  leaf: z.enum(SERVING_LEAVES),
  host: z.string(),
  port: z.number().int().positive(),
  sha256: z.string().optional(),
  notAfter: z.iso.datetime().optional(),
  because: z.string(),
});
export type ServedPort = z.infer<typeof ServedPort>;

export const ScannedCertificate = z.object({
  leaf: LeafName,
  serial: z.string().optional(),
  sha256: z.string().optional(),
  notAfter: z.iso.datetime().optional(),
  /** `keep`, or why it is to be renewed. */
  verdict: z.string(),
  message: z.string(),
});
export type ScannedCertificate = z.infer<typeof ScannedCertificate>;

/** `clusters/<cluster>/pki/inventory.json`, version 1: public data alone. */
export const CertificateInventory = z.object({
  version: z.literal(1),
  cluster: z.string(),
  takenAt: z.iso.datetime(),
  authorities: z.array(z.object({ authority: AuthorityName, id: z.string(), subject: z.string(), notAfter: z.iso.datetime() })),
  nodes: z.array(
    RunbookNode.extend({
      /** Why it told nothing; missing where it did. */
      silent: z.string().optional(),
      certificates: z.array(ScannedCertificate),
      served: z.array(ServedPort.omit({ instanceId: true })),
    }),
  ),
  findings: z.array(Finding),
  /** The least days that a leaf has left, on a node or at a port; missing where nobody told of any. */
  daysLeft: z.number().optional(),
  /** The node whose rotation was started. */
  renewing: z.string().optional(),
});
export type CertificateInventory = z.infer<typeof CertificateInventory>;
