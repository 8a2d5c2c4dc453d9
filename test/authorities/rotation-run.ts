// A rotation of the model of a cluster: how it begins, where it is, and what nodes are given by the decisions of this room.
import type { GateName } from '../../lambdas/authorities/gate-names';
import { issuingIn, trustedIn } from '../../lambdas/authorities/generations';
import type { ReturnGate } from '../../lambdas/authorities/return-gates';
import { planRotation } from '../../lambdas/authorities/rotation-plan';
import type { RotationMode, RotationState } from '../../lambdas/contract/authority-rotation';
import type { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import { componentsOf, planes, renewKubelet, start } from './cluster-model';
import type { Chain, Disk, ModelNode, World } from './cluster-model';
import { facts, request } from './facts';
import { begun, idOf } from './pki';

export const [OLD, NEXT] = [idOf(1), idOf(2)];

export interface Setting {
  readonly authority: AuthorityName;
  readonly mode: RotationMode;
  /** Whether nobody accepts the cross certificate, as with a defect in it. @default false */
  readonly crossBroken?: boolean;
  /** What is left out, to see whether the model notices. @default - nothing */
  readonly without?: {
    readonly gates?: readonly GateName[];
    readonly returnGates?: readonly ReturnGate[];
    /** Nodes that did not tell are missed by no gate. */
    readonly forgetsMissing?: boolean;
  };
}

export interface Run {
  document: AuthoritySecret;
  readonly world: World;
  readonly setting: Setting;
  readonly canary: string;
  /** Whether people and pods must notice nothing, as the plan says. */
  readonly quiet: boolean;
  /** When leaves were signed by the new root first, when the state began, and when gates were passed last. Seconds. */
  issuingSince: number;
  stateSince: number;
  provenAt: number;
  joined: number;
}

/** `under-way`: it would go on if somebody went on with it. */
export type End = 'closed' | 'aborted' | 'under-way';
export const endOf = ({ document }: Pick<Run, 'document'>): End => {
  if (document.rotation !== undefined) return 'under-way';
  return document.issuing === NEXT ? 'closed' : 'aborted';
};
export const stateOf = (run: Run): RotationState | End => run.document.rotation?.state ?? endOf(run);

export function begin(setting: Setting): Run {
  const { authority, mode, crossBroken = false } = setting;
  const plan = planRotation(facts(authority), request(authority, { mode, canary: 'cp-2' }));
  if (plan.decision === 'refuse') throw new Error(`a cluster that is well is refused: ${plan.because}`);
  const published = { trust: [OLD], since: 0 };
  const world: World = { authority, old: OLD, next: NEXT, crossBroken, now: 0, nodes: [], clients: [], published, snapshots: [published] };
  const document = { ...begun(mode), authority };
  const { canary, downtime } = plan;
  const times = { issuingSince: Infinity, stateSince: 0, provenAt: 0 };
  const run: Run = { document, world, setting, canary, quiet: downtime === undefined, ...times, joined: 0 };
  world.nodes = [...['cp-1', 'cp-2', 'cp-3'].map((name) => newNode(run, name, true)), newNode(run, 'w-1', false)];
  const client = { trust: [OLD], leaf: { issuer: OLD, crossed: false }, takenAt: 0 };
  if (authority === 'cluster') world.clients.push({ ...client, name: 'pod', kind: 'pod' }, { ...client, name: 'other pod', kind: 'pod' });
  if (authority !== 'front-proxy')
    world.clients.push({ ...client, name: 'person', kind: 'person' }, { ...client, name: 'ghost', kind: 'ghost' });
  return run;
}

/** As leaves are written now. */
export const issued = ({ document }: Run): Chain => {
  const { id, chain } = issuingIn(document)!;
  return { issuer: id, crossed: chain.length > 0 };
};

export function newNode(run: Run, name: string, plane: boolean): ModelNode {
  const { world, document } = run;
  const trust = trustIds(run);
  const files = componentsOf(world.authority, plane).map(
    (component) => [component, { trust, leaf: issued(run), at: world.now, leafAt: world.now }] as const,
  );
  const disk: Disk = { files: new Map(files), kubelet: { issuer: document.issuing, crossed: false }, signer: document.issuing };
  const node: ModelNode = { name, plane, lost: false, stale: false, disk, processes: new Map(), images: [] };
  noteTrust(run, node, true);
  for (const component of disk.files.keys()) start(world, node, component);
  if (planes(world).length > 0 && world.authority === 'cluster') renewKubelet(world, node);
  return node;
}

const bundles = new Map<string, readonly string[]>();
/** As roots are distributed now. */
export function trustIds({ document }: Run, canary = false): readonly string[] {
  const key = `${document.rotation?.state} ${document.rotation?.mode} ${document.issuing} ${canary}`;
  const ids = bundles.get(key) ?? trustedIn(document, { canary }).ids;
  bundles.set(key, ids);
  return ids;
}

/** What a node tells of itself: when it lost the old root, and when it had both. */
export function noteTrust({ world }: Run, { disk }: ModelNode, born = false): void {
  const all = [...disk.files.values()];
  const both = all.every(({ trust }) => trust.includes(OLD) && trust.includes(NEXT));
  if (all.some(({ trust }) => !trust.includes(OLD))) disk.oldDroppedAt ??= world.now;
  if (both && (born || disk.bothSince === undefined || (disk.oldDroppedAt ?? -1) > disk.bothSince)) disk.bothSince = world.now;
}
