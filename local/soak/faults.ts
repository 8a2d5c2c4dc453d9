import { setTimeout as wait } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ErrorName } from '../../lambdas/contract/errors';
import type { EtcdClientSecret } from '../../lambdas/contract/secrets';
import { lockKey } from '../../lambdas/contract/s3-keys';
import type { Fault } from '../cloud';
import type { FaultRule } from '../cloud/fault-proxy';
import { createAuthority, issueCertificate } from '../etcd/certificates';
import type { Members } from './members';
import type { FaultKind, PruneFaultKind, Slot } from './plan';
import type { SoakWorld } from './world';

/** How a run ended: a snapshot that is verified or not, or the name of its error. */
export type Outcome = 'verified' | 'unverified' | 'pruned' | 'skipped' | ErrorName | 'Runtime.ExitError';

/** Something that was done, and what may come of it. */
export interface Strike {
  /** In other words, for the log. */
  readonly what: string;
  /** How the run may end. @default - as if nothing had been done */
  readonly allowed?: readonly Outcome[];
  /** Whether it is over before the run is repeated. */
  readonly passes: boolean;
  /** How the repetition may end when it has passed. @default - as if nothing had been done */
  readonly allowedAgain?: readonly Outcome[];
  /** Ends it. Safe to repeat. */
  mend(): Promise<void>;
}

export interface Scene {
  readonly world: SoakWorld;
  readonly members: Members;
  readonly slot: Slot;
  readonly slotMs: number;
}

const LOCK = '/locks/backup.json';
const MANIFEST = '/manifest.json';
const ALWAYS = 1_000;
/** About as long as a run takes here: whatever waits for so long strikes at any step of it. */
const A_RUN_MS = 800;
const NOTHING = () => Promise.resolve();
const AT_ANY_STEP: readonly Outcome[] = ['verified', 'unverified', ErrorName.snapshotStreamBroken];

/** Does it to the world. */
export const strike = async (kind: FaultKind, scene: Scene): Promise<Strike> => STRIKES[kind](scene);

const STRIKES: Readonly<Record<FaultKind, (scene: Scene) => Strike | Promise<Strike>>> = {
  'member-killed': async ({ members, slot }) => {
    const member = slot.draw.pick(trio(members));
    const slots = 1 + slot.draw.below(4);
    await members.kill(member, slot.number + slots);
    // When it led, the others may not have heard all that the one has which is read, until they have elected.
    return { what: `${member.name} for ${slots} slots`, allowed: ['verified', 'unverified'], passes: false, mend: NOTHING };
  },
  'member-killed-at-work': (scene) => {
    const { members, slot } = scene;
    const member = slot.draw.pick(trio(members));
    return atAnyStep(scene, member.name, AT_ANY_STEP, () => members.kill(member, slot.number + 1));
  },
  'member-paused': ({ members, slot }) => {
    const member = slot.draw.pick(trio(members));
    members.disturb();
    member.pause();
    return {
      ...{ what: member.name, allowed: ['verified', 'unverified'], passes: false },
      mend: async () => {
        member.resume();
        await member.ready();
        members.disturb();
      },
    };
  },
  'leader-killed-in-the-stream': async ({ world, members, slot }) => {
    const leader = await members.leader();
    const act = () => members.kill(leader, slot.number + 1);
    world.cloud.faults.inject({ operation: 'CreateMultipartUpload', fault: { kind: 'meanwhile', act } });
    return { what: leader.name, allowed: AT_ANY_STEP, allowedAgain: ['verified', 'unverified'], passes: true, mend: clearing(world) };
  },
  'quorum-lost': async ({ members, slot }) => {
    const spared = slot.draw.pick(trio(members));
    for (const member of members.all) if (member !== spared) await members.kill(member, slot.number + 1);
    return { what: `only ${spared.name} is left`, allowed: ['unverified'], passes: false, mend: NOTHING };
  },

  's3-fails-once': ({ world, slot: { draw } }) => {
    const [status, code] = draw.pick(ANSWERS);
    return badCall(world, draw.pick(CALLS), { kind: 'status', status, code }, 1 + draw.below(2));
  },
  's3-resets-a-connection': ({ world, slot: { draw } }) =>
    badCall(world, draw.pick(CALLS), { kind: 'reset', afterBytes: draw.below(1_000_000) }, 1),
  's3-loses-an-answer': ({ world, slot: { draw } }) => badCall(world, draw.pick(CALLS), { kind: 'lose-answer' }, 1),
  's3-is-slow': ({ world, slot: { draw } }) => badCall(world, draw.pick(CALLS), { kind: 'delay', ms: 200 + draw.below(1_300) }, 1),
  's3-is-down': ({ world, slot: { draw } }) => {
    const [operation, ...more] = draw.pick(OUTAGES);
    const passes = draw.below(2) === 0;
    const fault = { kind: 'status', status: 500, code: 'InternalError' } as const;
    for (const call of [operation, ...more]) world.cloud.faults.inject({ ...call, times: ALWAYS, fault });
    const survives = operation === LOCK_RELEASE;
    const allowed: readonly Outcome[] = [survives ? 'verified' : ErrorName.storeFailed];
    return { what: `${nameOf(operation)}${passes ? '' : ', lasting'}`, allowed, passes, mend: clearing(world) };
  },

  'function-killed-in-an-upload': ({ world, slot: { draw } }) => {
    const from = 1 + draw.below(2);
    const act = () => void world.cloud.killFunction(world.lifeboat.takeSnapshotFunction);
    world.cloud.faults.inject({ operation: 'UploadPart', from, fault: { kind: 'meanwhile', act } });
    return { what: `at part ${from}`, allowed: ['Runtime.ExitError'], passes: true, mend: clearing(world) };
  },
  'function-killed-anywhere': (scene) => {
    const { cloud, lifeboat } = scene.world;
    return atAnyStep(scene, 'take-snapshot', ['verified', 'Runtime.ExitError'], () =>
      Promise.resolve(void cloud.killFunction(lifeboat.takeSnapshotFunction)),
    );
  },

  'lock-of-somebody': async ({ world, slotMs }) => {
    const now = world.cloud.clock.now().getTime();
    const [acquiredAt, expiresAt] = [now, now + 1.5 * slotMs].map((time) => new Date(time).toISOString());
    await putLock(world, JSON.stringify({ holder: 'somebody', acquiredAt, expiresAt }));
    return { what: 'for one slot and a half', allowed: [ErrorName.backupInProgress], passes: false, mend: NOTHING };
  },
  'lock-damaged': async ({ world, slot: { draw } }) => {
    const text = draw.pick([' ', 'no json', '{"holder":1}', '{"holder":"x","expiresAt":"soon"}'] as const);
    await putLock(world, text);
    return { what: JSON.stringify(text), passes: false, mend: NOTHING };
  },
  'secret-wrong': async ({ world, slot: { draw } }) => {
    const { ca, cert, key } = world.etcd.credentials;
    const stranger = createAuthority('somebody-else');
    const secrets: readonly [WrongSecret, ...WrongSecret[]] = [
      ['empty', { ca: '', cert: '', key: '' }, ErrorName.secretUnusable],
      ['of another CA', { ca, ...issueCertificate(stranger, { commonName: 'lifeboat' }) }, ErrorName.etcdTlsRefused],
      ['with another CA', { ca: stranger.cert, cert, key }, ErrorName.etcdTlsRefused],
    ];
    const [what, secret, name] = draw.pick(secrets);
    await world.lifeboat.putSecret(secret);
    const passes = draw.below(2) === 0;
    return {
      what: `${what}${passes ? '' : ', lasting'}`,
      allowed: [name],
      passes,
      mend: () => world.lifeboat.putSecret({ ca, cert, key }),
    };
  },
};

/** What S3 answers on a bad day. */
const ANSWERS: readonly [readonly [number, string], ...(readonly [number, string])[]] = [
  [500, 'InternalError'],
  [503, 'SlowDown'],
  [503, 'ServiceUnavailable'],
];
type WrongSecret = readonly [what: string, secret: EtcdClientSecret, name: ErrorName];
type Call = Pick<FaultRule, 'operation' | 'key' | 'from'>;
/** A lock that was there before is written three times: created, which S3 refuses, taken over, released. */
const LOCK_RELEASE: Call = { operation: 'PutObject', key: LOCK, from: 3 };
const CALLS: readonly [Call, ...Call[]] = [
  { operation: 'CreateMultipartUpload' },
  { operation: 'UploadPart' },
  { operation: 'UploadPart', from: 2 },
  { operation: 'CompleteMultipartUpload' },
  { operation: 'HeadObject' },
  { operation: 'GetObject' },
  { operation: 'PutObject', key: MANIFEST },
  { operation: 'PutObject', key: LOCK },
  LOCK_RELEASE,
];
/** What fails together, and all the time. */
const OUTAGES: readonly [readonly [Call, ...Call[]], ...(readonly [Call, ...Call[]])[]] = [
  [{ operation: 'UploadPart' }],
  [{ operation: 'UploadPart' }, { operation: 'AbortMultipartUpload' }],
  [{ operation: 'CompleteMultipartUpload' }],
  [{ operation: 'HeadObject' }],
  [{ operation: 'PutObject', key: MANIFEST }],
  [{ operation: 'PutObject', key: LOCK }],
  [LOCK_RELEASE],
];
const nameOf = ({ operation, key = '', from }: Call): string => `${operation}${key}${from === undefined ? '' : ` from call ${from} on`}`;

/** What a run must ride out by itself. */
function badCall(world: SoakWorld, call: Call, fault: Fault, times: number): Strike {
  world.cloud.faults.inject({ ...call, times, fault });
  return { what: `${nameOf(call)}, ${fault.kind}`, passes: true, mend: clearing(world) };
}

/** Strikes a while after the run has taken its lock. */
function atAnyStep({ world, slot }: Scene, what: string, allowed: readonly Outcome[], blow: () => Promise<void>): Strike {
  const delay = slot.draw.below(A_RUN_MS);
  let struck: Promise<void> | undefined;
  const act = () => void (struck = wait(delay).then(blow));
  world.cloud.faults.inject({ operation: 'PutObject', key: LOCK, fault: { kind: 'meanwhile', act } });
  const mend = async () => {
    await struck;
    world.cloud.faults.clear();
  };
  return { what: `${what} after ${delay} ms`, allowed, allowedAgain: ['verified', 'unverified'], passes: true, mend };
}

const clearing = (world: SoakWorld) => () => {
  world.cloud.faults.clear();
  return Promise.resolve();
};

async function putLock({ lifeboat: { s3, bucket, cluster } }: SoakWorld, Body: string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: lockKey(cluster, 'backup'), Body }));
}

/** Three members, as their type cannot say. */
function trio({ all: [one, ...others] }: Members): readonly [(typeof others)[number], ...typeof others] {
  if (one === undefined) throw new Error('the soak needs members');
  return [one, ...others];
}

/** The same for pruning. */
export function strikePrune(kind: PruneFaultKind, { world, slot: { draw } }: Scene): Strike {
  const { cloud, lifeboat } = world;
  const { faults } = cloud;
  const mend = clearing(world);
  switch (kind) {
    case 'prune-killed': {
      const from = 1 + draw.below(4);
      const act = () => void cloud.killFunction(lifeboat.pruneSnapshotsFunction);
      faults.inject({ operation: 'DeleteObject', from, fault: { kind: 'meanwhile', act } });
      return { what: `at removal ${from}`, allowed: ['pruned', 'Runtime.ExitError'], passes: true, mend };
    }
    case 'prune-denied': {
      const from = 1 + draw.below(2);
      faults.inject({ operation: 'DeleteObject', from, fault: { kind: 'status', status: 403, code: 'AccessDenied' } });
      return { what: `removal ${from}`, allowed: ['pruned'], passes: true, mend };
    }
    case 'prune-without-s3': {
      const operation = draw.pick(['DeleteObject', 'ListObjectsV2', 'GetObject'] as const);
      faults.inject({ operation, times: ALWAYS, fault: { kind: 'status', status: 500, code: 'InternalError' } });
      return { what: operation, allowed: ['pruned', ErrorName.pruneIncomplete, ErrorName.storeFailed], passes: true, mend };
    }
  }
}
