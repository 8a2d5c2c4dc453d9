import { z } from 'zod';
import type { Telemetry } from '../backup/edges';
import { AuthorityName } from '../contract/certificate-names';
import { AdoptRequest, AdoptionPlan, handOverSecretName } from '../contract/certificates';
import { CertificateFacts } from '../contract/node-certificates';
import { NodeEnd, RestoreId, RunbookNode } from '../contract/restore';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import { clusterPlaceOf } from './cluster-place';
import type { ApiNames } from './cluster-place';
import { AdoptionRefused } from './errors';
import { judgeNode } from './judge-node';
import type { Signer } from './judge-node';
import type { LeafVerdict } from './judge-leaf';
import { planAdoption } from './plan-adoption';
import type { AdoptionInput, StoredAuthority } from './plan-adoption';
import type { TakeOverEdges } from './take-over';
import { toldNodeOf } from './told-node';
import type { ToldNode } from './told-node';

/** What of the config the certificates of a cluster hang on. */
export const CertificateSettings = z.object({
  leafValidityDays: z.number().int().positive(),
  renewBeforeDays: z.number().int().positive(),
  caValidityYears: z.number().int().positive(),
  api: z.object({ name: z.string().optional(), addresses: z.array(z.string()), extraSans: z.array(z.string()) }),
});
export type CertificateSettings = z.infer<typeof CertificateSettings> & { readonly api: ApiNames };

export const FindEvent = z.object({ do: z.literal('find'), input: z.unknown(), execution: RestoreId });
const Found = z.object({ request: AdoptRequest, restoreId: RestoreId, lock: z.literal('control-plane'), asked: z.array(RunbookNode) });
export const PlanEvent = z.object({ do: z.literal('plan'), found: Found.extend({ facts: z.array(NodeEnd) }) });
export const TakeOverEvent = z.object({ do: z.literal('take-over'), plan: AdoptionPlan });

/** What every state after the first builds on. */
export type FoundForAdoption = z.infer<typeof Found>;

/** The same with the plan, and what the document that hands over gets. */
export interface PlannedAdoption extends FoundForAdoption {
  readonly planned: { readonly plan: AdoptionPlan; readonly parameters: Readonly<Record<string, string>> };
}

export interface AdoptEdges extends TakeOverEdges {
  readonly cluster: string;
  readonly registered: () => Promise<readonly RegisteredNode[]>;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
}

/** @throws AdoptionRefused when there is no node to take anything from */
export async function findForAdoption(
  { registered }: Pick<AdoptEdges, 'registered'>,
  tag: { readonly key: string; readonly value: string },
  request: AdoptRequest,
  restoreId: string,
): Promise<FoundForAdoption> {
  const asked = (await registered()).map(({ instanceId, host }) => ({ instanceId, host }));
  if (asked.length === 0 && !request.mint)
    throw new AdoptionRefused(
      `systems manager knows no node with the tag ${tag.key}=${tag.value}: tag the instances, and see that the SSM agent runs on them; for a cluster that does not exist yet give {"mint":true}`,
    );
  if (asked.length > 0 && request.mint)
    throw new AdoptionRefused(
      `${asked.map(({ host }) => host).join(', ')} carries ${tag.key}=${tag.value}: a cluster that exists keeps its own authorities, leave "mint" out`,
    );
  return { request, restoreId, lock: 'control-plane', asked };
}

/** @throws AdoptionRefused naming the nodes that did not tell, and everything that `planAdoption` refuses */
export async function planForAdoption(
  { cluster: clusterName, secrets, now }: Pick<AdoptEdges, 'cluster' | 'secrets' | 'now'>,
  settings: CertificateSettings,
  { facts, ...found }: z.infer<typeof PlanEvent>['found'],
): Promise<PlannedAdoption> {
  const { restoreId, asked } = found;
  const nodes = await toldNodes(asked, facts);
  const held = await heldIn(secrets);
  const verdicts = judgements(nodes, settings, now());
  const cluster = clusterPlaceOf(nodes, settings.api);
  const plan = planAdoption({ restoreId, nodes, held, verdicts, cluster, leafValidityDays: settings.leafValidityDays, now: now() });
  return { ...found, planned: { plan, parameters: { secretId: handOverSecretName(clusterName) } } };
}

/** What each node said. Adoption is not urgent: all must speak, since one that is silent may be the one that differs. */
export async function toldNodes(asked: readonly RunbookNode[], ends: readonly NodeEnd[]): Promise<ToldNode[]> {
  const silent = ends.filter(({ outcome }) => outcome !== 'done');
  if (silent.length > 0 || ends.length < asked.length) {
    const lines = silent.map(
      ({ host, instanceId, error, outcome, because }) => `${host} ${instanceId} (${error ?? outcome}, ${because ?? 'nothing is known'})`,
    );
    throw new AdoptionRefused(
      `${lines.join(', ') || 'a node'} did not tell of its certificates: mend that and start again; all nodes are asked, since one may differ`,
    );
  }
  return Promise.all(ends.map(async ({ instanceId, host, result }) => toldNodeOf({ instanceId, host }, CertificateFacts.parse(result))));
}

async function heldIn(secrets: AdoptEdges['secrets']): Promise<AdoptionInput['held']> {
  const authorities = await Promise.all(
    AuthorityName.options.map(async (name) => {
      const secret = await secrets.authority(name);
      return secret === undefined ? [] : [[name, storedOf(secret.generations.map(({ id, key }) => ({ id, key })))] as const];
    }),
  );
  const tokens = await secrets.serviceAccounts();
  const accounts = tokens && { 'service-accounts': storedOf(tokens.generations.map(({ id, privateKey }) => ({ id, key: privateKey }))) };
  return { ...Object.fromEntries(authorities.flat()), ...accounts };
}

const storedOf = (generations: readonly { readonly id: string; readonly key: string | undefined }[]): StoredAuthority => ({
  ids: generations.map(({ id }) => id),
  withKey: generations.filter(({ key }) => key !== undefined).map(({ id }) => id),
});

/** By the authorities that the nodes themselves have: at this moment the lifeboat may hold none. */
export function judgements(
  nodes: readonly ToldNode[],
  { renewBeforeDays, api }: CertificateSettings,
  now: Date,
): Map<string, LeafVerdict[]> {
  const cluster = clusterPlaceOf(nodes, api);
  return new Map(
    nodes.map((node) => {
      const signers = [...node.authorities].flatMap(([authority, told]): Signer[] =>
        told === 'unparsable' ? [] : told.map(({ pem, view }) => ({ authority, id: view.sha256, pem })),
      );
      const idOf = (name: AuthorityName): string => signers.find(({ authority }) => authority === name)?.id ?? '';
      const issuing = { cluster: idOf('cluster'), etcd: idOf('etcd'), 'front-proxy': idOf('front-proxy') };
      return [node.instanceId, judgeNode(node, { cluster, signers, issuing, renewBeforeDays, now })];
    }),
  );
}
