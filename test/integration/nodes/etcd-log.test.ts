import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { acceptableAuthorities } from '../../../lambdas/ports/acceptable-authorities';
import { createAuthority, issueCertificate } from '../../../local/etcd/certificates';
import type { Certificate } from '../../../local/etcd/certificates';
import { isHealthy } from '../../../local/etcd/member';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import type { EtcdRelease } from '../../../local/tools';
import { CertifiedNode } from './certified-node';

// Whom a real etcd refuses, as its own log tells it, in each way in which a log is kept.
jest.setTimeout(120_000);

describe.each<EtcdRelease>(['3.5', '3.6'])('etcd %s', (release) => {
  let nodes: LocalNodes;
  let on: CertifiedNode;
  let probed: { readonly facts: Awaited<ReturnType<typeof facts>>; readonly log: string };
  let since: number;
  const log = () => path.join(on.node.tree.logDir, 'etcd.log');
  const podLog = (name: string) => path.join(on.node.tree.podLogDir, 'kube-system_etcd-local_0/etcd', name);
  const facts = async (change = {}) => (await on.do('certificate-facts', change)).etcdRefused;
  const write = (name: string, text: string) => writeFileSync(path.join(on.node.tree.folder, name), text);
  /** Asks as curl does; whoever is refused is no error here. */
  const curl = (url: string, pair: Certificate, ...more: string[]) => {
    write('client.crt', pair.cert);
    write('client.key', pair.key);
    const folder = on.node.tree.folder;
    const args = [
      '-q',
      '-s',
      '--max-time',
      '5',
      '--cert',
      `${folder}/client.crt`,
      '--key',
      `${folder}/client.key`,
      ...more,
      `${url}/health`,
    ];
    spawnSync('curl', args);
  };
  const known = () => ({ cert: on.read('pki/etcd/healthcheck-client.crt'), key: on.read('pki/etcd/healthcheck-client.key') });
  const stranger = () => issueCertificate(createAuthority('another'), { commonName: 'another', usage: 'client' });

  beforeAll(async () => {
    nodes = await startLocalNodes({ count: 1, certificates: 'whole', release });
    on = new CertifiedNode(nodes.nodes[0]!);
    await probe();
    probed = { facts: await facts(), log: readFileSync(log(), 'utf8') };
    since = Math.floor(Date.now() / 1_000);
    refuse();
  });
  afterAll(() => nodes.stop());

  const probe = async () => {
    for (const url of [on.node.clientUrl, on.node.peerUrl]) {
      const { hostname, port } = new URL(url);
      await acceptableAuthorities({ host: hostname, port: Number(port) });
      for (const version of ['-tls1_2', '-tls1_3'])
        spawnSync('openssl', ['s_client', version, '-connect', `${hostname}:${port}`], { input: '' });
      execFileSync('bash', ['-c', `exec 3<>/dev/tcp/${hostname}/${port}`]);
    }
    await isHealthy(on.node.clientUrl, nodes.credentials);
  };
  const refuse = () => {
    write('another.crt', createAuthority('another').cert);
    const trusts = ['--cacert', path.join(on.node.tree.folder, 'another.crt')];
    curl(on.node.clientUrl, stranger(), '-k');
    curl(on.node.clientUrl, stranger(), '-k');
    curl(on.node.peerUrl, stranger(), '-k');
    curl(on.node.clientUrl, known(), ...trusts);
    curl(on.node.peerUrl, known(), ...trusts, '--tls-max', '1.2');
  };

  test('tells nobody as long as probes alone look at it', () => {
    expect(probed.log.match(/rejected connection on (client|peer) endpoint/g)?.length).toBeGreaterThanOrEqual(4);
    expect(probed.facts).toEqual({ refused: [], more: 0 });
  });

  test('tells whom it refuses and who refuses it, at which port, how often and when', async () => {
    const { refused = [], more } = (await facts()) ?? {};

    expect(more).toBe(0);
    expect(refused.map(({ port, times, error }) => `${port} ${times} ${error}`)).toEqual([
      'peer 1 remote error: tls: unknown certificate authority',
      'client 1 local error: tls: bad record MAC',
      'peer 1 tls: failed to verify certificate: x509: certificate signed by unknown authority',
      'client 2 tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ]);
    for (const { address, firstAt, lastAt } of refused) {
      expect(address).toMatch(/^127\./);
      expect(firstAt).toBeGreaterThanOrEqual(since);
      expect(lastAt).toBeLessThanOrEqual(Date.now() / 1_000);
    }
  });

  describe('whose log', () => {
    const lines = () => readFileSync(log(), 'utf8').trimEnd().split('\n');
    let before: Awaited<ReturnType<typeof facts>>;
    beforeEach(async () => {
      before = await facts();
      expect(before?.refused).toHaveLength(4);
    });
    afterEach(() => {
      rmSync(podLog('.'), { recursive: true, force: true });
      mkdirSync(podLog('.'), { recursive: true });
      symlinkSync(log(), podLog('0.log'));
    });
    const kept = (files: Readonly<Record<string, readonly string[]>>) => {
      rmSync(podLog('0.log'));
      for (const [name, text] of Object.entries(files)) writeFileSync(podLog(name), text.map((line) => `${line}\n`).join(''));
    };
    const timeOf = (line: string): string => /"ts":"([^"]+)"/.exec(line)?.[1] ?? '2026-11-27T00:00:00.000000Z';

    test.each<[string, (line: string) => string]>([
      ['containerd keeps', (line) => `${timeOf(line).replace('Z', '789+00:00')} stderr F ${line}`],
      ['Docker keeps', (line) => JSON.stringify({ log: `${line}\n`, stream: 'stderr', time: timeOf(line) })],
    ])('%s tells the same', async (_sentence, as) => {
      kept({ '3.log': lines().map(as) });

      expect(await facts()).toEqual(before);
    });

    test('the kubelet turned over, or of the container before, is read with the present one, in their order', async () => {
      const all = lines();
      kept({ '0.log': all.slice(0, -4), '1.log': all.slice(-4, -2), '1.log.20261127-180000': all.slice(-2) });

      const told = await facts();

      expect(told?.refused.map(({ times }) => times).sort()).toEqual(before?.refused.map(({ times }) => times).sort());
    });

    test('tells of nobody else than the last eight, and how many more there are', async () => {
      const one = lines().filter((line) => line.includes('x509'))[0]!;
      const others = Array.from({ length: 20 }, (_, index) => one.replace(/"remote-addr":"[^"]+"/, `"remote-addr":"10.0.0.${index}:4711"`));
      kept({ '0.log': others });

      const { refused = [], more } = (await facts()) ?? {};

      expect(more).toBe(12);
      expect(refused.map(({ address }) => address)).toEqual(Array.from({ length: 8 }, (_, index) => `10.0.0.${19 - index}`));
    });

    test('is long is read from its end', async () => {
      const [one = ''] = lines().filter((line) => line.includes('x509'));
      const filler = Array.from({ length: 30_000 }, () => one.replace('rejected connection', 'x'.repeat(100)));
      kept({ '0.log': [one, ...filler] });

      expect(await facts()).toEqual({ refused: [], more: 0 });
    });

    test('is of an early release, without the port, tells that it does not know', async () => {
      kept({ '0.log': lines().map((line) => line.replace(/rejected connection on \w+ endpoint/, 'rejected connection')) });

      expect(new Set((await facts())?.refused.map(({ port }) => port))).toEqual(new Set(['unknown']));
    });

    test('says more of an error, or quotes in it, tells one reason all the same', async () => {
      const more = ['2026-11-27T18:00:00Z', '2026-11-27T18:00:01Z'].map((time) => `: current time ${time} is after \\"then\\"`);
      const because = 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
      const [one = ''] = lines().filter((line) => line.includes('x509'));
      kept({ '0.log': more.map((text) => one.replace(/"error":"[^"]+"/, `"error":"${because}${text}"`)) });

      expect((await facts())?.refused).toMatchObject([{ times: 2, error: because }]);
    });

    test('is another file is found by the flag that names it', async () => {
      const manifest = path.join(on.node.tree.manifestDir, 'etcd.yaml');
      const folder = path.join(on.node.tree.folder, 'manifests');
      mkdirSync(folder, { recursive: true });
      const text = readFileSync(manifest, 'utf8').replace(
        '    - --name=',
        `    - --log-outputs=${on.node.tree.pkiDir}/etcd/etcd.log\n    - --name=`,
      );
      writeFileSync(path.join(folder, 'etcd.yaml'), text);
      writeFileSync(
        path.join(on.node.tree.pkiDir, 'etcd/etcd.log'),
        lines()
          .filter((line) => line.includes('x509'))
          .join('\n'),
      );

      expect((await facts({ manifestDir: folder }))?.refused).toHaveLength(2);
      rmSync(path.join(on.node.tree.pkiDir, 'etcd/etcd.log'));
    });

    test.each([
      ['is read where systemd runs etcd', () => before, ''],
      ['that is empty tells that there is none', () => null, 'exit 0'],
    ])('of the journal %s', async (_sentence, told, first) => {
      const empty = path.join(on.node.tree.folder, 'no-manifests');
      mkdirSync(empty, { recursive: true });
      on.node.breakProgram(
        'systemctl',
        `case "$*" in *LoadState*) echo loaded ;; *ExecStart*) echo "{ argv[]=/usr/bin/etcd --name=x ; ignore_errors=no }" ;; *is-enabled*) echo enabled ;; *) echo ;; esac`,
      );
      on.node.breakProgram('journalctl', `${first}\n[ "$1 $2" = "--unit=etcd.service --output=cat" ] && tail -n "\${5#--lines=}" ${log()}`);

      expect(await facts({ manifestDir: empty })).toEqual(told());
      for (const program of ['systemctl', 'journalctl']) on.node.breakProgram(program);
    });

    test('is nowhere tells that', async () => {
      expect(await facts({ podLogDir: path.join(on.node.tree.folder, 'nowhere') })).toBeNull();
    });
  });
});
