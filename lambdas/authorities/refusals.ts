import { LEAVES } from '../contract/certificate-names';
import type { Exchangeable } from '../contract/certificate-names';
import type { Generation } from '../contract/certificates';
import { shortId } from '../contract/short-id';
import { inspect } from '../pki/inspect';
import { SignerUnusable } from '../pki/errors';
import { requireCrossSigning } from '../pki/signer';
import { KUBELET_CLIENT_SECONDS, waitIn } from './rotation-facts';
import type { Limits, NodeFacts, RotationFacts, RotationRequest } from './rotation-facts';
import { pathOf } from './rotation-path';
import { signingIn } from './trust';

/** Why a rotation cannot begin, with the value, and what to do. */
export interface Refusal {
  readonly because: string;
  readonly instead: string;
}

/** What is asked and known of a rotation of whatever kind. */
interface CommonAsked {
  readonly facts: Omit<RotationFacts, 'document'>;
  readonly request: Pick<RotationRequest, 'id' | 'onBehalfOf'> & { readonly authority: Exchangeable };
  readonly limits: Limits;
}
interface Asked extends CommonAsked {
  readonly facts: RotationFacts;
  readonly request: RotationRequest;
}
type CommonCheck = (asked: CommonAsked) => readonly Refusal[];
type Check = (asked: Asked) => readonly Refusal[];

const refuse = (because: string, instead: string): readonly Refusal[] => [{ because, instead }];

/** Its own that is under way is no obstacle: it is planned again, to see the rest of it. */
const another: CommonCheck = ({ facts: { underWay }, request }) =>
  underWay
    .filter(({ id, of }) => id !== request.id || of !== request.authority)
    .flatMap(({ of, id, state }) =>
      refuse(`rotation ${id} of ${of} is under way, in ${state}: only one goes at a time`, `let ${id} end, or abort it`),
    );

const locked: CommonCheck = ({ facts: { lockedBy }, request: { onBehalfOf } }) =>
  lockedBy === undefined || lockedBy === onBehalfOf
    ? []
    : refuse(`${lockedBy} holds the lock of the cluster`, `wait until ${lockedBy} has ended`);

const held: Check = ({ facts: { document }, request: { authority } }) => {
  if (document === undefined) return refuse(`the lifeboat holds no ${authority} authority`, 'adopt the cluster first');
  const signer = signingIn(document);
  if (signer === undefined)
    return refuse(`${shortId(document.issuing)} is to sign, and is no generation of the ${authority} authority`, 'mend its secret');
  return signer.key === undefined
    ? refuse(
        `the key of the ${authority} authority ${shortId(signer.id)} is not here: it is an external CA`,
        'rotate it where its key is, and adopt the new one',
      )
    : [];
};

/** As it was before this rotation began. */
const oldRoot = ({ facts: { document }, request }: Asked): Generation | undefined => {
  const { rotation } = document ?? {};
  const before = rotation?.id === request.id ? document?.generations.find(({ id }) => id === rotation.from) : undefined;
  return before ?? (document && signingIn(document));
};

/** A kubelet makes its key itself, on P-256 (client-go util/certificate/certificate_manager.go), and the controller-manager signs for whatever key. */
const keys: Check = (asked) => {
  const root = oldRoot(asked);
  const rootType = root && inspect(root.certificate).keyType;
  const others = asked.facts.nodes.flatMap(({ name, leaves }) =>
    leaves
      .filter(({ leaf }) => leaf !== 'kubelet.conf' && LEAVES[leaf].authority === asked.request.authority)
      .filter(({ keyType }) => !keyType.startsWith('RSA-'))
      .map(({ leaf, keyType }) => `${leaf} of ${name} ${keyType}`),
  );
  const found = [...(rootType === undefined || rootType.startsWith('RSA-') ? [] : [`the root ${rootType}`]), ...others];
  return found.length === 0
    ? []
    : refuse(`only RSA keys can be rotated, and there are others: ${found.join(', ')}`, 'rotate such an authority by hand');
};

const crossable: Check = (asked) => {
  const root = oldRoot(asked);
  if (root === undefined || asked.request.mode === 'compromise') return [];
  try {
    requireCrossSigning(root.certificate, `the ${asked.request.authority} authority ${shortId(root.id)}`);
    return [];
  } catch (error) {
    if (!(error instanceof SignerUnusable)) throw error;
    return refuse(error.message, 'ask for mode compromise, which does without, and costs an interruption');
  }
};

const lastsLongEnough: Check = (asked) => {
  const root = oldRoot(asked);
  if (root === undefined) return [];
  const { notAfter } = inspect(root.certificate);
  const needed = durationOf(asked);
  const left = Math.floor((notAfter.getTime() - asked.facts.now.getTime()) / 1_000);
  if (left >= needed) return [];
  const instead =
    asked.request.mode === 'planned'
      ? 'ask for mode compromise, which waits for nobody, or for a shorter soakSeconds'
      : 'its leaves end with it: repair the certificates after it, and do not wait for this rotation';
  return refuse(`the old root ends ${notAfter.toISOString()}, in ${left} s, and the rotation needs ${needed} s`, instead);
};

const nodesThere: CommonCheck = ({ facts: { nodes, missing } }) => {
  const silent = nodes.filter(({ told }) => !told).map(({ name }) => name);
  return [
    ...(missing.length === 0
      ? []
      : refuse(`nodes are missing: ${missing.join(', ')}`, 'start them and tag their instances, or take them out of the cluster for good')),
    ...(silent.length === 0
      ? []
      : refuse(`nodes did not tell of their certificates: ${silent.join(', ')}`, 'make them reachable, then plan again')),
    ...(nodes.some(({ role }) => role === 'control-plane')
      ? []
      : refuse('no control-plane node was found', 'look at the tags of the nodes')),
  ];
};

const clocks: CommonCheck = ({ facts: { nodes }, limits: { clockOffSeconds } }) =>
  eachTold(nodes, ({ name, clockOff }) => {
    if (clockOff !== undefined && Math.abs(clockOff) <= clockOffSeconds) return [];
    const off = clockOff === undefined ? 'is not known' : `is off by ${clockOff} s`;
    return refuse(`the clock of ${name} ${off}, and ${clockOffSeconds} s are allowed`, `set the clock of ${name} by NTP`);
  });

/** The signer refuses a file with two certificates: `expected 1 certificate, found 2` (ca_provider.go), and signs nothing then, without a word. */
const split: Check = ({ facts: { nodes }, request: { authority } }) =>
  authority !== 'cluster'
    ? []
    : eachTold(nodes, ({ name, runs, signer }) =>
        !runs.includes('controller-manager') || signer === 'split'
          ? []
          : refuse(
              `the controller-manager of ${name} signs by ${signer === 'shared' ? 'the file that is trusted too' : 'a file that is not known'}, and a bundle there stops it from signing`,
              'run the step of the adoption that splits the two files',
            ),
      );

const drift: Check = (asked) => {
  const { nodes, document } = asked.facts;
  if (document === undefined) return [];
  const { rotation } = document;
  const own = rotation?.id === asked.request.id ? [rotation.from, rotation.to] : [document.issuing];
  return eachTold(nodes, ({ name, leaves }) => {
    const strange = leaves.filter(
      ({ leaf, issuer }) => LEAVES[leaf].authority === asked.request.authority && (issuer === undefined || !own.includes(issuer)),
    );
    const list = strange.map(({ leaf, issuer }) => `${leaf} by ${issuer === undefined ? 'a stranger' : shortId(issuer)}`).join(', ');
    return strange.length === 0
      ? []
      : refuse(`${name} has leaves that ${own.map(shortId).join(' or ')} did not sign: ${list}`, 'repair the certificates, or adopt again');
  });
};

const etcd: CommonCheck = ({ facts }) => {
  if (facts.etcd === undefined) return refuse('etcd did not answer', 'make it reachable, or repair its certificates first');
  const { voters, healthy, learners } = facts.etcd;
  const majority = Math.floor(voters / 2) + 1;
  const alone = voters === 1 && healthy === 1;
  return [
    ...(alone || healthy - 1 >= majority
      ? []
      : refuse(
          `${healthy} of ${voters} voters of etcd are well, and without one more ${majority} would not be left`,
          'replace the member that is not well',
        )),
    ...(learners === 0 ? [] : refuse(`etcd has ${learners} learner(s)`, 'wait until they are promoted, or remove them')),
  ];
};

const snapshot: CommonCheck = ({ facts: { snapshot: newest, now }, limits: { snapshotYoungerThanSeconds: limit } }) => {
  if (newest === undefined) return refuse('there is no verified snapshot', 'take one');
  const age = Math.floor((now.getTime() - newest.takenAt.getTime()) / 1_000);
  return age <= limit ? [] : refuse(`the newest verified snapshot ${newest.id} is ${age} s old, and ${limit} s are allowed`, 'take one');
};

const eachTold = (nodes: readonly NodeFacts[], check: (node: NodeFacts) => readonly Refusal[]): readonly Refusal[] =>
  nodes.filter(({ told }) => told).flatMap(check);

/** What the whole takes at most, in seconds. */
export function durationOf({ facts: { nodes }, request, limits }: Asked): number {
  const states = pathOf(request.mode);
  const waits = states.reduce((sum, state) => sum + waitIn(state, request, limits), 0);
  return waits + states.length * (nodes.length * limits.nodeSeconds + KUBELET_CLIENT_SECONDS);
}

const CHECKS: readonly Check[] = [
  another,
  locked,
  held,
  keys,
  crossable,
  lastsLongEnough,
  nodesThere,
  clocks,
  split,
  drift,
  etcd,
  snapshot,
];

/** All that speaks against a rotation, what to mend first before the rest. */
export const refusalsOf = (asked: Asked): readonly Refusal[] => CHECKS.flatMap((check) => check(asked));

/** What speaks against a rotation of whatever kind: others that are under way, nodes, their clocks, etcd, and no snapshot. */
export const commonRefusalsOf = (asked: CommonAsked): readonly Refusal[] =>
  [another, locked, nodesThere, clocks, etcd, snapshot].flatMap((check) => check(asked));
