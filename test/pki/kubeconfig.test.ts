import { parse, stringify } from 'yaml';
import { KubeconfigUnreadable } from '../../lambdas/pki/errors';
import { printKubeconfig, readKubeconfig } from '../../lambdas/pki/kubeconfig';
import { authority, leafOf } from './pki-world';

const by = authority('cluster');
const ca = by.cert + authority('cluster', 2).cert;
const { cert, key } = leafOf('admin.conf', by);
const content = { ca, cert, key, server: 'https://api.example.com:6443', cluster: 'kubernetes', user: 'kubernetes-admin' };
const written = printKubeconfig(content);
const inside = (pem: string) => ({ in: 'kubeconfig', pem });

type Shape = Record<string, unknown> & { clusters: { cluster: object }[]; users: { user: object | null }[]; contexts: object[] };
const changed = (change: (config: Shape) => void): string => {
  const config = parse(written) as Shape;
  change(config);
  return stringify(config);
};

test('a kubeconfig is read as it was written', () => {
  expect(readKubeconfig(written)).toEqual({
    context: 'kubernetes-admin@kubernetes',
    cluster: 'kubernetes',
    user: 'kubernetes-admin',
    server: 'https://api.example.com:6443',
    ca: inside(ca),
    cert: inside(cert),
    key: inside(key),
  });
});

test('it has the fields of kubeadm in the order of client-go, and one line for each', () => {
  const shape = written.replaceAll(/[A-Za-z0-9+/]{100,}={0,2}/g, 'DATA');

  expect(shape).toBe(`apiVersion: v1
clusters:
  - cluster:
      certificate-authority-data: DATA
      server: https://api.example.com:6443
    name: kubernetes
contexts:
  - context:
      cluster: kubernetes
      user: kubernetes-admin
    name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
users:
  - name: kubernetes-admin
    user:
      client-certificate-data: DATA
      client-key-data: DATA
`);
});

test.each(['true', '1234', 'a: b', '# x', '"', "it's", '*x', 'null', 'ünï'])('a name such as %s stays a name', (name) => {
  const read = readKubeconfig(printKubeconfig({ ...content, cluster: name, user: name, context: name }));

  expect(read).toMatchObject({ cluster: name, user: name, context: name });
});

test('what is in files is told by their paths, as in the kubelet.conf of a node', () => {
  const file = '/var/lib/kubelet/pki/kubelet-client-current.pem';
  const text = changed((config) => {
    config.users[0]!.user = { 'client-certificate': file, 'client-key': file };
    config.clusters[0]!.cluster = { server: 'https://x', 'certificate-authority': '/etc/kubernetes/pki/ca.crt' };
  });

  expect(readKubeconfig(text)).toMatchObject({
    ca: { in: 'file', path: '/etc/kubernetes/pki/ca.crt' },
    cert: { in: 'file', path: file },
    key: { in: 'file', path: file },
  });
});

test('what is inside wins over a file, as in client-go', () => {
  const text = changed((config) => Object.assign(config.users[0]!.user!, { 'client-key': '/old.key' }));

  expect(readKubeconfig(text).key).toEqual(inside(key));
});

test.each([null, { token: 'x' }])('a user with %j has no certificate', (user) => {
  expect(readKubeconfig(changed((config) => (config.users[0]!.user = user)))).toMatchObject({ cert: undefined, key: undefined });
});

test('base64 in several lines is read, and what is empty is not there', () => {
  const text = changed((config) => {
    const lines = Buffer.from(key)
      .toString('base64')
      .match(/.{1,76}/g)!
      .join('\n');
    config.users[0]!.user = { 'client-key-data': lines, 'client-certificate-data': '', 'client-certificate': '' };
  });

  expect(readKubeconfig(text)).toMatchObject({ key: inside(key), cert: undefined });
});

test('JSON is a kubeconfig too', () => {
  expect(readKubeconfig(JSON.stringify(parse(written)))).toEqual(readKubeconfig(written));
});

test.each<[string, string, RegExp]>([
  ['is empty', '', /the whole is missing/],
  ['is a list', '[]', /the whole/],
  ['is no YAML', written.replace('client-key-data: ', 'client-key-data: {'), /admin\.conf is not YAML: see line \d+/],
  ['has a key twice', `${written}kind: Config\n`, /not YAML: see line/],
  ['has no current context', changed((config) => delete config['current-context']), /current-context is missing/],
  ['leads to no context', changed((config) => (config.contexts = [])), /no context "kubernetes-admin@kubernetes"/],
  ['leads to no user', changed((config) => (config.users = [])), /no user "kubernetes-admin"/],
  ['leads to no cluster', changed((config) => (config.clusters = [])), /no cluster "kubernetes"/],
  ['has no server', changed((config) => (config.clusters[0]!.cluster = {})), /clusters\.0\.cluster\.server is missing/],
  [
    'has a key that is no base64',
    written.replace('client-key-data: ', 'client-key-data: "secret words" #'),
    /users\.0\.user\.client-key-data is missing or of another kind/,
  ],
])('a kubeconfig that %s is refused without a word of what is in it', (_sentence, text, message) => {
  let error: unknown;
  try {
    readKubeconfig(text, 'admin.conf');
  } catch (thrown) {
    error = thrown;
  }

  expect(error).toBeInstanceOf(KubeconfigUnreadable);
  const { message: said, stack = '', cause } = error as Error;
  expect(said).toMatch(message);
  expect(`${said}${stack}${JSON.stringify(cause)}`).not.toMatch(/[A-Za-z0-9+/]{60}|secret words/);
});
