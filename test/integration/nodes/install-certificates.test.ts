import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../../../local/child-process';
import { createAuthority } from '../../../local/etcd/certificates';
import type { CertificateSet, LocalNode, LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import type { SetFiles } from '../../../local/nodes/certificate-set';
import { packSet, setOf } from '../../../local/nodes/certificate-set';
import { newAuthorities } from '../../../local/nodes/pki';
import { startWriter } from '../../support/steady-writer';
import { CertifiedNode } from './certified-node';

// On three real members, each with an API server and managers that only pretend.
jest.setTimeout(180_000);

let nodes: LocalNodes;
let all: readonly CertifiedNode[];
let on: CertifiedNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ certificates: 'whole' });
  all = nodes.nodes.map((node) => new CertifiedNode(node));
  on = all[0]!;
});
afterEach(() => nodes.nodes.forEach((node) => node.heal()));
afterAll(() => nodes.stop());

const MANAGERS = ['kube-controller-manager', 'kube-scheduler'] as const;
const pidsOf = (node: LocalNode, pods: readonly Parameters<LocalNode['pid']>[0][]) => pods.map((pod) => node.pid(pod));
const portOf = (url: string): number => Number(new URL(url).port);
const records = (node: CertifiedNode): string[] => {
  const folder = path.join(node.node.tree.stateDir, 'certificates');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'installed') : [];
};
/** Managers have run for so long that a document finds them steady. */
async function managersRun({ node }: CertifiedNode): Promise<void> {
  await waitUntil(`managers run on ${node.name}`, 30_000, () => Promise.resolve(pidsOf(node, MANAGERS).every((pid) => pid !== undefined)));
}

test('whole sets on one node after the other: served at once, nobody restarts but the managers, and no write fails', async () => {
  await Promise.all(all.map(managersRun));
  const stop = startWriter(nodes.endpoints, nodes.credentials, 'during-install/');

  for (const node of all) {
    const servers = pidsOf(node.node, ['etcd', 'kube-apiserver']);
    const managers = pidsOf(node.node, MANAGERS);
    const modes = Object.values(node.tree()).map((each) => each.split(' ')[0]);
    const set = node.node.issuer.issue();

    const done = await node.install(set);

    expect(done).toMatchObject({ was: 'absent', restarted: MANAGERS, kubelet: 'refers' });
    expect(done.changed).toHaveLength(11);
    for (const [file, text] of Object.entries(set.files)) expect(node.read(file.replace('kubeconfigs/', ''))).toBe(text);
    expect(Object.values(node.tree()).map((each) => each.split(' ')[0])).toEqual(modes);
    expect(done.served).toEqual([
      { port: portOf(node.node.apiUrl), sha256: node.fingerprintOf('apiserver') },
      { port: portOf(node.node.clientUrl), sha256: node.fingerprintOf('etcd/server') },
      { port: portOf(node.node.peerUrl), sha256: node.fingerprintOf('etcd/peer') },
    ]);
    expect(await node.servedByApi()).toBe(node.fingerprintOf('apiserver'));
    expect(await node.servedByEtcd(node.node.clientUrl)).toBe(node.fingerprintOf('etcd/server'));
    expect(pidsOf(node.node, ['etcd', 'kube-apiserver'])).toEqual(servers);
    for (const pid of pidsOf(node.node, MANAGERS)) expect(managers).not.toContain(pid);
  }

  const { written, failed } = await stop();
  expect(written.length).toBeGreaterThan(50);
  expect(failed).toBe(0);
});

/** What is put in place without a restart of anything. */
const withoutManagers = (): SetFiles => on.node.issuer.files({ leaves: ['apiserver', 'etcd/peer'], kubeconfigs: ['admin.conf'] });
const quick = (): CertificateSet => packSet(withoutManagers());

test('the same version again changes nothing, and asks AWS for nothing', async () => {
  const version = on.offer(quick());
  await on.do('install-certificates', version);
  const before = on.tree();
  on.node.breakProgram('aws', 'exit 9');

  expect(await on.do('install-certificates', version)).toMatchObject({ was: 'installed', changed: [], restarted: [] });
  expect(on.tree()).toEqual(before);
});

test('what somebody else wrote in between is replaced by the same version', async () => {
  const version = on.offer(quick());
  await on.do('install-certificates', version);
  const before = on.tree();
  const other = on.node.issuer.files({ leaves: ['etcd/peer'], kubeconfigs: [] });
  for (const [file, text] of Object.entries(other)) writeFileSync(on.file(file), text);

  expect(await on.do('install-certificates', version)).toMatchObject({ was: 'absent', changed: ['etcd/peer'] });
  expect(on.tree()).toEqual(before);
});

test('only what differs is replaced, and nothing is restarted for it', async () => {
  const files = withoutManagers();
  await on.install(packSet(files));
  const inode = statSync(on.file('pki/apiserver.crt')).ino;
  const managers = pidsOf(on.node, MANAGERS);

  const done = await on.install(packSet({ ...files, ...on.node.issuer.files({ leaves: ['etcd/peer'], kubeconfigs: ['admin.conf'] }) }));

  expect(done).toMatchObject({ changed: ['etcd/peer', 'admin.conf'], restarted: [] });
  expect(statSync(on.file('pki/apiserver.crt')).ino).toBe(inode);
  expect(pidsOf(on.node, MANAGERS)).toEqual(managers);
});

test('the previous are put back as they were, and what was not there goes again', async () => {
  const superAdmin = on.read('super-admin.conf');
  rmSync(on.file('super-admin.conf'));
  const before = on.tree();
  const version = on.offer(on.node.issuer.issue({ kubeconfigs: ['super-admin.conf', 'scheduler.conf'] }));
  await on.do('install-certificates', version);
  expect(Object.keys(on.tree())).toContain('super-admin.conf');

  const back = await on.do('previous-certificates', version);

  expect(back).toMatchObject({ was: 'installed', restarted: ['kube-scheduler'] });
  expect(back.changed).toHaveLength(9);
  expect(on.tree()).toEqual(before);
  expect(await on.servedByApi()).toBe(on.fingerprintOf('apiserver'));
  expect(await on.do('previous-certificates', version)).toMatchObject({ was: 'not-installed', changed: [] });
  expect(on.tree()).toEqual(before);
  // The other tests find what kubeadm left.
  writeFileSync(on.file('super-admin.conf'), superAdmin, { mode: 0o600 });
});

test('only the set that was installed last is taken back', async () => {
  const first = on.offer(quick());
  await on.do('install-certificates', first);
  const between = on.tree();
  const second = on.offer(quick());
  await on.do('install-certificates', second);

  expect(await on.do('previous-certificates', first)).toMatchObject({ was: 'not-installed' });
  await on.do('previous-certificates', second);

  expect(on.tree()).toEqual(between);
  expect((await on.do('certificate-facts')).installed).toBe(first['secretVersion']);
  expect(await on.do('previous-certificates', first)).toMatchObject({ was: 'installed' });
});

test('copies of the last two sets are kept, for root alone, and nothing of those before', async () => {
  for (let count = 0; count < 3; count++) await on.install(on.node.issuer.issue({ leaves: ['front-proxy-client'], kubeconfigs: [] }));

  const folder = path.join(on.node.tree.stateDir, 'certificates');
  expect(records(on)).toHaveLength(2);
  for (const record of records(on)) {
    expect(statSync(path.join(folder, record)).mode & 0o777).toBe(0o700);
    expect(existsSync(path.join(folder, record, 'new'))).toBe(false);
    expect(statSync(path.join(folder, record, 'previous/pki/front-proxy-client.key')).mode & 0o777).toBe(0o600);
  }
});

test('a file that is a link stays one, and what it leads to is replaced', async () => {
  const target = path.join(on.node.tree.folder, 'front-proxy-client-of-somebody.crt');
  renameSync(on.file('pki/front-proxy-client.crt'), target);
  symlinkSync(target, on.file('pki/front-proxy-client.crt'));
  const set = on.node.issuer.issue({ leaves: ['front-proxy-client'], kubeconfigs: [] });

  await on.install(set);

  expect(lstatSync(on.file('pki/front-proxy-client.crt')).isSymbolicLink()).toBe(true);
  expect(on.read('pki/front-proxy-client.crt')).toBe(set.files['pki/front-proxy-client.crt']);
  expect(readdirSync(on.node.tree.folder).filter((name) => name.startsWith('.lifeboat-'))).toEqual([]);
});

describe('sets that are refused before anything is touched', () => {
  const filesOf = (options = {}): SetFiles =>
    on.node.issuer.files({ leaves: ['apiserver', 'etcd/peer'], kubeconfigs: ['scheduler.conf'], ...options });
  const day = 86_400_000;
  const expired = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
  /** Whatever tar can be told to put into an archive. */
  const packed = (script: string): CertificateSet => {
    const folder = mkdtempSync(path.join(nodes.folder, 'packed-'));
    return setOf(execFileSync('bash', ['-ec', script], { cwd: folder, input: packSet(filesOf()).archive }));
  };

  test.each<[sentence: string, set: () => CertificateSet, error: string, message: string]>([
    [
      'a key of another certificate',
      () => packSet({ ...filesOf(), 'pki/apiserver.key': filesOf()['pki/etcd/peer.key']! }),
      'SetUnfit',
      'the key of apiserver is not that of its certificate',
    ],
    ['half a pair', () => packSet({ 'pki/apiserver.crt': filesOf()['pki/apiserver.crt']! }), 'SetUnfit', 'apiserver has only one half'],
    [
      'a certificate of another authority',
      () => packSet(filesOf({ authorities: newAuthorities() })),
      'SetUnfit',
      'pki/apiserver.crt is not good by',
    ],
    ['certificates that have expired', () => packSet(filesOf(expired)), 'SetUnfit', 'certificate has expired'],
    ['a client certificate where a server’s belongs', () => packSet({ ...filesOf(), ...clientAsServer() }), 'SetUnfit', 'as sslserver'],
    [
      'a kubeconfig with a foreign key',
      () => packSet({ 'kubeconfigs/scheduler.conf': foreignKey() }),
      'SetUnfit',
      'the key in scheduler.conf',
    ],
    ['a kubeconfig without a certificate', () => packSet({ 'kubeconfigs/admin.conf': 'users: []\n' }), 'SetUnfit', 'holds no certificate'],
    ['the key of service accounts alone', () => packSet({ ...filesOf(), 'pki/sa.key': 'x' }), 'SetUnfit', 'sa.key is in this set without'],
    ['the key of an authority alone', () => packSet({ ...filesOf(), 'pki/ca.key': 'x' }), 'SetUnfit', 'ca.key is in this set without'],
    ['a name that is unknown', () => packSet({ ...filesOf(), 'manifests/etcd.yaml': 'x' }), 'SetNotAccepted', '"manifests/etcd.yaml"'],
    ['an absolute path', () => packed('echo x >f; tar -czPf - --transform "s|f|/tmp/f|" f'), 'SetNotAccepted', '"/tmp/f"'],
    ['a path that leads out', () => packed('echo x >f; tar -czPf - --transform "s|f|../f|" f'), 'SetNotAccepted', '"../f"'],
    ['a link', () => packed('mkdir pki; ln -s /etc/passwd pki/apiserver.crt; tar -czf - pki/apiserver.crt'), 'SetNotAccepted', 'links'],
    [
      'a hard link',
      () => packed('tar -xz; ln pki/apiserver.key pki/front-proxy-client.key; tar -czf - pki/apiserver.key pki/front-proxy-client.key'),
      'SetNotAccepted',
      'links',
    ],
    ['a file twice', () => packed('tar -xz; tar -czf - pki/apiserver.key pki/apiserver.key --hard-dereference'), 'SetNotAccepted', 'twice'],
    ['no archive at all', () => setOf(Buffer.from('nonsense')), 'SetNotAccepted', 'not a tar.gz'],
    ['another archive than was meant', () => ({ ...packSet(filesOf()), sha256: '0'.repeat(64) }), 'SetDiffers', '0000'],
  ])('%s', async (_sentence, setFor, error, message) => {
    const before = on.tree();
    const kept = records(on);

    const outcome = await on.run('install-certificates', on.offer(setFor()));

    expect(outcome.result).toMatchObject({ error, message: expect.stringContaining(message) as string });
    expect(on.tree()).toEqual(before);
    expect(
      records(on)
        .filter((record) => !kept.includes(record))
        .flatMap((record) => readdirSync(path.join(on.node.tree.stateDir, 'certificates', record))),
    ).not.toContain('previous');
    expect(outcome.stdout + outcome.stderr).not.toContain('PRIVATE KEY');
  });

  function clientAsServer(): SetFiles {
    const files = on.node.issuer.files({ leaves: ['apiserver-kubelet-client'], kubeconfigs: [] });
    return {
      'pki/apiserver.crt': files['pki/apiserver-kubelet-client.crt']!,
      'pki/apiserver.key': files['pki/apiserver-kubelet-client.key']!,
    };
  }
  function foreignKey(): string {
    const [one, two] = [filesOf(), filesOf()].map((files) => files['kubeconfigs/scheduler.conf']!);
    return one!.replace(/client-key-data: \S+/, /client-key-data: \S+/.exec(two!)![0]);
  }

  test('a version that is not there is refused by the words of AWS', async () => {
    on.node.breakProgram('aws', 'echo "An error occurred (ResourceNotFoundException): no such version" >&2; exit 254');

    expect(await on.refusal('install-certificates', { secretVersion: 'f'.repeat(32), setSha256: '0'.repeat(64) })).toMatchObject({
      error: 'SecretRefused',
      message: expect.stringContaining('ResourceNotFoundException') as string,
    });
  });

  test('too little room', async () => {
    const version = on.offer(on.node.issuer.issue());
    on.node.breakProgram('df', 'echo Avail; echo 1000');

    expect(await on.refusal('install-certificates', version)).toMatchObject({ error: 'NoSpace' });
  });
});

describe('sets that are not served', () => {
  // On a node of their own: a kubelet waits the longer the more often a pod has ended.
  let first: CertifiedNode;
  beforeAll(() => {
    first = on;
    on = all[1]!;
  });
  afterAll(() => {
    on = first;
  });

  /** controller-manager trusts somebody else than this node’s API server by it, and ends. */
  const unusable = (): CertificateSet => {
    const text = on.node.issuer.files({ leaves: [], kubeconfigs: ['controller-manager.conf'] })['kubeconfigs/controller-manager.conf']!;
    const other = Buffer.from(createAuthority('kubernetes').cert).toString('base64');
    return packSet({
      ...on.node.issuer.files({ leaves: ['etcd/server'], kubeconfigs: [] }),
      'kubeconfigs/controller-manager.conf': text.replace(/certificate-authority-data: \S+/, `certificate-authority-data: ${other}`),
    });
  };

  test('a manager that ends by its new kubeconfig: everything goes back by itself', async () => {
    await managersRun(on);
    const before = on.tree();
    const version = on.offer(unusable());

    const refusal = await on.refusal('install-certificates', { ...version, waitSeconds: '6' });

    expect(refusal).toMatchObject({
      error: 'CertificatesNotServed',
      message: expect.stringContaining('kube-controller-manager') as string,
    });
    expect(on.tree()).toEqual(before);
    expect(await on.servedByEtcd(on.node.clientUrl)).toBe(on.fingerprintOf('etcd/server'));
    expect(records(on)).not.toContain(version['secretVersion']);
    expect(on.node.pid('kube-controller-manager')).toBeDefined();
  });

  test('where the previous are not served either, that is said, and previous-certificates ends it', async () => {
    await managersRun(on);
    const before = on.tree();
    const version = on.offer(on.node.issuer.issue({ leaves: ['etcd/server'], kubeconfigs: ['scheduler.conf'] }));
    on.node.pauseKubelet();
    try {
      expect(await on.refusal('install-certificates', { ...version, waitSeconds: '1' })).toMatchObject({ error: 'CertificatesUnclear' });
    } finally {
      on.node.resumeKubelet();
    }
    expect(on.tree()).toEqual(before);
    const other = on.offer(on.node.issuer.issue({ leaves: ['etcd/server'], kubeconfigs: [] }));
    expect(await on.refusal('install-certificates', other)).toMatchObject({ error: 'CertificatesInProgress' });

    expect(await on.do('previous-certificates', version)).toMatchObject({ was: 'interrupted', restarted: ['kube-scheduler'] });
    expect(records(on)).not.toContain(version['secretVersion']);
  });
});

describe('kubelet.conf', () => {
  let before: string;
  let current: string;
  const embedding = (): string => on.node.issuer.files({ leaves: [], kubeconfigs: ['kubelet.conf'] })['kubeconfigs/kubelet.conf']!;
  const someSet = (kubelet = true): CertificateSet =>
    on.node.issuer.issue({ leaves: ['front-proxy-client'], kubeconfigs: kubelet ? ['kubelet.conf'] : [] });
  beforeEach(() => {
    before = on.read('kubelet.conf');
    current = path.join(on.node.tree.kubeletDir, 'pki/kubelet-client-current.pem');
  });
  afterEach(() => {
    writeFileSync(on.file('kubelet.conf'), before);
    if (existsSync(`${current}.away`)) renameSync(`${current}.away`, current);
  });

  test('names what the kubelet renews: is left alone', async () => {
    expect(await on.install(someSet())).toMatchObject({ kubelet: 'refers', changed: ['front-proxy-client'] });
    expect(on.read('kubelet.conf')).toBe(before);
  });

  test('holds its first certificate: names afterwards what the kubelet renews', async () => {
    writeFileSync(on.file('kubelet.conf'), embedding());

    expect(await on.install(someSet())).toMatchObject({ kubelet: 'rewritten', changed: ['front-proxy-client', 'kubelet.conf'] });

    expect(on.read('kubelet.conf')).toMatch(new RegExp(`client-certificate: ${current}\n *client-key: ${current}\n`));
    expect(await on.do('certificate-facts')).toMatchObject({ kubelet: 'refers', pairs: { 'kubelet.conf': 'matches' } });
  });

  test('holds its first certificate and the kubelet has no other: is the one of the set', async () => {
    renameSync(current, `${current}.away`);
    writeFileSync(on.file('kubelet.conf'), embedding());
    const set = someSet();

    expect(await on.install(set)).toMatchObject({ kubelet: 'replaced' });
    expect(on.read('kubelet.conf')).toBe(set.files['kubeconfigs/kubelet.conf']);
  });

  test('holds its first certificate and there is nothing else: is left, and that is told', async () => {
    renameSync(current, `${current}.away`);
    writeFileSync(on.file('kubelet.conf'), embedding());

    expect(await on.install(someSet(false))).toMatchObject({ kubelet: 'left', changed: ['front-proxy-client'] });
  });
});

test('a cluster that was off until all its certificates had expired gets its new ones node by node', async () => {
  const day = 86_400_000;
  const expired = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
  await Promise.all(
    all.map(async (node) => {
      for (const [file, text] of Object.entries(node.node.issuer.files(expired)))
        writeFileSync(node.file(file.replace('kubeconfigs/', '')), text);
      await node.node.reboot();
    }),
  );

  for (const node of all) expect(await node.install(node.node.issuer.issue())).toMatchObject({ was: 'absent' });

  await Promise.all(nodes.nodes.map(async (node) => Promise.all([node.ready(), node.apiserverReady()])));
  for (const node of all) {
    await managersRun(node);
    expect(await node.servedByApi()).toBe(node.fingerprintOf('apiserver'));
  }
});
