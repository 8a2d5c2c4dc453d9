import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AuthorityName } from '../../../lambdas/contract/certificate-names';
import { authoritySecretName, handOverSecretName, nodeSecretName, serviceAccountsSecretName } from '../../../lambdas/contract/certificates';
import { Env } from '../../../lambdas/contract/env';
import { ErrorName } from '../../../lambdas/contract/errors';
import { inventoryKey } from '../../../lambdas/contract/s3-keys';
import { etcdClientSecretName } from '../../../lambdas/contract/secrets';
import type { LocalNode } from '../../../local/nodes';
import type { Finding } from '../../support/permissions/judge';
import { judgeCalls, linesOf } from '../../support/permissions/judge';
import { rightsOf } from '../../support/permissions/stack-rights';
import type { Attack } from './attacks';
import { attackAll, stateOfThem } from './attacks';
import { ask, disagreements, reachAcross, refusalsOf, unreachedByItsOwn } from './boundaries';
import { certificateEvents, layCertificateBait } from './certificate-attacks';
import type { CertificateClusters } from './certificate-clusters';
import { THEIR_NODE, adopted, startCertificateClusters } from './certificate-clusters';
import { certificateScenarios } from './certificate-scenarios';
import { certificateExceptions, nodeExceptions } from './exceptions';
import { runScenarios } from './scenarios';

// An authority is exchanged and turned back in it.
jest.setTimeout(900_000);

let clusters: CertificateClusters;
let failures: string[];
let findings: Finding[];
let ofNodes: Finding[];
let ofHelpers: Finding[];
let attacks: Attack[];
let before: unknown;
let after: unknown;

beforeAll(async () => {
  clusters = await startCertificateClusters();
  failures = await runScenarios(certificateScenarios, clusters);
  clusters = await adopted(clusters);
  const { cloud, mine, nodeRole } = clusters;
  const calls = cloud.calls();
  const place = { account: cloud.accountId, region: cloud.region };
  findings = await judgeCalls(place, mine.rights, calls, certificateExceptions);
  ofNodes = await judgeCalls(place, { ...mine.rights, functions: [nodeRole.rights] }, calls, nodeExceptions);
  const { functions } = rightsOf(await cloud.stack(mine.rights.stack));
  const helpers = functions.filter(({ label }) => /^Nodes|ControlPlaneLock$/.test(label));
  ofHelpers = await judgeCalls(place, { ...mine.rights, functions: helpers }, calls, certificateExceptions);

  await layCertificateBait(clusters);
  const eventOf = await certificateEvents(clusters);
  before = await stateOfThem(clusters);
  attacks = await attackAll(clusters, eventOf);
  after = await stateOfThem(clusters);
});
afterAll(() => clusters.stop());

/** Every kind of finding, by what is true when there is none. */
const sentences: Readonly<Record<Finding['kind'], string>> = {
  denied: 'let every call pass that is made',
  'not-granted': 'are in the policies, by a judge that is not the emulator',
  unused: 'are all used, but for the exceptions',
  'stale-exception': 'have no exception that is out of date',
  wide: 'end their wildcards where what is only known at run time begins',
  idle: 'are those of somebody who did something',
};
const kinds = (Object.keys(sentences) as Finding['kind'][]).map((kind) => [sentences[kind], kind] as const);

describe('the rights of the functions for certificates', () => {
  test('are enough for everything that they are there for', () => {
    expect(failures).toEqual([]);
  });

  test.each(kinds)('%s', (_sentence, kind) => {
    expect(linesOf(findings, kind)).toEqual([]);
  });

  test('of those whom their runbooks share with others let everything pass, too', () => {
    expect(ofHelpers.length).toBeGreaterThan(0);
    expect(linesOf(ofHelpers, 'denied', 'not-granted', 'idle')).toEqual([]);
  });
});

describe('the rights of the nodes, as they are documented', () => {
  test.each(kinds)('%s', (_sentence, kind) => {
    expect(linesOf(ofNodes, kind)).toEqual([]);
  });

  test('let each read its own secret alone, and no other of either cluster', async () => {
    const { mine, theirs, world } = clusters;
    const foreign = [mine, theirs].flatMap(({ lifeboat: { cluster } }) => [
      ...AuthorityName.options.map((authority) => authoritySecretName(cluster, authority)),
      serviceAccountsSecretName(cluster),
      handOverSecretName(cluster),
      etcdClientSecretName(cluster),
    ]);
    const read = new GetSecretValueCommand({ SecretId: nodeSecretName(theirs.lifeboat.cluster, THEIR_NODE) });
    for (const node of world.nodes.nodes) {
      const own = world.nodeSecret(node);
      const others = world.nodes.nodes.filter((each) => each !== node).map((each) => world.nodeSecret(each));
      const commands = [...others, ...foreign].map((SecretId) => new GetSecretValueCommand({ SecretId }));

      expect(await outcomeOf(node, new GetSecretValueCommand({ SecretId: own }))).toBe('passed');
      for (const command of [...commands, read])
        expect([command.input.SecretId, await outcomeOf(node, command)]).toEqual([command.input.SecretId, 'AccessDeniedException']);
    }
  });

  test('let none of them write what is not the hand-over of its own cluster', async () => {
    const { mine, theirs, world } = clusters;
    const names = [
      world.nodeSecret(world.node(1)),
      authoritySecretName(mine.lifeboat.cluster, 'etcd'),
      handOverSecretName(theirs.lifeboat.cluster),
      nodeSecretName(theirs.lifeboat.cluster, THEIR_NODE),
    ];

    for (const SecretId of names) {
      const write = new PutSecretValueCommand({ SecretId, SecretString: 'a foreign value' });
      expect([SecretId, await outcomeOf(world.node(1), write)]).toEqual([SecretId, 'AccessDeniedException']);
    }
    expect(await stateOfThem(clusters)).toEqual(after);
  });

  test('are judged by the policies as by the emulator, call by call', async () => {
    const { cloud, nodeRole } = clusters;
    const own = cloud.calls().filter(({ role }) => role === nodeRole.rights.role);

    expect(new Set(own.map(({ session }) => session)).size).toBe(clusters.world.nodes.nodes.length);
    for (const call of own) {
      const { verdict } = await ask(clusters, nodeRole.rights, call);
      expect({ call, verdict }).toMatchObject({ verdict: call.allowed ? 'allowed' : 'denied' });
    }
  });

  async function outcomeOf(node: LocalNode, command: GetSecretValueCommand | PutSecretValueCommand): Promise<string> {
    const { cloud, nodeRole } = clusters;
    const client = new SecretsManagerClient({ ...cloud.clientConfig(), credentials: nodeRole.sessionOf(node) });
    try {
      await (command instanceof GetSecretValueCommand ? client.send(command) : client.send(command));
      return 'passed';
    } catch (error) {
      return error instanceof Error ? error.name : String(error);
    } finally {
      client.destroy();
    }
  }
});

describe('the certificates of another cluster of the same account', () => {
  /** Who stumbles over which variable. */
  const errors: Readonly<Record<string, string>> = {
    [Env.clusterName]: ErrorName.storeFailed,
    [Env.stateBucket]: ErrorName.storeFailed,
    [Env.etcdClientSecret]: ErrorName.secretUnusable,
    [Env.probeFunction]: ErrorName.functionCallFailed,
    [Env.enrolFunction]: ErrorName.functionCallFailed,
  };

  /** A repair has to go on where the functions' own certificate cannot be read: it tells what it could not see. */
  const TELLS_INSTEAD = `CertificatesRepairRepairCertificates with their ${Env.etcdClientSecret}`;

  test('are refused to every function that is pointed at them, in whole or by one variable', () => {
    const refusals = refusalsOf(clusters, attacks);

    expect(new Set(attacks.map(({ label }) => label)).size).toBe(clusters.mine.rights.functions.length);
    for (const [index, { attack, answer, said, passed, refused }] of refusals.entries()) {
      const told = attack === TELLS_INSTEAD;
      expect({ attack, answer, passed }).toMatchObject({ answer: { outcome: told ? 'returned' : 'failed' }, passed: [] });
      const expected = attacks[index]?.variables.map((name) => errors[name]);
      if (answer.outcome === 'failed') expect(expected).toContain(answer.error.name);
      expect(said).toMatch(told ? /"etcdClient":"unknown"/ : /Access ?Denied|not authorized/);
      expect({ attack, refused }).not.toEqual({ attack, refused: 0 });
    }
  });

  test('stay as they were, every version and secret, while they are attacked', async () => {
    const { lifeboat } = clusters.theirs;
    expect(JSON.stringify(before)).toContain(authoritySecretName(lifeboat.cluster, 'etcd'));
    expect(JSON.stringify(before)).toContain(nodeSecretName(lifeboat.cluster, THEIR_NODE));
    expect(JSON.stringify(before)).toContain(inventoryKey(lifeboat.cluster));
    expect(after).toEqual(before);
  });

  test('are denied by the policies as by the emulator, call by call', async () => {
    expect(await disagreements(clusters, attacks)).toEqual([]);
  });

  test('are out of reach by the policies alone: no action of a function is allowed on anything of theirs', async () => {
    for (const { label, rights, denied, reached } of await reachAcross(clusters)) {
      expect(denied).toBeGreaterThan(rights);
      expect({ label, reached }).toEqual({ label, reached: [] });
    }
  });

  test('would be reached by its own functions with the same requests', async () => {
    expect(await unreachedByItsOwn(clusters)).toEqual([]);
  });
});
