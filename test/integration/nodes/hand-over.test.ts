import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { LocalCloud } from '../../../local/cloud';
import { startLocalCloud } from '../../../local/cloud';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import { CertifiedNode, filesIn } from './certified-node';

jest.setTimeout(120_000);

const SECRET = 'lifeboat/demo/pki/nodes/i-1';
const Value = z.strictObject({ version: z.literal(1), archive: z.base64() });
let cloud: LocalCloud;
let nodes: LocalNodes;
let on: CertifiedNode;
let secrets: SecretsManagerClient;
beforeAll(async () => {
  cloud = await startLocalCloud();
  nodes = await startLocalNodes({ count: 1, certificates: 'whole', cloud });
  on = new CertifiedNode(nodes.nodes[0]!);
  secrets = new SecretsManagerClient(cloud.clientConfig());
  await secrets.send(new CreateSecretCommand({ Name: SECRET }));
});
afterEach(() => on.node.heal());
afterAll(async () => {
  secrets.destroy();
  await nodes.stop();
  await cloud.stop();
});

const handOver = () => on.do('hand-over', { secretId: SECRET });
async function secretOf(versionId: string): Promise<{ readonly text: string; readonly archive: Buffer }> {
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: SECRET, VersionId: versionId }));
  return { text: SecretString, archive: Buffer.from(Value.parse(JSON.parse(SecretString)).archive, 'base64') };
}
test('the authorities and their keys are in the secret of the node, and nowhere else', async () => {
  const outcome = await on.run('hand-over', { secretId: SECRET });
  const { authorities, versionId, archiveSha256, bytes } = outcome.result as Awaited<ReturnType<typeof handOver>>;

  expect(authorities).toEqual(['ca', 'etcd/ca', 'front-proxy-ca', 'sa'].map((name) => ({ name, key: true })));
  const { text, archive } = await secretOf(versionId);
  expect(createHash('sha256').update(archive).digest('hex')).toBe(archiveSha256);
  expect(text).toHaveLength(bytes);
  const files = filesIn(archive);
  expect(Object.keys(files)).toHaveLength(8);
  for (const [name, content] of Object.entries(files)) expect(content).toBe(on.read(name));
  expect(outcome.stdout + outcome.stderr).not.toContain('PRIVATE KEY');
  expect(on.leftovers()).toEqual([]);
});

test('handed over again, after it was taken and emptied, it is there again', async () => {
  const first = await handOver();
  await secrets.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: 'nothing' }));

  const second = await handOver();

  expect(second).toEqual({ ...first, versionId: second.versionId });
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: SECRET }));
  expect(SecretString).toBe((await secretOf(second.versionId)).text);
});

test('the value lies in a file for root alone while it is sent', async () => {
  const seen = path.join(on.node.tree.folder, 'seen');
  on.node.breakProgram(
    'aws',
    `file=\${@: -1}; file=\${file#file://}; stat -c %a "$file" "$(dirname "$file")" >${seen}; printf '%s\\n' "$@" >${seen}.words; echo v`,
  );

  await handOver();

  expect(readFileSync(seen, 'utf8')).toBe('600\n700\n');
  expect(readFileSync(`${seen}.words`, 'utf8')).not.toMatch(/[A-Za-z0-9+/=]{80,}/);
});

test('a role that may not write the secret is told so by the words of AWS, without the value', async () => {
  on.node.breakProgram(
    'aws',
    `cat "\${@: -1}" 2>/dev/null; f=\${@: -1}; echo "An error occurred (AccessDeniedException): $(cat "\${f#file://}")" >&2; exit 254`,
  );

  const outcome = await on.run('hand-over', { secretId: SECRET });

  expect(outcome.result).toMatchObject({ error: 'SecretRefused', message: expect.stringContaining('AccessDeniedException') as string });
  expect(outcome.stdout + outcome.stderr).not.toMatch(/[A-Za-z0-9+/]{80,}/);
  expect(on.leftovers()).toEqual([]);
});

test('a secret that is not there is refused by AWS', async () => {
  expect(await on.refusal('hand-over', { secretId: 'lifeboat/demo/none' })).toMatchObject({
    error: 'SecretRefused',
    message: expect.stringContaining('ResourceNotFoundException') as string,
  });
});

test('a document that was killed while it sent leaves nothing behind the next one', async () => {
  on.node.breakProgram('aws', 'kill -9 $PPID');
  await on.run('hand-over', { secretId: SECRET });
  expect(on.leftovers()).toHaveLength(1);
  on.node.heal();

  await handOver();

  expect(on.leftovers()).toEqual([]);
});

test('without the command line of AWS, and without any authority, nothing is sent', async () => {
  const nowhere = path.join(on.node.tree.folder, 'nowhere');
  expect(await on.refusal('hand-over', { secretId: SECRET, pkiDir: nowhere })).toMatchObject({ error: 'NoAuthorities' });

  on.node.breakProgram('aws');
  expect(await on.refusal('hand-over', { secretId: SECRET })).toMatchObject({ error: 'ToolMissing' });
});

test('an authority whose key is elsewhere goes without it, and so does one with a key that is not its own', async () => {
  const caKey = on.read('pki/etcd/ca.key');
  renameSync(on.file('pki/ca.key'), on.file('pki/ca.key.away'));
  writeFileSync(on.file('pki/etcd/ca.key'), on.read('pki/front-proxy-ca.key'));

  const { authorities, versionId } = await handOver();

  renameSync(on.file('pki/ca.key.away'), on.file('pki/ca.key'));
  writeFileSync(on.file('pki/etcd/ca.key'), caKey);
  expect(authorities.filter(({ key }) => !key).map(({ name }) => name)).toEqual(['ca', 'etcd/ca']);
  expect(Object.keys(filesIn((await secretOf(versionId)).archive))).not.toContain('pki/etcd/ca.key');
});

test('a set that the secret holds is installed by the role of the node', async () => {
  const set = on.node.issuer.issue();
  const { VersionId } = await secrets.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: set.secret }));

  const done = await on.do('install-certificates', { secretId: SECRET, secretVersion: VersionId!, setSha256: set.sha256 });

  expect(done).toMatchObject({ was: 'absent', restarted: ['kube-controller-manager', 'kube-scheduler'], kubelet: 'refers' });
  expect(done.changed).toHaveLength(11);
  expect(on.read('pki/etcd/peer.crt')).toBe(set.files['pki/etcd/peer.crt']);
  expect(statSync(on.file('pki/etcd/peer.key')).mode & 0o777).toBe(0o600);
  expect(on.leftovers()).toEqual([]);
  expect((await on.do('certificate-facts')).installed).toBe(VersionId);
});
