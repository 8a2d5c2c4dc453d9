import type { AccountKeys } from '../../lambdas/accounts/verifying';
import { archiveOf } from '../../lambdas/certificates/archive';
import { signingFor } from '../../lambdas/certificates/signing-authorities';
import type { SigningAuthority } from '../../lambdas/certificates/signing-authorities';
import { AUTHORITY_FILES, AuthorityName, LEAVES, LEAF_NAMES } from '../../lambdas/contract/certificate-names';
import type { Exchangeable, LeafName } from '../../lambdas/contract/certificate-names';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import type { AskedPort, PortLook } from '../../lambdas/contract/exchange-looks';
import type { CertificateFacts, EtcdRefused } from '../../lambdas/contract/node-certificates';
import type { NodeEnd } from '../../lambdas/contract/restore';
import type { Component } from '../../lambdas/authorities/restarts';
import { parseBundle, printBundle } from '../../lambdas/pki/bundle';
import { inspect } from '../../lambdas/pki/inspect';
import { issueLeaf } from '../../lambdas/pki/issue';
import { PROFILES } from '../../lambdas/pki/profiles';
import { toldNode } from '../certificates/told-nodes';
import { authority, sharedKey } from '../pki/pki-world';

export type Documents = Partial<Record<AuthorityName, AuthoritySecret>>;

/** kubeadm makes it on its first node alone. */
const OWN_LEAVES = LEAF_NAMES.filter((leaf) => leaf !== 'super-admin.conf');
const trustFile = (name: AuthorityName): string => `pki/${AUTHORITY_FILES[name]}.crt`;
const leafFile = (leaf: LeafName): string => (LEAVES[leaf].kind === 'file' ? `pki/${leaf}.crt` : `kubeconfigs/${leaf}.crt`);

const issued = new Map<string, string>();
/** Every world begins with the same certificates. */
function once(what: string, issue: () => string): string {
  const cert = issued.get(what) ?? issue();
  issued.set(what, cert);
  return cert;
}

/** A control-plane node that takes whatever set it is given, as install-certificates does, and shows what it has by then. Times in seconds. */
export class WorldNode {
  readonly instanceId: string;
  readonly host: string;
  readonly address: string;
  readonly files = new Map<string, string>();
  readonly written: Record<string, number> = {};
  readonly started: Record<Component, number>;
  signer = '';
  split = true;
  /** Of its set; null before its first rotation. */
  stamps: Partial<Record<Exchangeable, string>> | null = {};
  /** What its set has where somebody wrote over it; a stubborn one has that again after every rotation. */
  private readonly lost = new Map<string, string>();
  stubborn = false;
  /** Whether it has a secret. */
  enrolled = true;
  /** Whether a later set was installed, or half installed, and never became the current one. */
  waits = false;
  /** Whether Systems Manager reaches it, and whether its ports answer. */
  silent = false;
  mute = false;
  /** Who was a client of its API server by a certificate. */
  clients: () => NonNullable<CertificateFacts['apiClients']>['seen'] = () => [];
  /** Whom its etcd refused; null where it has no log. */
  refused: EtcdRefused | null = { refused: [], more: 0 };
  /** What it keeps in memory since its start: etcd its trust, the controller-manager what it publishes. */
  private etcdTrusts = '';
  published = '';

  constructor(number: number, documents: Documents, now: number) {
    const { instanceId, host } = toldNode(number);
    this.instanceId = instanceId;
    this.host = host;
    this.address = `10.0.0.${number}`;
    const start = now - 60;
    this.started = { apiserver: start, 'controller-manager': start, scheduler: start, etcd: start, kubelet: start };
    this.take(documents, start - 60);
    this.etcdTrusts = this.files.get(trustFile('etcd')) ?? '';
    this.published = this.files.get(trustFile('cluster')) ?? '';
  }

  /** Has its set as the documents are now: only of what is another than it has. */
  take(documents: Documents, now: number): void {
    const stamps = (this.stamps ??= {});
    this.waits = false;
    if (!this.stubborn) for (const path of [...this.lost.keys()]) this.restore(path);
    for (const name of AuthorityName.options) {
      const document = documents[name];
      const signing = document && signingFor(document, this.host);
      if (signing?.key === undefined || signing.stamp === stamps[name]) continue;
      stamps[name] = signing.stamp;
      this.install(name, { ...signing, key: signing.key }, now);
    }
  }

  /** Somebody writes over a file, past its set. */
  drift(path: string, text: string): void {
    this.lost.set(path, this.files.get(path) ?? '');
    this.files.set(path, text);
  }

  private restore(path: string): void {
    this.files.set(path, this.lost.get(path) ?? '');
    this.lost.delete(path);
  }

  leavesOfItsSet(): Partial<Record<LeafName, string>> {
    const textOf = (leaf: LeafName): string => this.lost.get(leafFile(leaf)) ?? this.files.get(leafFile(leaf)) ?? '';
    return Object.fromEntries(OWN_LEAVES.map((leaf) => [leaf, inspect(parseBundle(textOf(leaf))[0] ?? '').sha256]));
  }

  /** By which keys its API server verifies and signs since its start: generations of the pair of service accounts, the one that signs first. */
  keys: readonly string[] = [];

  /** The keys of service accounts as its set has them now; who reads them is started again. */
  takeKeys({ ids, publicKeys, stamp }: Pick<AccountKeys, 'ids' | 'publicKeys' | 'stamp'>, now: number): void {
    const stamps = (this.stamps ??= {});
    if (stamps['service-accounts'] === stamp) return;
    stamps['service-accounts'] = stamp;
    this.files.set('pki/sa.pub', publicKeys);
    this.written['sa.pub'] = now;
    if (this.keys[0] !== ids[0]) {
      this.written['sa.key'] = now;
      this.start('controller-manager', now + 1);
    }
    this.start('apiserver', now + 1);
    this.keys = ids;
  }

  private install(name: AuthorityName, signing: SigningAuthority & { readonly key: string }, now: number): void {
    for (const leaf of OWN_LEAVES.filter((each) => LEAVES[each].authority === name)) this.issue(leaf, signing, now);
    const trusted = printBundle(signing.trusted);
    const isNew = this.files.get(trustFile(name)) !== trusted;
    if (isNew) this.write(trustFile(name), trusted, AUTHORITY_FILES[name], now);
    if (name === 'cluster') {
      this.signer = signing.id;
      this.start('controller-manager', now + 1);
      this.start('scheduler', now + 1);
      if (isNew) {
        this.written['kubelet.conf'] = now;
        this.start('kubelet', now + 1);
      }
    }
    for (const server of signing.restarts) this.start(server, now + 1);
  }

  start(component: Component, now: number): void {
    this.started[component] = now;
    if (component === 'etcd') this.etcdTrusts = this.files.get(trustFile('etcd')) ?? '';
    if (component === 'controller-manager') this.published = this.files.get(trustFile('cluster')) ?? '';
  }

  private issue(leaf: LeafName, { certificate, key, chain }: SigningAuthority & { readonly key: string }, now: number): void {
    const profile = PROFILES[leaf]({ nodeName: this.host, sans: [this.address, '10.96.0.1'] });
    const at = new Date(now * 1_000);
    const notAfter = new Date(at.getTime() + 90 * 86_400_000);
    const issue = () => issueLeaf({ cert: certificate, key }, profile, { notAfter, now: at, key: sharedKey('leaf') }).cert;
    const cert = once(`${leaf} of ${this.host} at ${now} by ${certificate}`, issue);
    // The kubelet has its own renewed, by the controller-manager, and no chain after it.
    const text = leaf === 'kubelet.conf' ? cert : printBundle([cert, ...chain]);
    if (leaf === 'kubelet.conf') this.files.set(leafFile(leaf), text);
    else this.write(leafFile(leaf), text, leaf, now);
  }

  private write(path: string, text: string, name: string, now: number): void {
    this.files.set(path, text);
    this.written[name] = now;
  }

  /** How the document certificate-facts ends on it. */
  async facts(now: number): Promise<NodeEnd> {
    const { instanceId, host } = this;
    if (this.silent) return { instanceId, host, outcome: 'undeliverable', because: 'its agent is away' };
    const signingCertFile = this.split ? '/etc/kubernetes/pki/signer/ca.crt' : '/etc/kubernetes/pki/ca.crt';
    const result = {
      ...toldNode(Number(this.address.split('.').at(-1))).facts,
      clock: Math.floor(now),
      controllerManager: { running: true, signingCertFile, rootCaFile: '/etc/kubernetes/pki/ca.crt' },
      signer: { certSha256: this.signer, split: this.split },
      processes: Object.entries(this.started).map(([component, startedAt]) => ({ component, startedAt })),
      written: this.written,
      etcdRefused: this.refused,
      apiClients: { seen: this.clients(), more: 0 },
      archive: await archiveOf(this.files),
    };
    return { instanceId, host, outcome: 'done', result };
  }

  show(asked: AskedPort): PortLook {
    if (this.mute) return { ...asked, chain: [], because: 'connect ECONNREFUSED' };
    const served = (path: string): string[] => [...parseBundle(this.files.get(path) ?? '')];
    const names = (...bundles: string[]): string[] =>
      bundles.flatMap((bundle) => parseBundle(bundle)).map((pem) => inspect(pem).subject.text);
    const trust = (name: AuthorityName): string => this.files.get(trustFile(name)) ?? '';
    // A kubelet serves a certificate that it signed itself.
    if (asked.component === 'kubelet') return { ...asked, chain: [authority('cluster', 99).cert], acceptable: names(trust('cluster')) };
    if (asked.component === 'etcd-client') return { ...asked, chain: served('pki/etcd/server.crt'), acceptable: names(this.etcdTrusts) };
    if (asked.component === 'etcd-peer') return { ...asked, chain: served('pki/etcd/peer.crt'), acceptable: names(this.etcdTrusts) };
    return { ...asked, chain: served('pki/apiserver.crt'), acceptable: names(trust('cluster'), trust('front-proxy')), ready: true };
  }
}
