// Static-pod manifests as kubeadm writes them (cmd/kubeadm/app/phases/etcd/local.go, …/controlplane/manifests.go), with the paths of a local node.

export interface EtcdPlace {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  readonly pkiDir: string;
  readonly version: string;
  /** name=peerUrl of every member. */
  readonly initialCluster: string;
}

export interface ApiserverPlace {
  /** Never loopback: it is written into the endpoints of the service `kubernetes`, which refuse that. */
  readonly advertiseAddress: string;
  readonly bindAddress: string;
  readonly port: number;
  readonly etcdUrl: string;
  readonly pkiDir: string;
}

interface Pod {
  readonly component: string;
  readonly image: string;
  readonly command: readonly string[];
  /** Folders of the node, which the container sees under the same path. */
  readonly volumes: readonly (readonly [name: string, folder: string])[];
  readonly graceSeconds: number;
}

const lines = (items: readonly string[], indent: number): string => items.map((item) => `${' '.repeat(indent)}- ${item}`).join('\n');

const podYaml = ({ component, image, command, volumes, graceSeconds }: Pod): string => `apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  labels:
    component: ${component}
    tier: control-plane
  name: ${component}
  namespace: kube-system
spec:
  containers:
  - command:
${lines(command, 4)}
    image: ${image}
    imagePullPolicy: IfNotPresent
    name: ${component}
    resources:
      requests:
        cpu: 100m
        memory: 100Mi
    volumeMounts:
${volumes.map(([name, folder]) => `    - mountPath: ${folder}\n      name: ${name}`).join('\n')}
  hostNetwork: true
  priorityClassName: system-node-critical
  terminationGracePeriodSeconds: ${graceSeconds}
  volumes:
${volumes.map(([name, folder]) => `  - hostPath:\n      path: ${folder}\n      type: DirectoryOrCreate\n    name: ${name}`).join('\n')}
status: {}
`;

/** Several members and everything else share one small machine: patient, and what the kernel holds is as good as what the disk holds. */
const LOCAL = [
  '--heartbeat-interval=200',
  '--election-timeout=2000',
  '--unsafe-no-fsync',
  '--log-level=warn',
  `--quota-backend-bytes=${8 * 1024 ** 3}`,
];

export const etcdManifest = ({ name, clientUrl, peerUrl, dataDir, pkiDir, version, initialCluster }: EtcdPlace): string =>
  podYaml({
    component: 'etcd',
    image: `registry.k8s.io/etcd:${version}-0`,
    command: [
      'etcd',
      `--advertise-client-urls=${clientUrl}`,
      `--cert-file=${pkiDir}/etcd/server.crt`,
      '--client-cert-auth=true',
      `--data-dir=${dataDir}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${initialCluster}`,
      `--key-file=${pkiDir}/etcd/server.key`,
      `--listen-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--name=${name}`,
      `--peer-cert-file=${pkiDir}/etcd/peer.crt`,
      '--peer-client-cert-auth=true',
      `--peer-key-file=${pkiDir}/etcd/peer.key`,
      `--peer-trusted-ca-file=${pkiDir}/etcd/ca.crt`,
      '--snapshot-count=10000',
      // A member whose data differs from the others' does not start by this: nothing half restored would go unseen.
      version.startsWith('3.5.') ? '--experimental-initial-corrupt-check=true' : '--feature-gates=InitialCorruptCheck=true',
      `--trusted-ca-file=${pkiDir}/etcd/ca.crt`,
      ...LOCAL,
    ],
    volumes: [
      ['etcd-data', dataDir],
      ['etcd-certs', `${pkiDir}/etcd`],
    ],
    graceSeconds: 30,
  });

export const apiserverManifest = ({ advertiseAddress, bindAddress, port, etcdUrl, pkiDir }: ApiserverPlace): string =>
  podYaml({
    component: 'kube-apiserver',
    image: 'registry.k8s.io/kube-apiserver:v1.37.2',
    command: [
      'kube-apiserver',
      `--advertise-address=${advertiseAddress}`,
      '--allow-privileged=true',
      '--authorization-mode=Node,RBAC',
      `--bind-address=${bindAddress}`,
      `--client-ca-file=${pkiDir}/ca.crt`,
      '--disable-admission-plugins=ServiceAccount',
      '--enable-bootstrap-token-auth=true',
      `--etcd-cafile=${pkiDir}/etcd/ca.crt`,
      `--etcd-certfile=${pkiDir}/apiserver-etcd-client.crt`,
      `--etcd-keyfile=${pkiDir}/apiserver-etcd-client.key`,
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${port}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${pkiDir}/sa.pub`,
      `--service-account-signing-key-file=${pkiDir}/sa.key`,
      '--service-cluster-ip-range=10.96.0.0/16',
      // Without it open watches hold the end back for more than 40 s.
      '--shutdown-watch-termination-grace-period=3s',
      `--tls-cert-file=${pkiDir}/apiserver.crt`,
      `--tls-private-key-file=${pkiDir}/apiserver.key`,
    ],
    volumes: [['k8s-certs', pkiDir]],
    graceSeconds: 30,
  });
