import type { NodeSetSecret } from '../../lambdas/contract/certificates';
import { rotate } from '../../lambdas/certificates/rotate';
import type { RotateEdges } from '../../lambdas/certificates/rotate';
import type { RotationEvent } from '../../lambdas/certificates/rotation-step';

const SET: NodeSetSecret = {
  version: 1,
  node: { instanceId: 'i-0123456789abcdef0', host: 'master-1', nodeName: 'master-1' },
  mintedAt: '2026-11-26T12:00:00.000Z',
  signers: {},
  certificates: [],
  trusted: {},
  ports: [],
  archive: 'H4sI',
};

/** A secret by the rules of Secrets Manager, a lock and a node; every call is noted. */
class World {
  readonly calls: string[] = [];
  readonly values = new Map<string, NodeSetSecret>([['old', SET]]);
  labels: Record<string, string[]> = { old: ['AWSCURRENT'], new: ['AWSPENDING'] };
  rotationEnabled = true;
  locked = false;
  weak: string | undefined;
  /** Why nothing can be put back. */
  stuck: string | undefined;
  /** What each look at the ports proves, and whether it reaches them. */
  proven: (boolean | 'unreached')[] = [];
  outdated: string | undefined;
  installs: (() => void)[] = [];
  minted = 0;
  readonly told: number[] = [];

  readonly edges: RotateEdges = {
    secrets: {
      state: async () => ({ rotationEnabled: this.rotationEnabled, labels: this.labels }),
      read: async (_secret, version) => this.values.get(version),
      fill: async (_secret, version, value) => {
        if (this.values.has(version)) throw new Error('ResourceExistsException');
        this.values.set(version, value);
        this.calls.push('fill');
      },
      promote: async (_secret, version, from) => {
        if (from !== undefined) this.labels[from] = ['AWSPREVIOUS'];
        this.labels[version] = ['AWSCURRENT', 'AWSPENDING'];
        this.calls.push('promote');
      },
      giveUp: async (_secret, version) => {
        this.labels = Object.fromEntries(Object.entries(this.labels).filter(([each]) => each !== version));
        this.calls.push('give up');
      },
    },
    mint: async () => ({ ...SET, archive: `set ${++this.minted}` }),
    lock: {
      acquire: async (holder) => {
        if (this.locked) return { acquired: false, holder: 'a-restore', expiresAt: '2026-11-26T13:00:00Z' };
        this.calls.push(`lock ${holder}`);
        return { acquired: true, release: async () => void this.calls.push('unlock') };
      },
    },
    etcdTooWeak: async () => this.weak,
    install: async () => {
      this.calls.push('install');
      this.installs.shift()?.();
    },
    putBack: async () => {
      if (this.stuck !== undefined) throw new Error(this.stuck);
      this.calls.push('put back');
    },
    outdated: async () => this.outdated,
    prove: async (_secret, version, former) => {
      const proven = this.proven.shift() ?? true;
      return { proven: proven === true, reached: proven !== 'unreached', because: [`${version} beside ${former ?? 'none'}`] };
    },
    telemetry: { log: () => undefined, warn: () => undefined, count: (_metric, value) => void this.told.push(value) },
  };

  step(Step: RotationEvent['Step'], ClientRequestToken = 'new') {
    return rotate(this.edges, { SecretId: 'lifeboat/demo/pki/nodes/i-0123456789abcdef0', ClientRequestToken, Step });
  }

  async all(): Promise<void> {
    for (const step of STEPS) await this.step(step);
  }
}

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

describe('rotating the certificates of a node', () => {
  let world: World;
  beforeEach(() => (world = new World()));

  test('mints, installs under the lock, proves, and makes it the current one', async () => {
    await world.all();

    expect(world.calls).toEqual(['fill', 'lock rotation-new', 'install', 'unlock', 'promote']);
    expect(world.labels['old']).toEqual(['AWSPREVIOUS']);
    expect(world.told).toEqual([1]);
  });

  test('mints once, however often it is asked', async () => {
    for (let time = 0; time < 3; time++) await world.step('createSecret');

    expect(world.minted).toBe(1);
    expect(world.values.get('new')?.archive).toBe('set 1');
  });

  test('has nothing to do for a version that is current already, whatever step is repeated', async () => {
    await world.all();
    world.calls.length = 0;

    for (const step of STEPS) expect(await world.step(step)).toEqual({ done: 'version new is the current one already' });
    expect(world.calls).toEqual([]);
  });

  test('tests without doing anything, also when there is nothing to test', async () => {
    expect(await world.step('testSecret')).toEqual({ done: 'there is nothing to test yet' });
    await world.step('createSecret');
    world.calls.length = 0;

    await world.step('testSecret');

    expect(world.calls).toEqual([]);
  });

  test('works for a secret that never had a value', async () => {
    world.labels = { new: ['AWSPENDING'] };
    world.values.clear();

    await world.all();

    expect(world.labels['new']).toContain('AWSCURRENT');
  });

  test.each(STEPS)('continues after it was cut off behind %s', async (last) => {
    for (const step of STEPS.slice(0, STEPS.indexOf(last) + 1)) await world.step(step);

    await world.all();

    expect(world.minted).toBe(1);
    expect(world.calls.filter((call) => call === 'promote')).toHaveLength(1);
    expect(world.calls.filter((call) => call.startsWith('lock')).length).toBe(world.calls.filter((call) => call === 'unlock').length);
  });

  test('installs nothing before it was minted, and promotes nothing without a value', async () => {
    await expect(world.step('setSecret')).rejects.toMatchObject({
      name: 'RotationRefused',
      message: expect.stringMatching(/createSecret comes first/) as string,
    });
    await expect(world.step('finishSecret')).rejects.toMatchObject({ name: 'RotationRefused' });
    expect(world.calls).toEqual([]);
  });

  test.each<[string, (world: World) => void, RegExp]>([
    ['a secret that is not rotated', (each) => void (each.rotationEnabled = false), /is not rotated/],
    ['a version that the secret does not have', (each) => void (each.labels = { old: ['AWSCURRENT'] }), /has no version new/],
    ['a version that is not pending', (each) => void (each.labels['new'] = []), /is not pending/],
  ])('refuses %s', async (_sentence, change, message) => {
    change(world);

    for (const step of STEPS)
      await expect(world.step(step)).rejects.toMatchObject({ name: 'RotationRefused', message: expect.stringMatching(message) as string });
    expect(world.calls).toEqual([]);
  });

  test('touches no node while another runbook works on them', async () => {
    await world.step('createSecret');
    world.locked = true;

    await expect(world.step('setSecret')).rejects.toMatchObject({ name: 'RotationPostponed', retryable: true });
    expect(world.calls).toEqual(['fill']);
  });

  test('touches no node whose etcd the cluster cannot lose, and gives the lock back', async () => {
    await world.step('createSecret');
    world.weak = '2 of 3 members of etcd are well';

    await expect(world.step('setSecret')).rejects.toMatchObject({
      name: 'RotationPostponed',
      message: expect.stringMatching(/2 of 3/) as string,
    });
    expect(world.calls).toEqual(['fill', 'lock rotation-new', 'unlock']);
  });

  test('installs what waited for a while, and gives up what waited for too long', async () => {
    await world.step('createSecret');
    expect(await world.step('createSecret')).toEqual({ done: 'it was minted before' });
    world.outdated = 'it was minted 9 days ago';

    await expect(world.step('createSecret')).rejects.toMatchObject({
      name: 'RotationPostponed',
      message: expect.stringMatching(/master-1.*9 days ago/) as string,
    });

    expect(world.labels).toEqual({ old: ['AWSCURRENT'] });
    expect(world.calls).toEqual(['fill', 'lock rotation-new', 'put back', 'unlock', 'give up']);
    world.outdated = undefined;
    world.labels['next'] = ['AWSPENDING'];
    for (const step of STEPS) await world.step(step, 'next');
    expect(world.labels['next']).toContain('AWSCURRENT');
    expect(world.minted).toBe(2);
  });

  test.each<[string, (world: World) => void, RegExp]>([
    ['another runbook works on the nodes', (each) => void (each.locked = true), /a-restore works on the nodes/],
    ['etcd cannot lose the node', (each) => void (each.weak = '2 of 3 members of etcd are well'), /2 of 3/],
    ['the node cannot be put back', (each) => void (each.stuck = 'its agent is away'), /its agent is away/],
  ])('gives up no set that may be half installed while %s', async (_sentence, change, message) => {
    await world.step('createSecret');
    world.outdated = 'the etcd authority signs by another generation by now';
    change(world);

    await expect(world.step('createSecret')).rejects.toThrow(message);

    expect(world.labels['new']).toEqual(['AWSPENDING']);
    expect(world.calls.filter((call) => call === 'unlock')).toHaveLength(world.locked ? 0 : 1);
  });

  test('touches no node whose ports it cannot reach', async () => {
    await world.step('createSecret');
    world.proven = ['unreached'];

    await expect(world.step('setSecret')).rejects.toMatchObject({
      name: 'CertificatesNotProven',
      message: expect.stringMatching(/nothing was changed on master-1.*security group/) as string,
    });
    expect(world.calls).toEqual(['fill', 'lock rotation-new', 'unlock']);
  });

  test('puts back what cannot be proven from outside', async () => {
    await world.step('createSecret');
    world.proven = [false, false];

    await expect(world.step('setSecret')).rejects.toMatchObject({
      name: 'CertificatesNotProven',
      message: expect.stringMatching(/new beside old/) as string,
    });
    expect(world.calls).toEqual(['fill', 'lock rotation-new', 'install', 'put back', 'unlock']);
  });

  test('puts back what nobody could look at', async () => {
    await world.step('createSecret');
    let looks = 0;
    const blind: RotateEdges = {
      ...world.edges,
      prove: async (...asked) => (looks++ === 0 ? world.edges.prove(...asked) : Promise.reject(new Error('the probe did not answer'))),
    };

    await expect(rotate(blind, { SecretId: 's', ClientRequestToken: 'new', Step: 'setSecret' })).rejects.toMatchObject({
      name: 'CertificatesNotProven',
      message: expect.stringMatching(/the probe did not answer/) as string,
    });
    expect(world.calls.slice(-2)).toEqual(['put back', 'unlock']);
  });

  test('promotes nothing that the ports do not serve, in whatever order it is asked', async () => {
    await world.step('createSecret');
    world.proven = [false];

    await expect(world.step('finishSecret')).rejects.toMatchObject({ name: 'CertificatesNotProven' });
    expect(world.calls).toEqual(['fill']);
  });

  test('is no failure while it only waits for its turn', async () => {
    await world.step('createSecret');
    world.locked = true;

    await expect(world.step('setSecret')).rejects.toMatchObject({ name: 'RotationPostponed' });
    expect(world.told).toEqual([]);
  });

  test('gives the lock back when the node refuses', async () => {
    await world.step('createSecret');
    world.installs = [
      () => {
        throw new Error('CertificatesNotServed');
      },
    ];

    await expect(world.step('setSecret')).rejects.toThrow('CertificatesNotServed');
    expect(world.calls.at(-1)).toBe('unlock');
    expect(world.told).toEqual([0]);
  });

  test('never promotes what a test refuses', async () => {
    await world.step('createSecret');
    await world.step('setSecret');
    world.proven = [false];

    await expect(world.step('testSecret')).rejects.toMatchObject({ name: 'CertificatesNotProven' });
    expect(world.labels['old']).toEqual(['AWSCURRENT']);
  });
});
