// What the node documents for certificates tell.
import { z } from 'zod';
import { LEAF_NAMES, LeafName } from './certificate-names';

const urls = z.array(z.string());
const seconds = z.number().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const unixSeconds = z.number().positive();

/** What a node of the control plane runs, by the names that a rotation has for them. */
export const NODE_PROCESSES = ['apiserver', 'etcd', 'controller-manager', 'scheduler', 'kubelet'] as const;

/** Whoever etcd refused for a certificate, or who refused its own, by address, port and reason, as far back as the part of its log goes that is read. */
export const EtcdRefused = z.object({
  /** Those of last, at most 8. Times by the clock of the node. */
  refused: z.array(
    z.object({
      /** `unknown`: releases of etcd before 3.5.15 do not tell it. */
      port: z.enum(['peer', 'client', 'unknown']),
      address: z.string(),
      times: z.number().int().positive(),
      firstAt: unixSeconds,
      lastAt: unixSeconds,
      error: z.string(),
    }),
  ),
  /** How many there are beside them, all refused before those. */
  more: z.number().int().nonnegative(),
});
export type EtcdRefused = z.infer<typeof EtcdRefused>;

/** Who was a client of the API server by a certificate, by the certificate, as far back as the part of its audit log goes that is read. */
export const ApiClients = z.object({
  /** Those of last, at most 10, without kubelets and the components of the control plane. Times by the clock of the node. */
  seen: z.array(z.object({ sha256, user: z.string(), address: z.string(), lastAt: unixSeconds })),
  /** How many there are beside them, all seen before those. */
  more: z.number().int().nonnegative(),
});

export const CertificateFacts = z.object({
  host: z.string(),
  nodeName: z.string(),
  /** Of the node, seconds since 1970. */
  clock: z.number().int().positive(),
  /** The flags of its manifest; null where there is none. */
  apiserver: z
    .object({
      advertiseAddress: z.string().nullable(),
      bindAddress: z.string().nullable(),
      securePort: z.number().int(),
      serviceSubnet: z.string().nullable(),
    })
    .nullable(),
  etcd: z.object({
    runs: z.enum(['static-pod', 'systemd', 'absent']),
    clientUrls: urls,
    peerUrls: urls,
    listenClientUrls: urls,
    listenPeerUrls: urls,
  }),
  controllerManager: z.object({ running: z.boolean(), signingCertFile: z.string().nullable(), rootCaFile: z.string().nullable() }),
  /**
   * By what the controller-manager signs, wherever its flags lead to. `split`: by another file than pki/ca.crt, which then may hold several
   * authorities. `certSha256`: of the certificate's DER; null where there is not exactly one, and nothing is signed. Null without a signer.
   */
  signer: z.object({ certSha256: sha256.nullable(), split: z.boolean() }).nullable(),
  scheduler: z.object({ running: z.boolean() }),
  /** What runs here, and since when by the clock above, seconds since 1970 with their hundredths. What is not among them does not run. */
  processes: z.array(z.object({ component: z.enum(NODE_PROCESSES), startedAt: unixSeconds })),
  /** When each file was last written or put back, by the same clock. A process that was started later has read it. */
  written: z.partialRecord(z.enum([...LEAF_NAMES, 'ca', 'etcd/ca', 'front-proxy-ca', 'sa.pub', 'sa.key']), unixSeconds),
  /**
   * Whether the flags about service accounts lead to `pki/sa.pub` and `pki/sa.key`; null where there is no manifest. Missing: told by a document from
   * before this was asked.
   */
  accountFiles: z.object({ apiserver: z.boolean().nullable(), controllerManager: z.boolean().nullable() }).optional(),
  /** Null where no log of etcd is found, or no room is left for it; missing: told by a document from before this was asked. */
  etcdRefused: EtcdRefused.nullable().optional(),
  /** Null where no audit log is kept in a file, or no room is left for it; missing: told by a document from before this was asked. */
  apiClients: ApiClients.nullable().optional(),
  /**
   * base64 of a tar.gz with public data alone, PEM: `pki/<name>.crt`, `pki/sa.pub` with all keys that verify, `kubeconfigs/<file>.crt`, `kubeconfigs/<file>.ca.crt`,
   * `kubeconfigs/<file>.server`, and `kubeadm-config.yaml` where the API told it.
   */
  archive: z.base64(),
  /** Whether the key that lies beside a certificate is its own. */
  pairs: z.partialRecord(LeafName, z.enum(['matches', 'differs', 'no-key'])),
  /** Whether the key of an authority lies there and is its own. */
  authorityKeys: z.object({ cluster: z.boolean(), etcd: z.boolean(), frontProxy: z.boolean(), serviceAccounts: z.boolean() }),
  /** Whether kubelet.conf names the certificate that the kubelet renews, or holds its first one for ever (kubernetes/kubeadm#1753). */
  kubelet: z.enum(['refers', 'embeds', 'absent']),
  /** The version of the set that was installed last. */
  installed: z.string().nullable(),
  tools: z.object({
    openssl: z.boolean(),
    aws: z.boolean(),
    curl: z.boolean(),
    tar: z.boolean(),
    base64: z.boolean(),
    gzip: z.boolean(),
  }),
});
export type CertificateFacts = z.infer<typeof CertificateFacts>;

export const HandedOver = z.object({
  /** `key`: whether its key lies on this node, is its own, and was handed over with it. */
  authorities: z.array(z.object({ name: z.enum(['ca', 'etcd/ca', 'front-proxy-ca', 'sa']), key: z.boolean() })),
  versionId: z.string(),
  archiveSha256: sha256,
  /** Of the secret's value, which may have 65,536. */
  bytes: z.number().int().positive(),
});

/** What a port of this node serves now: the SHA-256 of the certificate's DER. */
const Served = z.object({ port: z.number().int(), sha256 });

const Switched = z.object({
  /** What was replaced: leaves by their names, files of authorities, and the keys of service accounts. */
  changed: z.array(z.union([LeafName, z.enum(['ca', 'etcd/ca', 'front-proxy-ca', 'signer/ca', 'sa'])])),
  restarted: z.array(z.enum(['kube-apiserver', 'etcd', 'kube-controller-manager', 'kube-scheduler'])),
  served: z.array(Served),
  seconds,
});

export const InstalledCertificates = Switched.extend({
  /** What this run found: nothing of this version, one that was cut off, or all of it in place already. */
  was: z.enum(['absent', 'interrupted', 'installed']),
  /**
   * What became of kubelet.conf. `refers`: needs nothing. `rewritten`: it held a certificate, and names the one that the kubelet renews now.
   * `replaced`: it is the one of the set. `left`: it holds a certificate, and there was nothing to replace it by.
   */
  kubelet: z.enum(['refers', 'rewritten', 'replaced', 'left', 'absent']),
});

export const PreviousCertificates = Switched.extend({
  /** `not-installed`: another set is in place, or none, and nothing was changed. */
  was: z.enum(['installed', 'interrupted', 'not-installed']),
});

export const SplitSigner = z.object({
  /**
   * What this run found. `none`: nothing signs here by a manifest. `own`: it had files of its own already. `missing`: its flags named such files,
   * and they were not there, as on a node that joined since.
   */
  was: z.enum(['none', 'shared', 'interrupted', 'own', 'missing']),
  /** What it signs by now, as its flags name it; the SHA-256 of the certificate's DER. */
  signer: z.object({ certFile: z.string(), keyFile: z.string(), sha256 }).nullable(),
  restarted: z.array(z.literal('kube-controller-manager')),
  seconds,
});
