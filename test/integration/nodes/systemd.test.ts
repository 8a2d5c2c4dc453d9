import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { nodeStateOf } from '../../../lambdas/nodes/node-state';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { etcdProgram } from '../../../local/tools';
import { failure } from '../../support/node-script';
import { NodeUnderTest, serveByAws, snapshotOnDisk } from './staged-node';

jest.setTimeout(120_000);

const ID = 'unit';
let nodes: LocalNodes;
let on: NodeUnderTest;
let unit: string;

/** `systemctl`, as far as the documents call it; etcd itself is real. */
function installSystemctl(envFile: string, argv: string): void {
  const body = `
unit=${unit}
case "$1 $2 $3" in
  "show etcd.service --property=LoadState") echo loaded ;;
  "show etcd.service --property=ExecStart") echo "{ path=${etcdProgram('3.6', 'etcd')} ; argv[]=${argv} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }" ;;
  "show etcd.service --property=Environment") echo ;;
  "show etcd.service --property=EnvironmentFiles") echo "${envFile} (ignore_errors=no)" ;;
  "is-enabled etcd.service "*) cat $unit/enabled; [ "$(cat $unit/enabled)" = enabled ] ;;
  "enable etcd.service "*) echo enabled >$unit/enabled ;;
  "disable etcd.service "*) echo disabled >$unit/enabled ;;
  "reset-failed etcd.service "*) ;;
  "stop etcd.service "*) kill "$(cat $unit/pid)" 2>/dev/null || true ;;
  "start --no-block etcd.service")
    grep -q . "/proc/$(cat $unit/pid 2>/dev/null || echo none)/cmdline" 2>/dev/null && exit
    set -a; . ${envFile}; set +a
    setsid ${argv} </dev/null >>$unit/log 2>&1 9>&- 3>&- &
    echo $! >$unit/pid ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
`;
  on.node.breakProgram('systemctl', body);
}

/** Takes the node's etcd from its static pod to a unit with an environment file, as kubespray does. */
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1 });
  const snapshot = await snapshotOnDisk(nodes.folder, '3.6');
  on = NodeUnderTest.of(nodes, snapshot, ID);
  serveByAws(on.node, snapshot.file);
  unit = path.join(nodes.folder, 'unit');
  mkdirSync(unit);
  const manifest = path.join(on.node.tree.manifestDir, 'etcd.yaml');
  const { spec } = parse(readFileSync(manifest, 'utf8')) as { spec: { containers: [{ command: string[] }] } };
  await on.do('stop');
  renameSync(path.join(on.node.tree.stateDir, `restores/${ID}/manifests/etcd.yaml`), path.join(unit, 'etcd.yaml'));
  const [, ...flags] = spec.containers[0].command;
  const variables = flags.map((flag) =>
    flag.replace(/^--([a-z-]+)=/, (_, name: string) => `ETCD_${name.replaceAll('-', '_').toUpperCase()}=`),
  );
  const envFile = path.join(unit, 'etcd.env');
  writeFileSync(envFile, `# of etcd\n${variables.join('\n')}\n`);
  writeFileSync(path.join(unit, 'enabled'), 'enabled\n');
  installSystemctl(envFile, etcdProgram('3.6', 'etcd'));
  await on.do('start');
  await on.node.ready();
});
afterAll(async () => {
  await on.run('stop', { restoreId: 'end' });
  await nodes.stop();
});

const enabled = (): string => readFileSync(path.join(unit, 'enabled'), 'utf8').trim();

test('facts finds etcd under systemd, by its environment file', async () => {
  expect(await on.facts()).toMatchObject({
    etcd: {
      runs: 'systemd',
      definition: 'in-place',
      running: true,
      listening: true,
      name: 'master-1',
      version: expect.stringMatching(/^3\.6\./) as string,
      unitIs: 'enabled',
    },
    apiserver: { definition: 'in-place', ready: true },
    data: { dir: on.node.tree.dataDir },
  });
});

test('facts tells that the unit is not enabled, so that a reboot would leave its etcd out', async () => {
  writeFileSync(path.join(unit, 'enabled'), 'disabled\n');
  const facts = await on.facts();
  writeFileSync(path.join(unit, 'enabled'), 'enabled\n');

  expect(facts.etcd).toMatchObject({ runs: 'systemd', definition: 'in-place', running: true, unitIs: 'disabled' });
});

test('a whole restore and the way back: the unit is disabled while it is stopped, so that a reboot does not start half of it', async () => {
  await on.do('stage');

  await on.do('stop');
  expect(enabled()).toBe('disabled');
  expect(nodeStateOf(await on.facts(), ID)).toMatchObject({ state: 'stopped', data: 'old' });
  await on.do('restore-data');
  await on.do('start');
  expect(enabled()).toBe('enabled');
  expect(nodeStateOf(await on.facts(), ID)).toMatchObject({ state: 'serving', data: 'restored' });
  expect(await on.do('roll-back')).toMatchObject({ found: 'restored', now: { data: 'original', etcd: { running: true } } });
  expect(enabled()).toBe('enabled');
});

test('joining a new member is left to hands, with what they have to write', async () => {
  const { error, fix } = failure(await on.run('join-member', { restoreId: 'join' }));

  expect(error).toBe('SystemdJoinUnsupported');
  expect(fix).toContain('ETCD_INITIAL_CLUSTER_STATE=existing');
});
