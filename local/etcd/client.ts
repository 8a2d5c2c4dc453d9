import { Etcd3 } from 'etcd3';
import type { EtcdCluster } from './cluster';

/** A client of a local cluster, for whoever writes to it. */
export function clientOf({ endpoints, credentials: { ca, cert, key } }: Pick<EtcdCluster, 'endpoints' | 'credentials'>): Etcd3 {
  return new Etcd3({
    hosts: [...endpoints],
    credentials: { rootCertificate: Buffer.from(ca), certChain: Buffer.from(cert), privateKey: Buffer.from(key) },
    // Without a name gRPC sends the address as server name, which Node warns about; the local certificates are for both.
    grpcOptions: { 'grpc.ssl_target_name_override': 'localhost' },
  });
}
