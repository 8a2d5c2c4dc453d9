import type { ToldCertificate, ToldNode } from '../../lambdas/certificates/told-node';
import type { AuthorityName, LeafName } from '../../lambdas/contract/certificate-names';
import type { InspectedCertificate } from '../../lambdas/pki/inspect';

export const NOW = new Date('2026-11-26T12:00:00Z');
export const inDays = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);
export const idOf = (word: string): string => Buffer.from(word).toString('hex').padEnd(64, '0');

const nameOf = (text: string): InspectedCertificate['subject'] => ({ text, commonName: text, organizations: [], der: '' });

/** A certificate of which only what is compared matters. */
export const certificate = (word: string, change: Partial<InspectedCertificate> = {}): ToldCertificate => ({
  pem: word,
  view: {
    ...{ subject: nameOf(`CN=${word}`), issuer: nameOf('CN=kubernetes'), serial: '01', notBefore: inDays(-1), notAfter: inDays(300) },
    ...{ sans: { dns: [], ips: [] }, eku: [], ku: [], isCa: false, aki: undefined, ski: undefined, keyType: 'RSA-2048' },
    ...{ sha256: idOf(word), publicKeySha256: idOf(word), ...change },
  },
});
export const authority = (word: string, change: Partial<InspectedCertificate> = {}): ToldCertificate[] => [
  certificate(word, { isCa: true, notAfter: inDays(3000), ...change }),
];

export interface NodeChange {
  readonly leaves?: ReadonlyMap<LeafName, ToldCertificate | 'unparsable'>;
  readonly authorities?: ReadonlyMap<AuthorityName, readonly ToldCertificate[] | 'unparsable'>;
  readonly kubeconfigs?: ToldNode['kubeconfigs'];
  readonly serviceAccounts?: ToldNode['serviceAccounts'];
  readonly facts?: Partial<ToldNode['facts']>;
}

/** A node as kubeadm leaves it, all keys beside their certificates. */
export function toldNode(number: number, change: NodeChange = {}): ToldNode {
  const host = `master-${number}`;
  const address = `10.0.0.${number}`;
  return {
    instanceId: `i-0000000000000000${number}`,
    host,
    leaves: new Map([
      ['apiserver', certificate(`apiserver of ${number}`)],
      ['etcd/peer', certificate(`peer of ${number}`)],
    ]),
    authorities: new Map([
      ['cluster', authority('kubernetes')],
      ['etcd', authority('etcd-ca')],
      ['front-proxy', authority('front-proxy-ca')],
    ]),
    chains: new Map(),
    kubeconfigs: new Map([['admin.conf', { server: 'https://api.example.com:6443', trusts: [idOf('kubernetes')] }]]),
    serviceAccounts: { id: idOf('sa'), publicKey: 'sa.pub', keys: [idOf('sa')] },
    kubeadmConfig: undefined,
    ...change,
    facts: {
      host,
      nodeName: host,
      clock: NOW.getTime() / 1000,
      apiserver: { advertiseAddress: address, bindAddress: null, securePort: 6443, serviceSubnet: '10.96.0.0/12' },
      etcd: {
        runs: 'static-pod',
        clientUrls: [`https://${address}:2379`],
        peerUrls: [`https://${address}:2380`],
        listenClientUrls: [],
        listenPeerUrls: [],
      },
      controllerManager: { running: true, signingCertFile: null, rootCaFile: null },
      signer: null,
      scheduler: { running: true },
      processes: [],
      written: {},
      pairs: {},
      authorityKeys: { cluster: true, etcd: true, frontProxy: true, serviceAccounts: true },
      kubelet: 'refers',
      installed: null,
      tools: { openssl: true, aws: true, curl: true, tar: true, base64: true, gzip: true },
      ...change.facts,
    },
  };
}
