import path from 'node:path';
import { Server, ServerCredentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ServerWritableStream, sendUnaryData, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { EtcdCluster } from '../../local/etcd/cluster';
import { issueCertificate } from '../../local/etcd/certificates';

/** A member that sends whatever bytes it is told to as its snapshot: for what a real etcd cannot be made to send. */
export interface PretendEtcd {
  readonly endpoint: string;
  stop(): void;
}

const HEADER = { cluster_id: '7', member_id: '1', revision: '1', raft_term: '1' };
const MESSAGE_BYTES = 32 * 1024;

export async function startPretendEtcd(authority: EtcdCluster['authority'], snapshot: Buffer): Promise<PretendEtcd> {
  const proto = loadSync(path.join(__dirname, '../../node_modules/etcd3/proto/rpc.proto'), { keepCase: true, longs: String });
  const { etcdserverpb } = loadPackageDefinition(proto) as unknown as {
    etcdserverpb: Record<'Maintenance' | 'Cluster', ServiceClientConstructor>;
  };
  const server = new Server();
  const answer = (message: object) => (_call: unknown, done: sendUnaryData<unknown>) => done(null, message);
  server.addService(etcdserverpb.Maintenance.service, {
    status: answer({
      header: HEADER,
      version: '3.6.0',
      dbSize: String(snapshot.length),
      leader: '1',
      raftIndex: '9',
      raftAppliedIndex: '9',
    }),
    snapshot: (call: ServerWritableStream<unknown, unknown>) => {
      for (let at = 0; at < snapshot.length; at += MESSAGE_BYTES) call.write({ blob: snapshot.subarray(at, at + MESSAGE_BYTES) });
      call.end();
    },
  });
  server.addService(etcdserverpb.Cluster.service, { memberList: answer({ header: HEADER, members: [{ ID: '1', name: 'pretender' }] }) });

  const { cert, key } = issueCertificate(authority, { commonName: 'pretender', hosts: ['127.0.0.1'] });
  const credentials = ServerCredentials.createSsl(
    Buffer.from(authority.cert),
    [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
    true,
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { endpoint: `https://127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
