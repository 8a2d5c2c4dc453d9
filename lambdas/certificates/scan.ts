import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { ScanRequest, ServedPort } from '../contract/certificate-scan';
import type { CertificateInventory } from '../contract/certificate-scan';
import { nodeSecretName } from '../contract/certificates';
import { messageOf } from '../contract/lifeboat-error';
import { Metric } from '../contract/metrics';
import { NodeEnd } from '../contract/restore';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import { judgements } from './adopt';
import type { CertificateSettings } from './adopt';
import { heardNodes } from './hear-nodes';
import { daysLeft } from './judge-leaf';
import { dueInOrder, takeInventory } from './take-inventory';
import type { ToldNode } from './told-node';

export const FindForScan = z.object({ do: z.literal('find'), input: z.unknown() });
export const JudgeScan = z.object({
  do: z.literal('judge'),
  request: ScanRequest,
  facts: z.array(NodeEnd),
  /** Missing where the ports could not be looked at. */
  served: z.array(ServedPort).optional(),
});

export interface ScanEdges {
  readonly cluster: string;
  readonly registered: () => Promise<readonly RegisteredNode[]>;
  readonly write: (inventory: string) => Promise<void>;
  /** When a node's secret was rotated last; undefined where it never was. @throws when it has none */
  readonly lastRotated: (secretName: string) => Promise<Date | undefined>;
  /** Starts the rotation of a node's secret. @throws when it has none, or one is under way */
  readonly rotate: (secretName: string) => Promise<void>;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn' | 'count'>;
  readonly now: () => Date;
}

export async function findForScan({ registered }: Pick<ScanEdges, 'registered'>, request: ScanRequest): Promise<object> {
  return { request, asked: (await registered()).map(({ instanceId, host }) => ({ instanceId, host })) };
}

/** Judges what nodes and ports told, writes the inventory, measures, and starts what is due first. @throws StoreFailed */
export async function judgeScan(
  edges: ScanEdges,
  settings: CertificateSettings,
  { request, facts, served = [] }: z.infer<typeof JudgeScan>,
): Promise<{ readonly daysLeft: number | null; readonly findings: number; readonly renewing: string | null }> {
  const { cluster, telemetry, write, now } = edges;
  const { told, silent } = await heardNodes(facts);
  const verdicts = judgements(told, settings, now());
  const inventory = takeInventory({ cluster, told, silent, served, verdicts, now: now() });
  const renewing = request.renew ? await beginFirst(edges, dueInOrder(verdicts, told)) : undefined;
  await write(JSON.stringify({ ...inventory, ...(renewing !== undefined && { renewing }) }, undefined, 1));
  measure(telemetry, inventory, now());
  const { findings, daysLeft: days = null } = inventory;
  for (const finding of findings) telemetry.log('certificate-finding', { ...finding });
  return { daysLeft: days, findings: findings.length, renewing: renewing ?? null };
}

/**
 * A rotation that has not mended what is wrong does not mend it the next day either: of an external CA, or of a name that no certificate can have.
 * Longer than a rotation takes, tried again and again.
 */
const FRUITLESS_DAYS = 7;

/** One at a time: the next look takes the next one. A node whose rotation cannot be started keeps no other from its own. */
async function beginFirst(edges: ScanEdges, due: readonly ToldNode[]): Promise<string | undefined> {
  for (const node of due) {
    const begun = await begin(edges, node);
    if (begun !== undefined) return begun;
  }
  return undefined;
}

/** A node that was never adopted has no secret: its findings stay, and say so every day. */
async function begin(
  { cluster, lastRotated, rotate, telemetry, now }: ScanEdges,
  { instanceId, host }: ToldNode,
): Promise<string | undefined> {
  const secret = nodeSecretName(cluster, instanceId);
  try {
    const last = await lastRotated(secret);
    if (last !== undefined && daysLeft(now(), last) < FRUITLESS_DAYS) {
      telemetry.warn('rotation-not-started', {
        host,
        instanceId,
        because: `it was rotated on ${last.toISOString()}, which has not mended it`,
      });
      return undefined;
    }
    await rotate(secret);
    telemetry.log('rotation-started', { host, instanceId });
    return host;
  } catch (error) {
    telemetry.warn('rotation-not-started', { host, instanceId, because: messageOf(error) });
    return undefined;
  }
}

function measure(
  telemetry: ScanEdges['telemetry'],
  { daysLeft: days, authorities, findings }: Omit<CertificateInventory, 'renewing'>,
  now: Date,
): void {
  if (days !== undefined) telemetry.count(Metric.certificateDaysLeft, days, 'Count');
  const ends = authorities.map(({ notAfter }) => daysLeft(new Date(notAfter), now));
  if (ends.length > 0) telemetry.count(Metric.authorityDaysLeft, Math.min(...ends), 'Count');
  telemetry.count(Metric.certificatesWrong, findings.filter(({ severity }) => severity === 'wrong').length, 'Count');
}
