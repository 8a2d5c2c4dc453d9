// What is seen of the cluster while one of its authorities is exchanged, by the function that stands beside it.
import { z } from 'zod';
import { Exchangeable, LeafName } from './certificate-names';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const port = z.number().int().positive();

/** A port that is asked what it serves and whom it accepts. */
export const AskedPort = z.object({
  /** The node. */
  place: z.string(),
  component: z.enum(['apiserver', 'controller-manager', 'scheduler', 'kubelet', 'etcd-client', 'etcd-peer']),
  host: z.string(),
  port,
});
export type AskedPort = z.infer<typeof AskedPort>;

/** What it told; `because` where nothing could be read. */
export const PortLook = AskedPort.extend({
  /** PEM, the leaf first. */
  chain: z.array(z.string()),
  /** `CN=etcd-ca-g2-1f0c9a2e`; missing where it asks for no certificate. */
  acceptable: z.array(z.string()).optional(),
  /** Of an API server: what it answers to /readyz. */
  ready: z.boolean().optional(),
  because: z.string().optional(),
});
export type PortLook = z.infer<typeof PortLook>;

export const EtcdLook = z.object({
  voters: z.number().int(),
  healthy: z.number().int(),
  learners: z.number().int(),
  /** Whether every member has all others as active peers, in both directions: etcd_network_active_peers. */
  activePeersOk: z.boolean(),
});
export type EtcdLook = z.infer<typeof EtcdLook>;

/** Certificates in a place, by SHA-256 of their DER; null where the place is not there. */
const Ids = z.array(Sha256);

export const ClusterLook = z.object({
  /** `controlPlane`: by the label that kubeadm gives it. */
  nodes: z.array(z.object({ name: z.string(), ready: z.boolean(), controlPlane: z.boolean().optional() })),
  /** kube-root-ca.crt of every namespace. */
  published: z.array(z.object({ namespace: z.string(), ids: Ids })),
  /** What kubeadm join is told: kube-public/cluster-info. */
  clusterInfo: Ids.nullable(),
  /** kube-system/extension-apiserver-authentication. */
  clientCa: Ids.nullable(),
  requestHeaderCa: Ids.nullable(),
  /** caBundle of webhooks, of APIService objects and of conversions: whoever made them renews them. */
  bundles: z.array(z.object({ place: z.string(), ids: Ids })),
});
export type ClusterLook = z.infer<typeof ClusterLook>;

/** What the cluster itself is to tell of an authority, PEM bundles. */
export const ClusterWrite = z.object({
  clusterInfo: z.string().optional(),
  clientCa: z.string().optional(),
  requestHeaderCa: z.string().optional(),
  /** By which files the controller-managers sign, for kubeadm, which writes their manifests anew at each upgrade. */
  signer: z.object({ certFile: z.string(), keyFile: z.string() }).optional(),
});
export type ClusterWrite = z.infer<typeof ClusterWrite>;

/** What was written of it. `unclear`: why kubeadm is not told, and what to do by hand. */
export const ClusterTold = z.object({ written: z.array(z.string()), unclear: z.string().optional() });
export type ClusterTold = z.infer<typeof ClusterTold>;

export const NodeStamps = z.object({
  secretId: z.string(),
  /** Of the current set of the node; null before its first rotation. */
  stamps: z.partialRecord(Exchangeable, Sha256).nullable(),
  /** Whether a later set waits: nobody knows whether the node has that one, or some of it. */
  waits: z.boolean(),
  /** Of the current set: SHA-256 of the DER of each. */
  leaves: z.partialRecord(LeafName, Sha256),
});
export type NodeStamps = z.infer<typeof NodeStamps>;

/** API servers, and the secret of the node by whose client for kubelets, who may administer the cluster, they are asked. */
export const AskedCluster = z.object({ api: z.array(z.object({ host: z.string(), port })).min(1), secretId: z.string() });
export type AskedCluster = z.infer<typeof AskedCluster>;

/** Each of these API servers is asked by itself. */
export const AskedAccounts = AskedCluster.extend({ api: z.array(z.object({ place: z.string(), host: z.string(), port })).min(1) });
export type AskedAccounts = z.infer<typeof AskedAccounts>;

/** What API servers show of the keys of service accounts; keys by their `kid`. Of tokens nothing but that is told. */
export const AccountsLook = z.object({
  apiServers: z.array(
    z.object({
      place: z.string(),
      /** /openid/v1/jwks; missing where it did not tell. */
      verifies: z.array(z.string()).optional(),
      /** Of the token that it gave; missing where it gave none, or one that names no key. */
      signs: z.string().optional(),
      acceptedBy: z.array(z.object({ place: z.string(), accepted: z.boolean().optional() })),
    }),
  ),
  /** Secrets with tokens that never end; missing where they could not be listed. */
  legacy: z
    .array(z.object({ namespace: z.string(), name: z.string(), kid: z.string().optional(), lastUsed: z.string().optional() }))
    .optional(),
});
export type AccountsLook = z.infer<typeof AccountsLook>;

/** What is asked of the function beside the cluster. */
export const LookEvent = z.discriminatedUnion('do', [
  z.object({ do: z.literal('etcd') }),
  z.object({ do: z.literal('ports'), ports: z.array(AskedPort) }),
  AskedCluster.extend({ do: z.literal('cluster') }),
  AskedAccounts.extend({ do: z.literal('accounts') }),
  /** What each node has by now of each authority. */
  z.object({ do: z.literal('stamps'), secretIds: z.array(z.string()) }),
  AskedCluster.extend({ do: z.literal('tell-cluster'), write: ClusterWrite }),
]);
export type LookEvent = z.infer<typeof LookEvent>;
