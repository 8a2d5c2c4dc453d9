import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { CertifiedNode } from './certified-node';

// Who was a client of the API server by a certificate, from lines that kube-apiserver 1.37.2 wrote by a policy of level Metadata.
jest.setTimeout(120_000);

const REAL = readFileSync(path.join(__dirname, '../../fixtures/kube-apiserver-1.37.2-audit.log'), 'utf8').trimEnd().split('\n');
const of = (user: string): string[] => REAL.filter((line) => line.includes(`"username":"${user}"`));
const hashIn = (line = ''): string => /X509SHA256=([0-9a-f]{64})/.exec(line)?.[1] ?? '';

let nodes: LocalNodes;
let on: CertifiedNode;
let folder: string;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new CertifiedNode(nodes.nodes[0]!);
  folder = path.join(on.node.tree.folder, 'manifests');
  mkdirSync(folder);
  const text = readFileSync(path.join(on.node.tree.manifestDir, 'kube-apiserver.yaml'), 'utf8');
  const flag = `    - --audit-log-path=${on.node.tree.pkiDir}/audit.log\n`;
  writeFileSync(path.join(folder, 'kube-apiserver.yaml'), text.replace(/ +- --bind-address/, `${flag}$&`));
});
afterAll(() => nodes.stop());

const facts = async (lines: readonly string[]) => {
  writeFileSync(path.join(on.node.tree.pkiDir, 'audit.log'), lines.map((line) => `${line}\n`).join(''));
  return (await on.do('certificate-facts', { manifestDir: folder })).apiClients;
};

test('a user is told by his certificate, with where he was last and when, and kubelets, service accounts and the API server itself are not', async () => {
  expect(await facts(REAL)).toEqual({
    seen: [
      { sha256: hashIn(of('o\\"dd\\\\{}user')[0]), user: 'o?dd?{}user', address: '127.0.0.1', lastAt: 1_795_807_038 },
      { sha256: hashIn(of('jane')[0]), user: 'jane', address: '127.0.0.1', lastAt: 1_795_807_038 },
    ],
    more: 0,
  });
});

test('those of the control plane are looked at themselves', async () => {
  const names = ['system:kube-scheduler', 'system:kube-controller-manager', 'system:apiserver', 'system:node:master-1'];

  expect(await facts(of('jane').flatMap((line) => names.map((name) => line.replace('"jane"', `"${name}"`))))).toEqual({
    seen: [],
    more: 0,
  });
});

test('of many the last ten are told, and how many more there are', async () => {
  const [line = ''] = of('jane');
  const many = Array.from({ length: 13 }, (_, at) => line.replace(hashIn(line), at.toString(16).repeat(64)).replace('jane', `user-${at}`));

  const { seen = [], more } = (await facts([...many, 'half a line {"X509SHA256=', many[3]!])) ?? {};

  expect(more).toBe(3);
  expect(seen.map(({ user }) => user)).toEqual(['user-3', ...Array.from({ length: 9 }, (_, at) => `user-${12 - at}`)]);
});

test('what somebody wrote into an object is no time of the log, and damage hides nobody', async () => {
  const [line = ''] = of('jane');
  const forged = line.replace('"stageTimestamp"', '"requestObject":{"data":{"stageTimestamp":"2026-99-99T99:99Z"}},"stageTimestamp"');
  const late = line.replace(/"stageTimestamp":"[^"]*"/, '"stageTimestamp":"2026-99-99T99:99:99Z"').replace(hashIn(line), '1'.repeat(64));
  const node = line
    .replace(hashIn(line), '2'.repeat(64))
    .replace('"sourceIPs"', '"impersonatedUser":{"username":"system:node:x"},"sourceIPs"');

  expect(await facts(['\0\0\0', forged, late, node])).toMatchObject({
    seen: [
      { sha256: '2'.repeat(64), user: 'jane' },
      { sha256: hashIn(line), lastAt: 1_795_807_038 },
    ],
    more: 0,
  });
});

test('what is no file is not waited for', async () => {
  const place = path.join(on.node.tree.pkiDir, 'audit.log');
  rmSync(place, { force: true });
  execFileSync('mkfifo', [place]);

  expect((await on.do('certificate-facts', { manifestDir: folder })).apiClients).toBeNull();
  rmSync(place);
});

test('without the flag, or without the file, there is no such log', async () => {
  expect((await on.do('certificate-facts')).apiClients).toBeNull();
});
