import { eraOf } from '../authorities/eras';
import { trustedIn } from '../authorities/trust';
import { heardNodes } from '../certificates/hear-nodes';
import { AuthorityName } from '../contract/certificate-names';
import type { AuthoritySecret } from '../contract/certificates';
import type { ClusterLook, ClusterWrite } from '../contract/exchange-looks';
import { messageOf } from '../contract/lifeboat-error';
import type { NodeEnd } from '../contract/restore';
import { goOn } from '../contract/rotate-authority';
import type { Act, ExchangeState } from '../contract/rotate-authority';
import { shortId } from '../contract/short-id';
import { tellPeople } from '../restore/tell-people';
import type { ExchangeEdges } from './edges';
import { apiServersOf, placeOf, signerOf } from './look';
import { ended } from './tell';

type HealEdges = Pick<
  ExchangeEdges,
  'cluster' | 'authority' | 'stamps' | 'tellCluster' | 'lookAtCluster' | 'write' | 'tell' | 'telemetry' | 'now'
>;

/** API servers that were just started, and controller-managers that publish 17 s after a start, are waited for so long. */
const WITHIN_SECONDS = 1_800;
/** Between two looks: each asks every node, 50 events of a history that may have 25,000. */
const BETWEEN_SECONDS = 60;

interface Healed {
  /** What is not as it should be yet. */
  readonly missing: readonly string[];
  /** What somebody else has to renew. */
  readonly others: readonly string[];
}

/**
 * Brings what the cluster says of its PKI to what it lives by: after a restore it says what it said when the snapshot was taken. What is trusted is
 * taken from the secrets, in whatever state a rotation is; nodes are only asked. What is right already is left alone.
 */
export async function healObjects(edges: HealEdges, state: ExchangeState): Promise<Act> {
  if (state.facts === undefined) return goOn('look', 0, state);
  const { missing, others } = await mended(edges, state, state.facts).catch((error: unknown): Healed => ({
    missing: [messageOf(error)],
    others: [],
  }));
  const now = Math.floor(edges.now().getTime() / 1_000);
  const since = state.waiting?.since ?? now;
  if (missing.length > 0 && now - since < WITHIN_SECONDS)
    return goOn('look', BETWEEN_SECONDS, { ...state, waiting: { forWhat: 'healing', kind: 'work', since, because: missing.slice(0, 20) } });
  if (missing.length > 0) return notHealed(edges, state, missing, others);
  const summary = 'the cluster tells what it trusts now';
  await tell(edges, state, { outcome: 'HEALED', summary, whatToDo: others });
  return ended(state, 'HEALED', summary, { whatToDo: [...others] });
}

/** Ends it with what is missing, or what kept it from going on. @param others what somebody else has to renew */
export async function notHealed(
  edges: Pick<HealEdges, 'cluster' | 'write' | 'tell' | 'telemetry' | 'now'>,
  state: ExchangeState,
  because: readonly string[],
  others: readonly string[] = [],
): Promise<Act> {
  const summary = `the cluster does not tell what it trusts now: ${because.slice(0, 10).join('; ')}`;
  const whatToDo = [`mend what is named, then start {"heal": "${state.heal ?? ''}"} again`, ...others];
  await tell(edges, state, { outcome: 'HALTED', summary, whatToDo });
  return ended(state, 'HALTED', summary, { whatToDo });
}

async function mended(edges: HealEdges, { asked }: ExchangeState, facts: readonly NodeEnd[]): Promise<Healed> {
  const { told } = await heardNodes(facts);
  const place = await placeOf(edges, asked, apiServersOf(told));
  const documents = (await Promise.all(AuthorityName.options.map((name) => edges.authority(name)))).filter((each) => each !== undefined);
  const bundleOf = (name: AuthorityName): string | undefined => {
    const found = documents.find(({ authority }) => authority === name);
    return found && trustedIn(found).bundle;
  };
  const [cluster, frontProxy, signer] = [bundleOf('cluster'), bundleOf('front-proxy'), signerOf(told)];
  const write: ClusterWrite = {
    ...(cluster !== undefined && { clusterInfo: cluster, clientCa: cluster }),
    ...(frontProxy !== undefined && { requestHeaderCa: frontProxy }),
    ...(signer && { signer }),
  };
  const { written, unclear } = await edges.tellCluster(place, write);
  if (written.length > 0) edges.telemetry.log('cluster-told', { written });
  const seen = await edges.lookAtCluster(place);
  return { missing: missingIn(seen, documents), others: [...othersIn(seen, documents), ...(unclear === undefined ? [] : [unclear])] };
}

/** What the controller-managers publish, which nobody else writes. */
function missingIn({ published }: ClusterLook, documents: readonly AuthoritySecret[]): string[] {
  const document = documents.find(({ authority }) => authority === 'cluster');
  if (document === undefined) return [];
  const { trusted } = eraOf(document);
  return published
    .filter(({ ids }) => !ids.some((id) => trusted.includes(id)) || ids.some((id) => !trusted.includes(id)))
    .map(({ namespace }) => `kube-root-ca.crt of ${namespace} is not what the controller-managers have`);
}

/** Bundles in which a generation lies that nobody trusts any more, and none that is trusted. */
function othersIn({ bundles }: ClusterLook, documents: readonly AuthoritySecret[]): string[] {
  const trusted = documents.flatMap((document) => eraOf(document).trusted);
  const gone = documents.flatMap(({ generations }) => generations.map(({ id }) => id)).filter((id) => !trusted.includes(id));
  return bundles.flatMap(({ place, ids }) => {
    const old = ids.find((id) => gone.includes(id));
    return old === undefined || ids.some((id) => trusted.includes(id))
      ? []
      : [`${place} has the caBundle ${shortId(old)}, which nobody trusts any more: have whoever made it renew it`];
  });
}

async function tell(
  { cluster, write, tell: say, telemetry, now }: Pick<HealEdges, 'cluster' | 'write' | 'tell' | 'telemetry' | 'now'>,
  { rotation, heal: restore }: ExchangeState,
  ending: { readonly outcome: string; readonly summary: string; readonly whatToDo: readonly string[] },
): Promise<void> {
  const report = { version: 1, kind: 'pki-heal', cluster, restore, ...ending, endedAt: now().toISOString() };
  await write(rotation, JSON.stringify(report, undefined, 1));
  telemetry.log('heal-ended', { restore, ...ending });
  const message = [ending.summary, '', ...ending.whatToDo.map((line) => `- ${line}`)].join('\n');
  await tellPeople({ tell: say, telemetry }, `kube-lifeboat ${cluster}: what the cluster says of its PKI: ${ending.outcome}`, message);
}
