import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SCRIPT = path.resolve('local/setup.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const setup = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });

/** A machine with Node and nothing else. */
function bareMachine(): NodeJS.ProcessEnv {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, path.join(bin, 'node'));
  const none = { LIFEBOAT_ETCD_BIN_3_6: undefined, LIFEBOAT_ETCD_BIN_3_5: undefined };
  return { ...none, PATH: bin, LIFEBOAT_CACHE: path.join(folder, 'cache') };
}

describe('what the machine lacks', () => {
  test('is told all at once, with what to get, and nothing is changed', () => {
    const { status, stdout, stderr } = setup(['--for', 'test', '--', 'true'], bareMachine());

    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/Python with venv >= 3\.11: not found\n +get it: /);
    expect(stderr).toMatch(/Go >= 1\.26: not found\n +get it: .*LIFEBOAT_ETCD_BIN_3_6/);
    expect(stderr).toMatch(/git: not found\n +get it: /);
    expect(readdirSync(folder)).toEqual(['bin']);
  });

  test('is told when the folder for tools cannot be made', () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');

    const { status, stderr } = setup(['--for', 'demo'], { LIFEBOAT_CACHE: path.join(file, 'cache') });

    expect(status).toBe(1);
    expect(stderr).toContain(`cannot be made or written to (${file} stands in the way)\n    name another one in LIFEBOAT_CACHE`);
  });

  test('is told with the version that was found when it is too old', () => {
    const env = bareMachine();
    for (const [name, answer] of [
      ['go', 'go1.19.8'],
      ['python3', '3.9.2'],
    ] as const)
      writeFileSync(path.join(folder, 'bin', name), `#!/bin/sh\necho ${answer}\n`, { mode: 0o755 });

    const { stderr } = setup(['--for', 'demo'], env);

    expect(stderr).toContain('Go >= 1.26: found 1.19.8, too old');
    expect(stderr).toContain('Python with venv >= 3.11: found 3.9.2, too old');
  });

  test('is told together with an etcd folder that does not fit, by the name of its variable', () => {
    const { status, stderr } = setup(['--for', 'demo'], { ...bareMachine(), LIFEBOAT_ETCD_BIN_3_6: folder });

    expect(status).toBe(1);
    expect(stderr).toContain(
      `LIFEBOAT_ETCD_BIN_3_6=${folder} does not hold etcd 3.6: etcd is not there, etcdctl is not there, etcdutl is not there`,
    );
    expect(stderr).toContain('Python with venv >= 3.11: not found');
    expect(stderr).not.toContain('Go >=');
  });

  test('is told of a folder with programs of Kubernetes that miss one', () => {
    const names = ['kube-apiserver', 'kube-controller-manager', 'kubectl'];
    for (const name of names) writeFileSync(path.join(folder, name), '#!/bin/sh\necho Kubernetes v1.36.0\n', { mode: 0o755 });

    const { status, stderr } = setup(['--for', 'e2e'], { LIFEBOAT_K8S_BIN: folder });

    expect(status).toBe(1);
    expect(stderr).toContain(`LIFEBOAT_K8S_BIN=${folder} does not hold Kubernetes 1.x: kube-scheduler is not there\n`);
  });
});

test('programs of Kubernetes that the user names are given to the command, and nothing is built', () => {
  const names = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
  for (const name of names) writeFileSync(path.join(folder, name), '#!/bin/sh\necho Kubernetes v1.36.0\n', { mode: 0o755 });

  const { stdout, stderr } = setup(['--for', 'e2e', '--', 'sh', '-c', 'echo $LIFEBOAT_K8S_BIN'], { LIFEBOAT_K8S_BIN: folder });

  expect(stdout).toBe(`${folder}\n`);
  expect(stderr).toContain('everything already there');
});

test.each([[[]], [['--for', 'fun']], [['--for']], [['demo']], [['--for', 'demo', 'tsx']]])(
  'explains itself when called with %j',
  (args) => {
    const { status, stderr } = setup(args);

    expect(status).toBe(1);
    expect(stderr).toContain('usage: node local/setup.mjs --for demo|test|bench|e2e|ci [-- <command> [arguments …]]');
  },
);

describe('a command', () => {
  const node = (program: string, ...args: string[]) => setup(['--for', 'test', '--', 'node', '-e', program, '--', ...args]);

  test('gets its arguments as they are, and stdout for itself', () => {
    const { stdout, stderr } = node('console.log(JSON.stringify(process.argv.slice(1)))', '--size', '5 00', '--', '--check', '');

    expect(JSON.parse(stdout)).toEqual(['--size', '5 00', '--', '--check', '']);
    expect(stderr).toMatch(/^set-up: everything already there \(.* s\)\n$/);
  });

  test('runs under Node 24 with the tools of the set-up', () => {
    const { stdout } = node(
      'console.log(process.version, Object.keys(process.env).filter((name) => /^LIFEBOAT_(ETCD|PYTHON)/.test(name)).sort().join())',
    );

    expect(stdout).toMatch(/^v24\.\d+\.\d+ LIFEBOAT_ETCD_BIN_3_5,LIFEBOAT_ETCD_BIN_3_6,LIFEBOAT_PYTHON\n$/);
  });

  test('gives its exit code', () => {
    expect(node('process.exit(7)').status).toBe(7);
  });

  test('gives its signal as the shell would', () => {
    expect(node('process.kill(process.pid, "SIGKILL")').status).toBe(137);
  });

  test('gets the signals that the set-up gets', async () => {
    const program =
      'process.on("SIGTERM", () => { console.log("told"); process.exit(3); }); setInterval(() => {}, 1000); console.log("ready");';
    const child = spawn(process.execPath, [SCRIPT, '--for', 'test', '--', 'node', '-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said === 'ready\n') child.kill('SIGTERM');
    });

    const [code] = (await once(child, 'close')) as [number];

    expect([said, code]).toEqual(['ready\ntold\n', 3]);
  });

  test('that does not exist is named', () => {
    const { status, stderr } = setup(['--for', 'test', '--', 'no-such-command']);

    expect(status).toBe(1);
    expect(stderr).toContain('cannot run "no-such-command"');
  });
});
