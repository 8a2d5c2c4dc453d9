import type { RunLock, Telemetry } from '../backup/edges';
import { messageOf } from '../contract/lifeboat-error';
import { Metric } from '../contract/metrics';
import type { NodeSetSecret } from '../contract/certificates';
import { setSha256Of } from './archive';
import { CertificatesNotProven, RotationPostponed, RotationRefused } from './errors';
import { decideStep } from './rotation-step';
import type { RotationEvent, SecretState } from './rotation-step';

/** The secret of one node. */
export interface NodeSecrets {
  state(secretId: string): Promise<SecretState>;
  /** undefined: that version has no value. @throws PkiUnusable for another value */
  read(secretId: string, version: string): Promise<NodeSetSecret | undefined>;
  /** Fills the pending version. Once: the same token with another value is refused. */
  fill(secretId: string, version: string, value: NodeSetSecret): Promise<void>;
  /** Makes a version the current one; what was current becomes the previous one. */
  promote(secretId: string, version: string, from: string | undefined): Promise<void>;
  /** Takes a pending version for no longer wanted: the next rotation begins with one of its own. */
  giveUp(secretId: string, version: string): Promise<void>;
}

/** What the ports of a node serve and accept, as somebody beside the cluster sees it. */
export interface Proof {
  readonly proven: boolean;
  /** Whether every port answered with a certificate, be it this one or another. */
  readonly reached: boolean;
  readonly because: readonly string[];
}

export interface RotateEdges {
  readonly secrets: NodeSecrets;
  /** A set for the node to which the secret belongs, minted anew. */
  readonly mint: (secretId: string) => Promise<NodeSetSecret>;
  /** Why a set that waits is not to be installed any more; undefined while it is. */
  readonly outdated: (set: NodeSetSecret) => Promise<string | undefined>;
  readonly lock: RunLock;
  /** Why the cluster would not survive that the etcd of this node fails now; undefined when it would. */
  readonly etcdTooWeak: (set: NodeSetSecret) => Promise<string | undefined>;
  /** Ends when the set is served, or throws with the node as it was before. */
  readonly install: (secretId: string, version: string, set: NodeSetSecret, sha256: string) => Promise<void>;
  readonly putBack: (version: string, set: NodeSetSecret) => Promise<void>;
  /** @param former the version whose client certificates must still be accepted */
  readonly prove: (secretId: string, version: string, former: string | undefined) => Promise<Proof>;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn' | 'count'>;
}

/**
 * One step of the rotation of one node's certificates. Each can be repeated, also out of order: the labels of the secret say what is left to do.
 *
 * @throws RotationRefused, RotationPostponed, CertificatesNotProven, and the errors of the edges
 */
export async function rotate(edges: RotateEdges, event: RotationEvent): Promise<{ readonly done: string }> {
  const { secrets, telemetry } = edges;
  const { SecretId, ClientRequestToken: version, Step } = event;
  try {
    const decision = decideStep(event, await secrets.state(SecretId));
    if (decision.do === 'nothing') return { done: decision.because };
    const done = await work(edges, Step, SecretId, version, decision.current);
    telemetry.log('rotation-step', { step: Step, secret: SecretId, version, done });
    if (Step === 'finishSecret') telemetry.count(Metric.certificatesRotated, 1, 'Count');
    return { done };
  } catch (error) {
    telemetry.warn('rotation-failed', { step: Step, secret: SecretId, version, because: messageOf(error) });
    // Waiting for its turn is no failure; what waits too long is told by the days that are left.
    if (!(error instanceof RotationPostponed)) telemetry.count(Metric.certificatesRotated, 0, 'Count');
    throw error;
  }
}

async function work(
  edges: RotateEdges,
  step: RotationEvent['Step'],
  secretId: string,
  version: string,
  current: string | undefined,
): Promise<string> {
  const { secrets } = edges;
  switch (step) {
    case 'createSecret':
      return createSecret(edges, secretId, version);
    case 'setSecret':
      return setSecret(edges, secretId, version, current);
    case 'testSecret':
      return testSecret(edges, secretId, version, current);
    case 'finishSecret':
      if ((await secrets.read(secretId, version)) === undefined)
        throw new RotationRefused(`version ${version} of secret ${secretId} has no value`);
      // Steps may come in any order: what was never installed is not what the node has.
      await testSecret(edges, secretId, version, current);
      await secrets.promote(secretId, version, current);
      return 'it is the current one';
  }
}

/**
 * A version never gets another value. One that waited for too long goes, so that the next rotation mints for the node as it is then. Before that the node
 * gets back what it had: where an installation was cut off nothing else is ever installed, and nobody knows of that version any more afterwards.
 */
async function createSecret(edges: RotateEdges, secretId: string, version: string): Promise<string> {
  const { secrets, mint, outdated, putBack } = edges;
  const waiting = await secrets.read(secretId, version);
  if (waiting === undefined) {
    await secrets.fill(secretId, version, await mint(secretId));
    return 'minted';
  }
  const because = await outdated(waiting);
  if (because === undefined) return 'it was minted before';
  await alone(edges, version, waiting, () => putBack(version, waiting));
  await secrets.giveUp(secretId, version);
  throw new RotationPostponed(
    `the set that waited for ${waiting.node.host} is given up, since ${because}; the next rotation mints another`,
  );
}

/** What cannot be proven from outside is taken back before anybody hears of it. */
async function setSecret(edges: RotateEdges, secretId: string, version: string, current: string | undefined): Promise<string> {
  const { secrets, install, putBack, prove } = edges;
  const set = await secrets.read(secretId, version);
  if (set === undefined) throw new RotationRefused(`version ${version} of secret ${secretId} has no value yet: createSecret comes first`);
  return alone(edges, version, set, async () => {
    // What cannot be reached now could not be proven afterwards either, and nothing was touched so far.
    const before = await prove(secretId, version, current);
    if (!before.reached)
      throw new CertificatesNotProven(
        `nothing was changed on ${set.node.host}, since its ports cannot all be reached: ${before.because.join('; ')}; let the functions' security group in`,
      );
    await install(secretId, version, set, setSha256Of(set.archive));
    // Nobody who could look has proven nothing.
    const proof = await prove(secretId, version, current).catch((error: unknown): Proof => ({
      proven: false,
      reached: false,
      because: [messageOf(error)],
    }));
    if (proof.proven) return `installed on ${set.node.host}`;
    await putBack(version, set).catch((error: unknown) => {
      throw new CertificatesNotProven(
        `${set.node.host}: ${proof.because.join('; ')}; and its previous certificates could not be put back: ${messageOf(error)}`,
        { cause: error },
      );
    });
    throw new CertificatesNotProven(
      `${set.node.host} has its previous certificates again, since the new ones could not be proven: ${proof.because.join('; ')}`,
    );
  });
}

/** Changes one node at a time, and only while etcd can lose it. @throws RotationPostponed, and what the change throws */
async function alone<T>(
  { lock, etcdTooWeak, telemetry }: RotateEdges,
  version: string,
  set: NodeSetSecret,
  change: () => Promise<T>,
): Promise<T> {
  const held = await lock.acquire(`rotation-${version}`);
  if (!held.acquired)
    throw new RotationPostponed(
      `${held.holder} works on the nodes until ${held.expiresAt} at the latest: the rotation of ${set.node.host} is tried again`,
    );
  try {
    const weak = await etcdTooWeak(set);
    if (weak !== undefined) throw new RotationPostponed(`the certificates of ${set.node.host} wait: ${weak}`);
    return await change();
  } finally {
    await held.release().catch((error: unknown) => telemetry.warn('lock-not-released', { because: messageOf(error) }));
  }
}

/** Changes nothing, whoever calls it when: Secrets Manager also tests a version that has no value, to see whether the function works at all. */
async function testSecret(edges: RotateEdges, secretId: string, version: string, current: string | undefined): Promise<string> {
  if ((await edges.secrets.read(secretId, version)) === undefined) return 'there is nothing to test yet';
  const proof = await edges.prove(secretId, version, current);
  if (!proof.proven) throw new CertificatesNotProven(`the ports do not serve version ${version}: ${proof.because.join('; ')}`);
  return proof.because.join('; ');
}
