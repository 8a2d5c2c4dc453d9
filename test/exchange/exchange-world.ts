import type { KeptSnapshot } from '../../lambdas/authorities/prune';
import type { AuthorityRotation, RotationState } from '../../lambdas/contract/authority-rotation';
import { accountKeysOf } from '../../lambdas/accounts/verifying';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { Exchangeable } from '../../lambdas/contract/certificate-names';
import { AuthoritySecret, ServiceAccountsSecret, nodeSecretName } from '../../lambdas/contract/certificates';
import type { AccountsLook, ClusterLook, ClusterWrite, EtcdLook } from '../../lambdas/contract/exchange-looks';
import type { RunbookNode } from '../../lambdas/contract/restore';
import type { Act, Told } from '../../lambdas/contract/rotate-authority';
import type { EtcdClientSecret } from '../../lambdas/contract/secrets';
import { newEtcdClient } from '../../lambdas/certificates/repair';
import { signingFor } from '../../lambdas/certificates/signing-authorities';
import { BeginExchange, begin } from '../../lambdas/exchange/begin';
import type { ExchangeEdges } from '../../lambdas/exchange/edges';
import { StepExchange, step } from '../../lambdas/exchange/step';
import { parseBundle } from '../../lambdas/pki/bundle';
import { inspect } from '../../lambdas/pki/inspect';
import { NOW, authority } from '../pki/pki-world';
import { WorldNode } from './world-node';
import type { Documents } from './world-node';

// Every step signs by RSA, and some exchanges here take hundreds of them.
jest.setTimeout(120_000);

export const SETTINGS = { leafValidityDays: 90, renewBeforeDays: 30, caValidityYears: 5, api: { addresses: [], extraSans: [] } };
export const idsIn = (bundle: string): string[] => parseBundle(bundle).map((pem) => inspect(pem).sha256);

const kidOfId = (id: string): string => Buffer.from(id, 'hex').toString('base64url');

const roots = new Map(AuthorityName.options.map((name) => [name, authority(name)]));
/** As an adoption leaves it: in every world the same. */
export function adopted(name: AuthorityName): AuthoritySecret {
  const { cert, key } = roots.get(name) ?? authority(name);
  const { sha256: id } = inspect(cert);
  return { version: 1, authority: name, generations: [{ id, certificate: cert, key, since: NOW.toISOString() }], issuing: id };
}

/** What asking every node takes, seconds. */
const ASKING_SECONDS = 5;

/** Secrets, nodes that take what they are given, and people who are told; a clock that goes on when somebody waits. */
export class World {
  /** Authorities whose former value was taken away. */
  readonly forgotten: Exchangeable[] = [];
  time = NOW.getTime() / 1_000;
  readonly documents: Documents = Object.fromEntries(AuthorityName.options.map((name) => [name, adopted(name)]));
  readonly nodes: WorldNode[];
  workers: string[] = [];
  bundles: ClusterLook['bundles'] = [];
  /** Of three members, whatever nodes are looked at: of two none may be away. */
  etcd: EtcdLook = { voters: 3, healthy: 3, learners: 0, activePeersOk: true };
  clusterAway = false;
  snapshotAge: number | undefined = 600;
  client: EtcdClientSecret | undefined;
  /** The key pair of service accounts; none was adopted. */
  pair: ServiceAccountsSecret | undefined;
  legacy: NonNullable<AccountsLook['legacy']> = [];
  readonly toldCluster: ClusterWrite = {};
  /** Why kubeadm cannot be told. */
  unclear: string | undefined;
  lockedBy: string | undefined;
  /** Of the control plane, that Systems Manager does not know. */
  strangers: string[] = [];
  readonly running = new Set<string>();
  kept: KeptSnapshot[] | undefined;
  /** How often it was noted by which generations the cluster lives. */
  noted = 0;
  /** Executions that were started by the one before, by their names: what they were given. */
  readonly successors = new Map<string, object>();
  /** Hosts whose sets cannot be rotated. */
  readonly stuck = new Set<string>();
  /** Hosts whose sets are taken up and come to nothing. */
  readonly failing = new Set<string>();
  /** Why Secrets Manager rotates nothing. */
  refused: string | undefined;
  readonly rotated: { readonly host: string; readonly at: number }[] = [];
  readonly messages: { readonly subject: string; readonly message: string }[] = [];
  readonly reports: { readonly id: string; readonly text: string }[] = [];
  readonly events: { readonly event: string; readonly details: unknown }[] = [];
  /** What was waited for between two rounds: the state of the rotation, what came next, seconds. */
  readonly waits: { readonly state: RotationState | undefined; readonly act: 'look' | 'step'; readonly seconds: number }[] = [];
  /** Somebody else, between what is read and what is changed. */
  meanwhile: (() => void) | undefined;
  act: Act | undefined;

  constructor(nodeCount = 2) {
    this.nodes = Array.from({ length: nodeCount }, (_, index) => new WorldNode(index + 1, this.documents, this.time));
    const { etcd } = this.documents;
    const signer = etcd && signingFor(etcd, '');
    if (signer?.key !== undefined) this.client = newEtcdClient({ ...signer, key: signer.key }, 90, NOW);
  }

  readonly edges: ExchangeEdges = {
    cluster: 'prod',
    settings: SETTINGS,
    registered: async () => this.nodes.map(({ instanceId, host, address, silent }) => ({ instanceId, host, address, online: !silent })),
    authority: async (name) => this.documents[name],
    change: async (name, by) => {
      this.meanwhile?.();
      this.meanwhile = undefined;
      const document = by(this.document(name));
      return (this.documents[name] = AuthoritySecret.parse(JSON.parse(JSON.stringify(document))));
    },
    note: async () => {
      this.noted++;
    },
    accounts: async () => this.pair,
    changeAccounts: async (by) => {
      if (this.pair === undefined) throw new Error('the secret of service accounts has no value');
      this.meanwhile?.();
      this.meanwhile = undefined;
      return (this.pair = ServiceAccountsSecret.parse(JSON.parse(JSON.stringify(by(this.pair)))));
    },
    lookAtAccounts: async ({ api }) => ({
      apiServers: this.nodes
        .filter(({ host, mute }) => !mute && api.some(({ place }) => place === host))
        .map((node) => {
          const [signs = ''] = node.keys;
          const acceptedBy = this.nodes.map(({ host, keys }) => ({ place: host, accepted: keys.includes(signs) }));
          return { place: node.host, verifies: node.keys.map(kidOfId), signs: kidOfId(signs), acceptedBy };
        }),
      legacy: this.legacy,
    }),
    stamps: async (secretIds) =>
      secretIds.map((secretId) => {
        const node = this.nodeOf(secretId);
        return { secretId, stamps: node.stamps, waits: node.waits, leaves: node.leavesOfItsSet() };
      }),
    rotate: async (secretId) => {
      const node = this.nodeOf(secretId);
      if (!node.enrolled) return 'not-enrolled';
      this.rotated.push({ host: node.host, at: this.time });
      if (this.refused !== undefined) throw new Error(this.refused);
      if (this.stuck.has(node.host)) return 'under-way';
      if (this.failing.has(node.host)) return 'begun';
      node.take(this.documents, this.time);
      this.giveKeys(node);
      return 'begun';
    },
    enrol: async (asked) => {
      const found = this.nodes.filter((node) => !node.enrolled && asked.some(({ instanceId }) => instanceId === node.instanceId));
      for (const node of found) node.enrolled = true;
      return found.map(({ host }) => host);
    },
    lookAtPorts: async (ports) =>
      ports.flatMap((port) => this.nodes.filter(({ host }) => host === port.place).map((node) => node.show(port))),
    lookAtEtcd: async () => this.etcd,
    lookAtCluster: async () => {
      if (this.clusterAway) throw new Error('no API server answered');
      const published = idsIn([...this.nodes].sort(byManager).at(-1)?.published ?? '');
      return {
        nodes: [
          ...[...this.nodes.map(({ host }) => host), ...this.strangers].map((name) => ({ name, ready: true, controlPlane: true })),
          ...this.workers.map((name) => ({ name, ready: true })),
        ],
        published: [{ namespace: 'default', ids: published }],
        ...{ clusterInfo: null, clientCa: null, requestHeaderCa: null },
        bundles: this.bundles,
      };
    },
    tellCluster: async (_asked, write) => {
      const before = JSON.stringify(this.toldCluster);
      Object.assign(this.toldCluster, write);
      const written = JSON.stringify(this.toldCluster) === before ? [] : Object.keys(write);
      return { written, ...(this.unclear !== undefined && { unclear: this.unclear }) };
    },
    snapshots: async () => ({
      newest: this.snapshotAge === undefined ? undefined : { id: 's-1', takenAt: new Date((this.time - this.snapshotAge) * 1_000) },
      kept: this.kept,
    }),
    forgetFormer: async (name) => void this.forgotten.push(name),
    etcdClient: async () => {
      if (this.client === undefined) throw new Error('there is no client for etcd');
      return this.client;
    },
    putEtcdClient: async (secret) => void (this.client = secret),
    lock: {
      acquire: async (holder) => {
        if (this.lockedBy !== undefined) return { acquired: false, holder: this.lockedBy, expiresAt: '2026-11-23T20:00:00.000Z' };
        this.lockedBy = holder;
        return { acquired: true, release: async () => void (this.lockedBy = undefined) };
      },
    },
    lockedBy: async () => this.lockedBy,
    runs: async (execution) => this.running.has(execution),
    startNext: async (_execution, name, input) => {
      this.successors.set(name, input);
      return `arn:${name}`;
    },
    write: async (id, text) => void this.reports.push({ id, text }),
    tell: async (subject, message) => void this.messages.push({ subject, message }),
    telemetry: {
      log: (event, details) => void this.events.push({ event, details }),
      warn: (event, details) => void this.events.push({ event, details }),
      count: () => undefined,
    },
    now: () => new Date(this.time * 1_000),
  };

  /** Adopts this pair, which all nodes have since kubeadm. */
  adoptPair(pair: ServiceAccountsSecret): void {
    this.pair = pair;
    const keys = accountKeysOf(pair);
    for (const node of this.nodes) {
      if (keys !== undefined) node.takeKeys(keys, this.time - 100);
      delete node.stamps?.['service-accounts'];
    }
  }

  private giveKeys(node: WorldNode): void {
    const keys = this.pair && accountKeysOf(this.pair);
    if (keys !== undefined) node.takeKeys(keys, this.time);
  }

  document(name: AuthorityName): AuthoritySecret {
    const found = this.documents[name];
    if (found === undefined) throw new Error(`the secret of ${name} has no value`);
    return found;
  }

  rotation(): AuthorityRotation | undefined {
    return Object.values(this.documents).find(({ rotation }) => rotation !== undefined)?.rotation;
  }

  /** The first state of an execution of this name. */
  begin(input: object, execution: string): Promise<Act> {
    this.running.add(`arn:${execution}`);
    return begin(this.edges, BeginExchange.parse({ do: 'begin', input, execution, driver: `arn:${execution}` }));
  }

  async start(input: object, execution = 'r-1'): Promise<void> {
    this.act = await this.begin(input, execution);
  }

  /** The next state of the execution, by what is carried from one to the other as Step Functions does it; of the next one when it was handed over. */
  async next(): Promise<Act> {
    const { act } = this;
    if (act === undefined || act.act === 'end') throw new Error(`there is nothing to go on with: ${JSON.stringify(act)}`);
    if (act.seconds > 0) this.waits.push({ state: this.rotation()?.state, act: act.act, seconds: act.seconds });
    this.time += act.seconds;
    if (act.act === 'look') this.time += ASKING_SECONDS;
    const facts = act.act === 'look' ? await Promise.all(this.nodes.map((node) => node.facts(this.time))) : undefined;
    const event: unknown = JSON.parse(JSON.stringify({ do: 'step', state: { ...act.state, facts } }));
    const before = this.successors.size;
    this.act = await step(this.edges, StepExchange.parse(event).state);
    const [name, input] = [...this.successors].at(-1) ?? ['', {}];
    if (this.successors.size > before) await this.start(input, name);
    return this.act;
  }

  /** Goes on until the rotation is in this state, or something else is so. */
  async until(wanted: RotationState | (() => boolean)): Promise<void> {
    const is = typeof wanted === 'function' ? wanted : () => this.rotation()?.state === wanted;
    for (let round = 0; !is(); round++) {
      if (round === 1_500 || this.act?.act === 'end') throw new Error(`it never came to ${String(wanted)}: ${JSON.stringify(this.act)}`);
      await this.next();
    }
  }

  async end(each: () => void = () => undefined): Promise<Told> {
    await this.until(() => {
      each();
      return this.act?.act === 'end';
    });
    if (this.act?.act !== 'end') throw new Error('it has no end');
    return this.act.told;
  }

  /** So much later nothing has changed: what is waited for is waited for since then. */
  pass(seconds: number): void {
    this.time += seconds;
  }

  asked(): RunbookNode[] {
    return this.nodes.map(({ instanceId, host }) => ({ instanceId, host }));
  }

  private nodeOf(secretId: string): WorldNode {
    const found = this.nodes.find(({ instanceId }) => nodeSecretName('prod', instanceId) === secretId);
    if (found === undefined) throw new Error(`no node has ${secretId}`);
    return found;
  }
}

const byManager = (one: WorldNode, other: WorldNode): number => one.started['controller-manager'] - other.started['controller-manager'];
