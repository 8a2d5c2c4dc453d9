import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalCloud } from '../cloud';
import { commandEnvironment } from '../cloud/clients';
import type { EtcdCredentials } from '../etcd/member';
import type { EtcdRelease } from '../tools';
import { etcdProgram } from '../tools';
import type { Address } from './addresses';
import type { ControlPlaneOptions } from './control-plane';
import { SetIssuer } from './certificate-set';
import { controlPlaneOn, urlsOf } from './control-plane';
import { Kubelet } from './kubelet';
import { etcdManifest } from './manifests';
import { LocalNode } from './node';
import { installPrograms, makeTree } from './node-tree';
import type { Authorities } from './pki';
import { installPki } from './pki';

export interface NodePlace {
  /** Where the tree of each node lies. */
  readonly folder: string;
  readonly address: Address;
  readonly authorities: Authorities;
  readonly credentials: EtcdCredentials;
  readonly release: EtcdRelease;
  readonly etcdVersion: string;
  readonly initialCluster: string;
  readonly controlPlane: Omit<ControlPlaneOptions, 'address' | 'subjects'>;
  readonly cloud: Pick<LocalCloud, 'endpoint' | 'nodesFile'> | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** Writes the tree of one node, and starts what its manifests say; waits for nothing. */
export function startNode(place: NodePlace): LocalNode {
  const { address, authorities, release, etcdVersion, initialCluster, controlPlane, cloud, credentials, tags } = place;
  const { name, host, clientUrl, peerUrl, apiPort } = address;
  const tree = makeTree(path.join(place.folder, name));
  const { pkiDir, dataDir, manifestDir, logDir } = tree;
  installPrograms(tree, release);
  const clientsUse = controlPlane.controlPlane === undefined ? [] : [controlPlane.controlPlane.host];
  const { advertiseAddress } = controlPlane;
  const subjects = { name, hosts: [host, 'localhost', name, '127.0.0.1', '::1', advertiseAddress], apiHosts: clientsUse };
  installPki(tree, authorities, subjects);
  const options = { ...controlPlane, address, subjects };
  const { manifests, programs } = controlPlaneOn(tree, authorities, options);
  const etcd = etcdManifest({ name, clientUrl, peerUrl, dataDir, pkiDir, version: etcdVersion, initialCluster });
  for (const [file, text] of Object.entries({ ...manifests, 'etcd.yaml': etcd }))
    writeFileSync(path.join(manifestDir, file), text, { mode: 0o600 });
  const files = new Map(Object.entries({ ...programs, etcd: etcdProgram(release, 'etcd') }));
  const kubelet = new Kubelet({ manifestDir, logDir, programOf: (program) => files.get(program) ?? program });
  kubelet.start();
  const environment = cloud === undefined ? {} : commandEnvironment(cloud.endpoint);
  const apiUrl = `https://${host}:${apiPort}`;
  const issuer = new SetIssuer(authorities, subjects, urlsOf(options));
  return new LocalNode({ ...address, apiUrl, issuer, tree, kubelet, credentials, environment, tags, nodesFile: cloud?.nodesFile });
}
