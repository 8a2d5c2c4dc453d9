import { Env } from '../../../lambdas/contract/env';
import { ErrorName } from '../../../lambdas/contract/errors';
import { lockKey } from '../../../lambdas/contract/s3-keys';
import type { Finding } from '../../support/permissions/judge';
import { judgeCalls, linesOf } from '../../support/permissions/judge';
import type { Attack } from './attacks';
import { attackAll, backupEvents, layBait, stateOfThem } from './attacks';
import { ask, disagreements, reachAcross, refusalsOf, unreachedByItsOwn } from './boundaries';
import { exceptions } from './exceptions';
import { runScenarios, scenarios } from './scenarios';
import type { Party, TwoClusters } from './two-clusters';
import { startTwoClusters } from './two-clusters';

jest.setTimeout(240_000);

let world: TwoClusters;
let failures: string[];
let findings: Record<'mine' | 'theirs', Finding[]>;
let attacks: Attack[];
let before: unknown;
let after: unknown;

beforeAll(async () => {
  world = await startTwoClusters();
  expect(await world.theirs.lifeboat.takeSnapshot()).toMatchObject({ outcome: 'returned' });
  failures = await runScenarios(scenarios, world);
  const calls = world.cloud.calls();
  const judged = (party: Party) => judgeCalls(place(), party.rights, calls, exceptions);
  findings = { mine: await judged(world.mine), theirs: await judged(world.theirs) };

  // What S3 itself copies is no attack.
  world.cloud.replication.pause();
  await layBait(world);
  before = await stateOfThem(world);
  attacks = await attackAll(world, await backupEvents(world));
  after = await stateOfThem(world);
});
afterAll(() => world.stop());

const place = () => ({ account: world.cloud.accountId, region: world.cloud.region });

describe('the rights of the deployed functions', () => {
  /** Every kind of finding, by what is true when there is none. */
  const sentences: Readonly<Record<Finding['kind'], string>> = {
    denied: 'let every call pass that the functions make',
    'not-granted': 'are in the synthesized policies, by a judge that is not the emulator',
    unused: 'are all used, but for the exceptions',
    'stale-exception': 'have no exception that is out of date',
    wide: 'end their wildcards where what is only known at run time begins',
    idle: 'are those of functions that ran',
  };
  test('are enough for everything that the functions are there for (peer failure 22)', () => {
    expect(failures).toEqual([]);
  });

  const kinds = Object.keys(sentences) as Finding['kind'][];

  test.each(kinds.map((kind) => [sentences[kind], kind] as const))('%s', (_sentence, kind) => {
    expect(linesOf(findings.mine, kind)).toEqual([]);
  });

  test('of the other cluster, which took one snapshot, let that pass too', () => {
    expect(linesOf(findings.theirs, 'denied', 'not-granted')).toEqual([]);
  });
});

describe('another cluster of the same account', () => {
  /** Who stumbles over which variable. */
  const errors: Readonly<Record<string, string>> = {
    [Env.clusterName]: ErrorName.storeFailed,
    [Env.stateBucket]: ErrorName.storeFailed,
    [Env.replicaBucket]: ErrorName.storeFailed,
    [Env.etcdClientSecret]: ErrorName.secretUnusable,
  };

  /** Functions to which a refusal is an outcome that they return and tell by metrics. */
  const TELLS_INSTEAD = ['WatchWatchMembers'];

  test('is refused to every function that is pointed at it, in whole or by one variable (peer failure 21)', () => {
    const refusals = refusalsOf(world, attacks);

    expect(refusals.length).toBeGreaterThanOrEqual(2 * world.mine.rights.functions.length);
    for (const [index, { attack, answer, said, passed, refused }] of refusals.entries()) {
      const outcome = TELLS_INSTEAD.some((label) => attack.startsWith(label)) ? 'returned' : 'failed';
      expect({ attack, answer, passed }).toMatchObject({ answer: { outcome }, passed: [] });
      const expected = attacks[index]?.variables.map(
        (name) => errors[name] ?? `the error that ${name} leads to: add it to the table above`,
      );
      if (answer.outcome === 'failed') expect(expected).toContain(answer.error.name);
      expect(said).toMatch(/Access ?Denied|not authorized/);
      expect(refused).toBeGreaterThan(0);
    }
  });

  test('keeps every version, upload and secret while it is attacked (peer failure 21)', async () => {
    expect(JSON.stringify(before)).toContain(lockKey(world.theirs.lifeboat.cluster, 'backup'));
    expect(after).toEqual(before);

    // What was there to be removed is removed by whoever may: the bait was real.
    expect(await world.theirs.lifeboat.pruneSnapshots()).toMatchObject({ result: { outcome: 'pruned', counts: { removed: 1 } } });
    expect(await stateOfThem(world)).not.toEqual(after);
  });

  test('is denied by the policies as by the emulator, call by call', async () => {
    expect(await disagreements(world, attacks)).toEqual([]);
  });

  test('is out of reach by the policies alone: no action of a function is allowed on anything of theirs', async () => {
    for (const { label, rights, denied, reached } of await reachAcross(world)) {
      expect(denied).toBeGreaterThan(rights);
      expect({ label, reached }).toEqual({ label, reached: [] });
    }
  });

  test('would be reached by its own functions with the same requests', async () => {
    expect(await unreachedByItsOwn(world)).toEqual([]);
  });
});

describe('the role of a schedule', () => {
  test('may start its own function and bury what could not be started, and nothing else', () => {
    for (const { rights } of [world.mine, world.theirs]) {
      expect(rights.schedules.length).toBeGreaterThan(0);
      for (const { target, deadLetters, grants } of rights.schedules) {
        expect(grants).toEqual([
          { effect: 'Allow', action: 'lambda:InvokeFunction', resource: target },
          { effect: 'Allow', action: 'sqs:SendMessage', resource: deadLetters },
        ]);
      }
    }
  });

  test('is denied every other function, of its own cluster or another', async () => {
    const functions = [world.mine, world.theirs].flatMap(({ rights }) => rights.functions.map(({ arn }) => arn));
    for (const { rights } of [world.mine, world.theirs]) {
      for (const schedule of rights.schedules) {
        const started = [];
        for (const resource of functions.flatMap((arn) => [arn, `${arn}:1`])) {
          const { verdict } = await ask(world, schedule, { action: 'lambda:InvokeFunction', resource, context: {} });
          if (verdict === 'allowed') started.push(resource);
        }
        expect(started).toEqual([schedule.target]);
      }
    }
  });

  test('can be taken on by the schedules of its own group alone', () => {
    const trusts = [world.mine, world.theirs].flatMap(({ rights }) => rights.schedules.map(({ trust }) => JSON.stringify(trust)));

    for (const trust of trusts) expect(trust).toMatch(/"aws:SourceArn":"arn:aws:scheduler:[^"*]+"/);
    expect(new Set(trusts).size).toBe(trusts.length);
  });
});
