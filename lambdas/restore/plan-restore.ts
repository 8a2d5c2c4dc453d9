import { z } from 'zod';
import type { KeptSnapshot } from '../authorities/prune';
import { bumpFor } from '../backup/bump';
import { readEntry, parseManifest, readManifests, sortListing } from '../backup/catalog';
import type { Listing, StoredManifest } from '../backup/catalog';
import type { LedgerEdges } from '../backup/keep-ledger';
import { readMergedLedger } from '../backup/keep-ledger';
import { messageOf } from '../contract/lifeboat-error';
import type { Eras } from '../contract/pki-generations';
import { HandedPlan, NodeEnd, RestoreId, RestoreMode, RestoreRequest, RunbookNode } from '../contract/restore';
import type { RestorePlan } from '../contract/restore';
import type { Candidate } from './choose-snapshot';
import { chooseSnapshot } from './choose-snapshot';
import { RestoreRefused } from './errors';
import type { LiveCluster } from './plan';
import { planRestore } from './plan';
import { brokenPromises, sinceApproval } from './still-approved';

export const PlanEvent = z.object({
  request: RestoreRequest,
  restoreId: RestoreId,
  mode: RestoreMode.exclude(['roll-back']),
  nodes: z.array(RunbookNode),
  facts: z.array(NodeEnd),
  /** The plan that people approved, where it is looked again whether it holds. */
  approved: HandedPlan.optional(),
});
export type PlanEvent = z.infer<typeof PlanEvent>;

export interface PlanEdges {
  readonly ledger: LedgerEdges;
  /** Asks the live members; throws when none can be asked, which is nothing unusual on that day. */
  readonly live: () => Promise<LiveCluster>;
  /** By which generations of its PKI the cluster lives now; never throws. */
  readonly eras: () => Promise<Eras>;
  readonly writePlan: (plan: RestorePlan) => Promise<void>;
  readonly now: () => Date;
}

/**
 * Makes the plan, puts it into S3 and hands on what the states after it need.
 *
 * After an approval, which may have taken hours, it is made anew, of the very snapshot that was approved and for the very nodes. plan.json is then
 * written again: it says what is carried out, and approval.txt what people were told.
 *
 * @throws RestoreRefused with everything that speaks against the restore, and StoreFailed
 */
export async function makePlan(
  edges: PlanEdges,
  bucket: string,
  { request: asked, restoreId, mode, nodes, facts, approved }: PlanEvent,
): Promise<HandedPlan> {
  // The newest one may be another by now, which nobody approved.
  const request = approved === undefined ? asked : { ...asked, snapshot: approved.snapshot.id };
  const { cluster, telemetry } = edges.ledger;
  const stored = await readStored(edges.ledger);
  const choice = chooseSnapshot(candidatesAmong(cluster, stored), request);
  if ('refused' in choice) throw refusal([choice.refused]);
  const { manifest } = choice;
  const live = mode === 'in-place' ? await edges.live().catch((error: unknown) => silence(telemetry, error)) : {};
  const bump = bumpFor(await readMergedLedger(edges.ledger, stored.texts), manifest, edges.now());
  const [eras, now] = [await edges.eras(), edges.now()];
  const planned = planRestore({ cluster, bucket, request, restoreId, mode, nodes, facts, manifest, bump, live, eras, now });
  if ('refused' in planned) throw refusal(planned.refused);
  const plan = approved === undefined ? planned.plan : confirmed(approved, planned.plan);
  await edges.writePlan(plan);
  telemetry.log('restore-planned', {
    restoreId,
    snapshot: manifest.id,
    mode,
    members: plan.members.length,
    loss: plan.loss,
    ...(plan.approved && { since: plan.approved.since }),
  });
  return HandedPlan.parse(plan);
}

/** @throws RestoreRefused where it is no more what people approved */
function confirmed(approved: HandedPlan, fresh: RestorePlan): RestorePlan {
  const broken = brokenPromises(approved, fresh);
  if (broken.length > 0) throw refusal([`what was approved does not hold any more, start again to be asked anew: ${broken.join('; ')}`]);
  return { ...fresh, approved: { madeAt: approved.madeAt, since: sinceApproval(approved, fresh) } };
}

const refusal = (reasons: readonly string[]): RestoreRefused => new RestoreRefused(`nothing was changed: ${reasons.join('; ')}`);

function silence(telemetry: LedgerEdges['telemetry'], error: unknown): LiveCluster {
  telemetry.warn('live-cluster-silent', { because: messageOf(error) });
  return {};
}

/** Everything that lies in S3 of a cluster's snapshots, but for their bytes. */
interface StoredSnapshots {
  readonly texts: readonly StoredManifest[];
  readonly objects: Listing['objects'];
}

async function readStored({ cluster, catalog }: Pick<LedgerEdges, 'cluster' | 'catalog'>): Promise<StoredSnapshots> {
  const { manifests, objects } = sortListing(cluster, await catalog.list());
  return { texts: await readManifests(catalog, manifests), objects };
}

export const candidatesOf = async (edges: Pick<LedgerEdges, 'cluster' | 'catalog'>): Promise<Candidate[]> =>
  candidatesAmong(edges.cluster, await readStored(edges));

/** From which time of the PKI every snapshot is that exists; undefined where one tells nothing. */
export function keptOf(candidates: readonly Candidate[]): KeptSnapshot[] | undefined {
  const kept = candidates.flatMap((each) =>
    each.kind === 'snapshot' ? [{ takenAt: new Date(each.manifest.takenAt), eras: each.manifest.pkiGenerations }] : [],
  );
  return kept.length === candidates.length ? kept : undefined;
}

const candidatesAmong = (cluster: string, { texts, objects }: StoredSnapshots): Candidate[] =>
  texts.map(({ id, text }): Candidate => {
    const entry = readEntry(cluster, id, text, objects.get(id));
    const parsed = parseManifest(text);
    if (entry.kind === 'damaged') return entry;
    return 'wrong' in parsed ? { kind: 'damaged', id, because: parsed.wrong } : { kind: 'snapshot', manifest: parsed.manifest };
  });
