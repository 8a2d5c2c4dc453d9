import { parse } from 'yaml';
import { z } from 'zod';
import { hostOf } from '../contract/host-of';
import type { ClusterPlace, NodePlace } from './desired';
import type { ToldNode } from './told-node';

/** What the config of the lifeboat says of the names of the API. */
export interface ApiNames {
  /** The DNS name of the API. */
  readonly name?: string | undefined;
  /** Addresses that its record leads to, where the config gives them. */
  readonly addresses: readonly string[];
  /** What `certificates.extraSans` adds. */
  readonly extraSans: readonly string[];
}

const names = z.array(z.string()).default([]);
const local = z.object({ serverCertSANs: names, peerCertSANs: names }).prefault({});

/** What of kubeadm's ClusterConfiguration says which names certificates carry (k8s.io/docs/reference/config-api/kubeadm-config.v1beta4). */
const ClusterConfiguration = z.object({
  controlPlaneEndpoint: z.string().optional(),
  networking: z.object({ dnsDomain: z.string().default('cluster.local') }).prefault({}),
  apiServer: z.object({ certSANs: names }).prefault({}),
  etcd: z.object({ local }).prefault({}),
});

/**
 * What holds for all certificates of the cluster: the config of the lifeboat, and kubeadm's own where a node could read it. Without it, the
 * server that admin.conf names stands for the endpoint of the control plane.
 */
export function clusterPlaceOf(nodes: readonly ToldNode[], api: ApiNames): ClusterPlace {
  const configuration = configurationOf(nodes);
  const kubeadm = ClusterConfiguration.parse(configuration ?? {});
  const endpoint = kubeadm.controlPlaneEndpoint ?? serverOf(nodes);
  return {
    dnsDomain: kubeadm.networking.dnsDomain,
    apiNames: [
      ...(api.name === undefined ? [] : [api.name]),
      ...api.addresses,
      ...api.extraSans,
      ...kubeadm.apiServer.certSANs,
      ...(endpoint === undefined ? [] : [hostOfEndpoint(endpoint)]),
    ],
    etcdServerNames: kubeadm.etcd.local.serverCertSANs,
    etcdPeerNames: kubeadm.etcd.local.peerCertSANs,
    everythingIsKnown: configuration !== undefined,
  };
}

/** What a node says of where its programs are. */
export function nodePlaceOf({ facts }: ToldNode): NodePlace {
  const { nodeName, apiserver, etcd } = facts;
  return {
    nodeName,
    advertiseAddress: apiserver?.advertiseAddress ?? undefined,
    bindAddress: apiserver?.bindAddress ?? undefined,
    serviceSubnet: apiserver?.serviceSubnet ?? undefined,
    etcdClientUrls: [...etcd.clientUrls, ...etcd.listenClientUrls],
    etcdPeerUrls: [...etcd.peerUrls, ...etcd.listenPeerUrls],
  };
}

function configurationOf(nodes: readonly ToldNode[]): unknown {
  for (const { kubeadmConfig } of nodes) {
    if (kubeadmConfig === undefined) continue;
    try {
      const configuration: unknown = parse(kubeadmConfig);
      if (ClusterConfiguration.safeParse(configuration).success) return configuration;
    } catch {
      // What one node read badly another may have read well; without any, kubeadm's defaults hold.
    }
  }
  return undefined;
}

/** Where each node names its own API server, nothing stands in front of them. */
function serverOf(nodes: readonly ToldNode[]): string | undefined {
  const servers = nodes.flatMap(({ kubeconfigs }) => kubeconfigs.get('admin.conf')?.server ?? []);
  return new Set(servers).size === 1 ? servers[0] : undefined;
}

/** `host`, `host:port`, `[address]:port` or a URL of it. */
function hostOfEndpoint(endpoint: string): string {
  const url = endpoint.includes('://') ? endpoint : `https://${endpoint}`;
  return URL.canParse(url) ? hostOf(url) : endpoint;
}
