import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { withSigner } from '../../lambdas/kubernetes/kubeadm-config';

const FILES = { certFile: '/etc/kubernetes/pki/signer/ca.crt', keyFile: '/etc/kubernetes/pki/signer/ca.key' };
const V3 = 'kubeadm.k8s.io/v1beta3';
const V4 = 'kubeadm.k8s.io/v1beta4';
const AS_MAP = { 'cluster-signing-cert-file': FILES.certFile, 'cluster-signing-key-file': FILES.keyFile };
const AS_LIST = Object.entries(AS_MAP).map(([name, value]) => ({ name, value }));

/** As kubeadm 1.37 writes it into its ConfigMap; `manager` is what it says of the controller-manager. */
const written = (version: string, manager = 'controllerManager: {}'): string => `apiServer: {}
apiVersion: ${version}
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
${manager}
dns: {}
etcd:
  local:
    dataDir: /var/lib/etcd
    serverCertSANs:
    - 10.0.1.10
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: v1.37.2
networking:
  dnsDomain: cluster.local
  serviceSubnet: 10.96.0.0/12
proxy: {}
scheduler: {}
`;
const managerOf = (text: string): unknown => (parse(text) as { controllerManager: unknown }).controllerManager;

test('a list of v1beta4 gets both flags, and every other line stays', () => {
  const { text, changed } = withSigner(written(V4), FILES);

  expect(changed).toBe(true);
  expect(text).toBe(
    written(
      V4,
      `controllerManager:
  extraArgs:
  - name: cluster-signing-cert-file
    value: ${FILES.certFile}
  - name: cluster-signing-key-file
    value: ${FILES.keyFile}`,
    ),
  );
});

test('a map of v1beta3 gets both flags, and every other line stays', () => {
  expect(withSigner(written(V3), FILES).text).toBe(
    written(
      V3,
      `controllerManager:
  extraArgs:
    cluster-signing-cert-file: ${FILES.certFile}
    cluster-signing-key-file: ${FILES.keyFile}`,
    ),
  );
});

test.each<[sentence: string, version: string, manager: string, result: unknown]>([
  ['flags beside it in a map', V3, 'controllerManager:\n  extraArgs:\n    v: "4"', { extraArgs: { v: '4', ...AS_MAP } }],
  [
    'flags beside it in a list, of which one is there twice',
    V4,
    'controllerManager:\n  extraArgs:\n  - name: vmodule\n    value: a=1\n  - name: vmodule\n    value: b=2',
    { extraArgs: [{ name: 'vmodule', value: 'a=1' }, { name: 'vmodule', value: 'b=2' }, ...AS_LIST] },
  ],
  [
    'another file in a map',
    V3,
    'controllerManager:\n  extraArgs:\n    cluster-signing-cert-file: /other\n    v: "4"',
    { extraArgs: { v: '4', ...AS_MAP } },
  ],
  [
    'another file in a list, at its place',
    V4,
    'controllerManager:\n  extraArgs:\n  - name: cluster-signing-key-file\n    value: /other\n  - name: v\n    value: "4"',
    { extraArgs: [AS_LIST[1], { name: 'v', value: '4' }, AS_LIST[0]] },
  ],
  [
    'everything on one line',
    V4,
    'controllerManager: {extraArgs: [{name: v, value: "4"}]}',
    { extraArgs: [{ name: 'v', value: '4' }, ...AS_LIST] },
  ],
  ['volumes and no flags', V4, 'controllerManager:\n  extraVolumes: [{name: a}]', { extraVolumes: [{ name: 'a' }], extraArgs: AS_LIST }],
  ['nothing after the name', V4, 'controllerManager:', { extraArgs: AS_LIST }],
  ['no word of the controller-manager', V3, 'featureGates: {}', { extraArgs: AS_MAP }],
  ['flags that are nothing', V3, 'controllerManager:\n  extraArgs: null', { extraArgs: AS_MAP }],
])('%s', (_sentence, version, manager, result) => {
  expect(managerOf(withSigner(written(version, manager), FILES).text)).toEqual(result);
});

test('comments, and texts that look like numbers to some reader, stay as they are written', () => {
  const text = written(
    V3,
    '# mine\ncontrollerManager:\n  # why\n  extraArgs:\n    v: "4" # loud\nunknown: {a: 0600, b: 1e3, c: yes, d: ~}',
  );

  const done = withSigner(text, FILES).text;

  for (const line of ['# mine', '  # why', '    v: "4" # loud']) expect(done.split('\n')).toContain(line);
  expect(done).toMatch(/unknown: \{ ?a: 0600, b: 1e3, c: yes, d: ~ ?\}/);
});

test('what says so already is given back as it is, however it is written', () => {
  const text = written(V3, `controllerManager: {extraArgs:   ${JSON.stringify(AS_MAP)}}   # by hand`);

  expect(withSigner(text, FILES)).toEqual({ text, changed: false });
});

describe('refused', () => {
  test.each<[sentence: string, text: string, message: string]>([
    ['an older version', written('kubeadm.k8s.io/v1beta2'), '"kubeadm.k8s.io/v1beta2" as apiVersion'],
    ['a later version', written('kubeadm.k8s.io/v1'), 'apiVersion'],
    ['another kind', written(V4).replace('ClusterConfiguration', 'InitConfiguration'), 'kind'],
    ['no YAML', 'a: [', 'not one YAML document'],
    ['two documents', `${written(V4)}---\n${written(V4)}`, 'not one YAML document'],
    ['nothing', '', 'the whole'],
    ['a list', '- a\n', 'the whole'],
    ['a key twice', `${written(V4)}kind: ClusterConfiguration\n`, 'not one YAML document'],
    ['a map where v1beta4 has a list', written(V4, 'controllerManager:\n  extraArgs: {v: "4"}'), 'controllerManager.extraArgs'],
    [
      'a list where v1beta3 has a map',
      written(V3, 'controllerManager:\n  extraArgs: [{name: v, value: "4"}]'),
      'controllerManager.extraArgs',
    ],
    ['a flag that is a number', written(V3, 'controllerManager:\n  extraArgs: {v: 4}'), '4 as controllerManager.extraArgs.v'],
    ['several signers', written(V3, 'controllerManager:\n  extraArgs: {cluster-signing-kubelet-client-cert-file: /a}'), 'several signers'],
    [
      'the flag twice',
      written(
        V4,
        'controllerManager:\n  extraArgs: [{name: cluster-signing-cert-file, value: /a}, {name: cluster-signing-cert-file, value: /b}]',
      ),
      'more than once',
    ],
    ['aliases', written(V3, 'controllerManager: &same\n  extraArgs: {v: "4"}\nother: *same'), 'aliases'],
  ])('%s', (_sentence, text, message) => {
    expect(() => withSigner(text, FILES)).toThrow(
      expect.objectContaining({ name: 'KubeadmConfigUnclear', message: expect.stringContaining(message) as string }) as Error,
    );
  });

  test('a file whose name another reader takes for something else', () => {
    expect(() => withSigner(written(V3), { ...FILES, keyFile: 'true' })).toThrow(
      expect.objectContaining({ name: 'KubeadmConfigUnclear' }) as Error,
    );
  });
});

describe('whatever else kubeadm keeps', () => {
  const text = fc.string({ maxLength: 12 });
  const flag = fc.stringMatching(/^[a-z]{1,8}(-[a-z]{1,8})?$/);
  const args = fc.dictionary(flag, text, { maxKeys: 4 });
  const rest = fc.dictionary(
    fc.stringMatching(/^x[a-zA-Z]{0,6}$/),
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 3 })),
  );
  const configuration = fc.tuple(fc.constantFrom(V3, V4), args, rest).map(([apiVersion, flags, others]) => ({
    ...others,
    apiVersion,
    kind: 'ClusterConfiguration',
    controllerManager: { extraArgs: apiVersion === V3 ? flags : Object.entries(flags).map(([name, value]) => ({ name, value })) },
  }));

  test('stays, the flags are there, and doing it twice is doing it once', () => {
    fc.assert(
      fc.property(
        configuration,
        fc.constantFrom({ indentSeq: true }, { indentSeq: false }, { collectionStyle: 'flow' as const }),
        (before, style) => {
          const once = withSigner(stringify(before, style), FILES);

          const { controllerManager, ...others } = parse(once.text) as typeof before;
          const { controllerManager: manager, ...othersBefore } = before;
          expect(others).toEqual(othersBefore);
          expect(controllerManager.extraArgs).toEqual(
            Array.isArray(manager.extraArgs) ? [...manager.extraArgs, ...AS_LIST] : { ...manager.extraArgs, ...AS_MAP },
          );
          expect(once.changed).toBe(true);
          expect(withSigner(once.text, FILES)).toEqual({ text: once.text, changed: false });
        },
      ),
    );
  });
});
