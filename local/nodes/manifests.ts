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
  /** Of its own member, or of all of them. */
  readonly etcdUrls: readonly string[];
  readonly pkiDir: string;
  readonly version: string;
}

/** Where kube-controller-manager or kube-scheduler runs. */
export interface ManagerPlace {
  readonly bindAddress: string;
  readonly port: number;
  /** Its kubeconfig. */
  readonly kubeconfig: string;
  readonly pkiDir: string;
  readonly version: string;
}

interface Pod {
  readonly component: string;
  readonly image: string;
  readonly command: readonly string[];
  /** Folders and files of the node, which the container sees under the same path. */
  readonly volumes: readonly (readonly [name: string, path: string, type?: 'FileOrCreate'])[];
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
${volumes.map(([name, path]) => `    - mountPath: ${path}\n      name: ${name}`).join('\n')}
  hostNetwork: true
  priorityClassName: system-node-critical
  terminationGracePeriodSeconds: ${graceSeconds}
  volumes:
${volumes.map(([name, path, type = 'DirectoryOrCreate']) => `  - hostPath:\n      path: ${path}\n      type: ${type}\n    name: ${name}`).join('\n')}
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

/** kubeadm's default: the first address is that of the service `kubernetes`, so the certificate names it. */
export const SERVICE_SUBNET = '10.96.0.0/12';

export const apiserverManifest = ({ advertiseAddress, bindAddress, port, etcdUrls, pkiDir, version }: ApiserverPlace): string =>
  podYaml({
    component: 'kube-apiserver',
    image: `registry.k8s.io/kube-apiserver:v${version}`,
    command: [
      'kube-apiserver',
      `--advertise-address=${advertiseAddress}`,
      '--allow-privileged=true',
      '--authorization-mode=Node,RBAC',
      `--client-ca-file=${pkiDir}/ca.crt`,
      '--enable-admission-plugins=NodeRestriction',
      '--enable-bootstrap-token-auth=true',
      `--etcd-cafile=${pkiDir}/etcd/ca.crt`,
      `--etcd-certfile=${pkiDir}/apiserver-etcd-client.crt`,
      `--etcd-keyfile=${pkiDir}/apiserver-etcd-client.key`,
      `--etcd-servers=${etcdUrls.join(',')}`,
      `--kubelet-client-certificate=${pkiDir}/apiserver-kubelet-client.crt`,
      `--kubelet-client-key=${pkiDir}/apiserver-kubelet-client.key`,
      '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
      `--proxy-client-cert-file=${pkiDir}/front-proxy-client.crt`,
      `--proxy-client-key-file=${pkiDir}/front-proxy-client.key`,
      '--requestheader-allowed-names=front-proxy-client',
      `--requestheader-client-ca-file=${pkiDir}/front-proxy-ca.crt`,
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-username-headers=X-Remote-User',
      `--secure-port=${port}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${pkiDir}/sa.pub`,
      `--service-account-signing-key-file=${pkiDir}/sa.key`,
      `--service-cluster-ip-range=${SERVICE_SUBNET}`,
      `--tls-cert-file=${pkiDir}/apiserver.crt`,
      `--tls-private-key-file=${pkiDir}/apiserver.key`,
      // Not kubeadm's: nodes share a machine.
      `--bind-address=${bindAddress}`,
    ],
    volumes: [['k8s-certs', pkiDir]],
    graceSeconds: 30,
  });

export const controllerManagerManifest = ({ bindAddress, port, kubeconfig, pkiDir, version }: ManagerPlace): string =>
  podYaml({
    component: 'kube-controller-manager',
    image: `registry.k8s.io/kube-controller-manager:v${version}`,
    command: [
      'kube-controller-manager',
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--bind-address=${bindAddress}`,
      `--client-ca-file=${pkiDir}/ca.crt`,
      '--cluster-name=kubernetes',
      `--cluster-signing-cert-file=${pkiDir}/ca.crt`,
      `--cluster-signing-key-file=${pkiDir}/ca.key`,
      '--controllers=*,bootstrapsigner,tokencleaner',
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=true',
      `--requestheader-client-ca-file=${pkiDir}/front-proxy-ca.crt`,
      `--root-ca-file=${pkiDir}/ca.crt`,
      `--secure-port=${port}`,
      `--service-account-private-key-file=${pkiDir}/sa.key`,
      '--use-service-account-credentials=true',
    ],
    volumes: [
      ['k8s-certs', pkiDir],
      ['kubeconfig', kubeconfig, 'FileOrCreate'],
    ],
    graceSeconds: 30,
  });

export const schedulerManifest = ({ bindAddress, port, kubeconfig, version }: ManagerPlace): string =>
  podYaml({
    component: 'kube-scheduler',
    image: `registry.k8s.io/kube-scheduler:v${version}`,
    command: [
      'kube-scheduler',
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--bind-address=${bindAddress}`,
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=true',
      `--secure-port=${port}`,
    ],
    volumes: [['kubeconfig', kubeconfig, 'FileOrCreate']],
    graceSeconds: 30,
  });
