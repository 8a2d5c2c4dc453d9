import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { NodeCommandName } from '../../../lambdas/contract/node-commands';
import type { LocalNodes, SetOptions } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { EVERY, killedAt, someOf, stepsOf, upTo } from '../../support/crash';
import type { Values } from '../../support/node-script';
import { CertifiedNode } from './certified-node';

// Both documents that change certificates are killed before each of their changes, on a node with a real etcd; then they go on, or go back.
jest.setTimeout(900_000);

let nodes: LocalNodes;
let on: CertifiedNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new CertifiedNode(nodes.nodes[0]!);
});
afterAll(() => nodes.stop());

const WITHOUT_RESTART: SetOptions = { leaves: ['apiserver', 'etcd/peer'], kubeconfigs: ['super-admin.conf'] };
const WITH_RESTART: SetOptions = { leaves: ['etcd/server'], kubeconfigs: ['scheduler.conf'] };

/** How many commands a run needs hangs on how often it has to ask whether something is served: the last steps may not be there this time. */
const VARIES_BY = 4;

async function kill(step: number, steps: number, command: NodeCommandName, version: Values): Promise<void> {
  const killed = await killedAt(step, command, on.valuesOf(version), on.node.env, nodes.folder);
  if (step <= steps - VARIES_BY) expect(killed).toBe(true);
}

function offer(options: SetOptions) {
  const set = on.node.issuer.issue(options);
  return { set, version: on.offer(set), before: on.tree() };
}

/** What the set says lies in place, and nothing else lies about. */
function expectInPlace({ set }: ReturnType<typeof offer>): void {
  for (const [file, text] of Object.entries(set.files)) expect(on.read(file.replace('kubeconfigs/', ''))).toBe(text);
  expect(Object.keys(on.tree()).filter((name) => name.includes('.lifeboat-'))).toEqual([]);
}

/** No key that is not in use lies about, but in what can be gone back to. */
function expectNoLeftovers(): void {
  const folder = path.join(on.node.tree.stateDir, 'certificates');
  // Its status is 1 where there is none, as after a kill that came before anything was kept.
  const { stdout } = spawnSync('grep', ['-rl', 'PRIVATE KEY', folder], { encoding: 'utf8' });
  const found = stdout.split('\n').filter(Boolean);
  expect(found.filter((file) => !file.includes('/previous/'))).toEqual([]);
  expect(on.leftovers()).toEqual([]);
}

describe.each<[what: string, options: SetOptions, samples: number]>([
  ['a set for which nothing is restarted', WITHOUT_RESTART, 4],
  ['a set for which a manager is restarted', WITH_RESTART, 1],
])('%s', (_what, options, samples) => {
  let steps: number;
  let stepsBack: number;
  beforeAll(async () => {
    const { version } = offer(options);
    steps = await stepsOf('install-certificates', on.valuesOf(version), on.node.env, nodes.folder);
    stepsBack = await stepsOf('previous-certificates', on.valuesOf(version), on.node.env, nodes.folder);
    expect(steps).toBeGreaterThan(15);
    expect(stepsBack).toBeGreaterThan(8);
  });

  test('installing, killed at any step, goes on when it is run again', async () => {
    for (const step of someOf(upTo(steps), samples)) {
      const offered = offer(options);
      await kill(step, steps, 'install-certificates', offered.version);

      const { was } = await on.do('install-certificates', offered.version);

      expect(['absent', 'interrupted', 'installed']).toContain(was);
      expectInPlace(offered);
      expect(await on.servedByApi()).toBe(on.fingerprintOf('apiserver'));
      expectNoLeftovers();
    }
  });

  test('installing, killed at any step, goes back when that is asked for', async () => {
    for (const step of someOf(upTo(steps), samples)) {
      const offered = offer(options);
      await kill(step, steps, 'install-certificates', offered.version);

      await on.do('previous-certificates', offered.version);

      expect(on.tree()).toEqual(offered.before);
      expectNoLeftovers();
    }
  });

  // With a manager the kubelet waits longer each time; what differs from installing is tried without.
  if (options === WITH_RESTART && !EVERY) return;
  test('going back, killed at any step, goes back when it is run again, and never on', async () => {
    for (const step of someOf(upTo(stepsBack), samples)) {
      const offered = offer(options);
      await on.do('install-certificates', offered.version);
      await kill(step, stepsBack, 'previous-certificates', offered.version);

      await on.do('previous-certificates', offered.version);

      expect(on.tree()).toEqual(offered.before);
      expectNoLeftovers();
    }
  });
});

test('power that goes between the key and the certificate of etcd: the members do not start until the document is run again', async () => {
  const offered = offer({ leaves: ['etcd/server', 'etcd/peer'], kubeconfigs: [] });
  const cutOff = '/usr/bin/mv -t "$2" -- "$2/.lifeboat-aside/server.key"; kill -9 $PPID; exit 1';
  on.node.breakProgram('mv', `if [[ $* = *aside/server.crt* ]]; then ${cutOff}; fi; exec /usr/bin/mv "$@"`);
  await on.run('install-certificates', offered.version);
  expect((await on.do('certificate-facts')).pairs['etcd/server']).toBe('differs');
  on.node.breakProgram('mv', 'exec /usr/bin/mv "$@"');
  await on.node.reboot();

  expect(await on.do('install-certificates', offered.version)).toMatchObject({ was: 'interrupted' });

  expectInPlace(offered);
  await on.node.ready();
  await on.node.apiserverReady();
});
