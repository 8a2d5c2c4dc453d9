import type { Bump } from '../backup/bump';
import type { Manifest } from '../contract/manifest';
import type { Eras } from '../contract/pki-generations';
import type { NodeEnd, RestoreMode, RestorePlan, RestoreRequest, RunbookNode } from '../contract/restore';
import { restoreKey } from '../contract/s3-keys';
import { judgeEras } from './judge-eras';
import type { KnownNode } from './node-readiness';
import { doubtsOn, obstaclesOn, survey } from './node-readiness';

/** What the live cluster still says; each part is missing when nobody answered. */
export interface LiveCluster {
  readonly revision?: number;
  /** Live objects per API resource. */
  readonly inventory?: Readonly<Record<string, number>>;
  /** Peer URLs of every member, by its name; missing too while no member knows a leader. */
  readonly members?: readonly { readonly name: string; readonly peerUrls: readonly string[] }[];
}

export interface PlanInput {
  readonly cluster: string;
  readonly bucket: string;
  readonly request: RestoreRequest;
  readonly restoreId: string;
  readonly mode: Exclude<RestoreMode, 'roll-back'>;
  readonly nodes: readonly RunbookNode[];
  /** How `facts` ended on these nodes and on the rest of the control plane. */
  readonly facts: readonly NodeEnd[];
  readonly manifest: Manifest;
  readonly bump: Bump;
  readonly live: LiveCluster;
  /** By which generations of its PKI the cluster lives now, as far as that is noted. */
  readonly eras: Eras;
  readonly now: Date;
}

export type Planning = { readonly plan: RestorePlan } | { readonly refused: readonly string[] };

/** What a restore would do, or everything that speaks against it at once. */
export function planRestore(input: PlanInput): Planning {
  const { cluster, bucket, request, restoreId, mode, nodes, manifest, bump, live, eras, now } = input;
  const { known, silent } = survey(input.facts);
  const chosen = (node: RunbookNode): boolean => nodes.some(({ instanceId }) => instanceId === node.instanceId);
  const snapshot = { etcd: manifest.versions.etcd, plainBytes: manifest.plainBytes };
  const ours = known.filter(chosen);
  const withEtcd = ours.filter(({ facts }) => facts.etcd.runs !== 'absent');
  const allAnswer = !silent.some(chosen);
  const bumpable = withEtcd.every(({ facts }) => facts.etcdutl?.bumpRevision !== false);
  const refused = [
    ...silent
      .filter(chosen)
      .map(
        ({ host, instanceId, because }) =>
          `${host} ${instanceId} does not answer (${because}): start its agent, or name the other nodes in "nodes"`,
      ),
    ...ours.flatMap((node) => obstaclesOn(node, snapshot)),
    ...(withEtcd.length === 0 && allAnswer ? ['no node with an etcd is left to restore'] : []),
    ...twins(withEtcd),
    ...(mode === 'in-place'
      ? [...stillServing(known.filter((node) => !chosen(node))), ...(allAnswer ? strangers(withEtcd, live) : [])]
      : []),
    ...(bumpable || request.allowNoBump
      ? []
      : [
          'etcdutl on these nodes cannot raise the revision, so clients would see time run backwards: put etcdutl 3.5.10 or newer there, or say allowNoBump and restart every client of the API afterwards',
        ]),
  ];
  if (refused.length > 0) return { refused };
  const members = withEtcd.map(({ instanceId, host, facts: { etcd } }) => ({
    instanceId,
    host,
    name: etcd.name ?? '',
    peerUrls: etcd.peerUrls ?? '',
    endpoint: etcd.clientUrl ?? '',
  }));
  const initialCluster = members.flatMap(({ name, peerUrls }) => peerUrls.split(',').map((url) => `${name}=${url}`)).join(',');
  const by = bumpable ? bump.bump : 0;
  const file = restoreKey(cluster, restoreId, 'snapshot.db');
  const only = { restoreId };
  const pki = judgeEras(manifest.pkiGenerations, eras, mode);
  return {
    plan: {
      version: 1,
      restoreId,
      cluster,
      mode,
      madeAt: now.toISOString(),
      snapshot: {
        id: manifest.id,
        takenAt: manifest.takenAt,
        lineage: manifest.lineage,
        revision: manifest.revision,
        compactRevision: manifest.compactRevision,
        verified: manifest.verified,
        etcd: manifest.versions.etcd,
        objects: sum(Object.values(manifest.inventory)),
        plainBytes: manifest.plainBytes,
        inventory: manifest.inventory,
      },
      members,
      apiNodes: ours.filter(({ facts }) => facts.apiserver.definition !== 'none').map(({ instanceId, host }) => ({ instanceId, host })),
      endpoints: members.map(({ endpoint }) => endpoint),
      bump: { needed: bumpable, estimate: by, servedUpTo: bump.servedUpTo, because: bump.because },
      loss: lossOf(manifest, live, now),
      pki,
      warnings: [
        ...(manifest.verified ? [] : ['the snapshot is NOT verified']),
        ...(bumpable ? [] : ['revisions will run backwards: restart every client of the API afterwards']),
        ...(members.length % 2 === 0 ? [`${members.length} members survive no more failures than ${members.length - 1}`] : []),
        ...(mode === 'in-place'
          ? silent
              .filter((node) => !chosen(node))
              .map(
                ({ host, instanceId }) => `${host} ${instanceId} is left out and does not answer: make sure that it is off, and stays so`,
              )
          : []),
        ...ours.flatMap((node) => doubtsOn(node, snapshot)),
        ...pki.filter(({ decision }) => decision !== 'same').map(({ of, because }) => `PKI, ${of}: ${because}`),
      ],
      parameters: {
        stage: {
          ...only,
          snapshotUrl: `s3://${bucket}/${file}`,
          snapshotBytes: String(manifest.plainBytes),
          snapshotSha256: manifest.plainSha256,
          snapshotHash: manifest.statusHash,
          snapshotRevision: String(manifest.revision),
          bumpRevision: String(by),
        },
        stopApiserver: { ...only, what: 'apiserver' },
        stopEtcd: { ...only, what: 'etcd' },
        restoreData: { ...only, snapshotSha256: manifest.plainSha256, initialCluster, clusterToken: `lifeboat-${restoreId}` },
        startEtcd: { ...only, what: 'etcd' },
        startApiserver: { ...only, what: 'apiserver' },
      },
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Members that would claim the same name or the same address. */
function twins(nodes: readonly KnownNode[]): string[] {
  const claims = new Map<string, string[]>();
  for (const { host, facts } of nodes)
    for (const claim of [
      `the name ${facts.etcd.name ?? ''}`,
      ...(facts.etcd.peerUrls ?? '').split(',').map((url) => `the peer URL ${url}`),
    ])
      claims.set(claim, [...(claims.get(claim) ?? []), host]);
  return [...claims]
    .filter(([, hosts]) => hosts.length > 1)
    .map(([claim, hosts]) => `${hosts.join(' and ')} both claim ${claim}: correct the flags of their etcd`);
}

/** Members that are left out must not go on with the old data beside the restored ones. */
const stillServing = (others: readonly KnownNode[]): string[] =>
  others
    .filter(({ facts: { etcd, apiserver } }) => etcd.running || apiserver.running || startsAgain(etcd) || startsAgain(apiserver))
    .map(
      ({ host, instanceId }) =>
        `${host} ${instanceId} is left out and still runs, or would run again: move the manifests of its etcd and kube-apiserver out of the folder (with systemd: disable and stop etcd.service), or restore it too`,
    );

/** What crashes again and again is just now not there; its manifest is. A unit stays where it is, also when it is disabled. */
const startsAgain = ({ runs, definition }: { readonly runs?: string; readonly definition: string }): boolean =>
  runs !== 'systemd' && (definition === 'in-place' || definition === 'both');

/** Members of the live cluster that run on no node that is restored. */
function strangers(nodes: readonly KnownNode[], { members = [] }: LiveCluster): string[] {
  const urls = new Set(nodes.flatMap(({ facts }) => (facts.etcd.peerUrls ?? '').split(',')));
  return members
    .filter(({ peerUrls }) => !peerUrls.some((url) => urls.has(url)))
    .map(
      ({ name, peerUrls }) =>
        `member ${name === '' ? '(never started)' : name} at ${peerUrls.join(', ')} runs on none of these nodes and would keep the old data: tag its node, or remove the member first`,
    );
}

function lossOf(manifest: Manifest, live: LiveCluster, now: Date): RestorePlan['loss'] {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(manifest.takenAt)) / 1000));
  const { inventory } = live;
  const names = inventory === undefined ? [] : [...new Set([...Object.keys(inventory), ...Object.keys(manifest.inventory)])].sort();
  const objects = Object.fromEntries(
    names
      .map((name) => [name, (inventory?.[name] ?? 0) - (manifest.inventory[name] ?? 0)] as const)
      .filter(([, difference]) => difference !== 0),
  );
  return { seconds, objects, ...(live.revision !== undefined && { revisions: live.revision - manifest.revision }) };
}
