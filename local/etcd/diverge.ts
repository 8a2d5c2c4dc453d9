import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { Etcd3 } from 'etcd3';
import type { EtcdCluster } from './cluster';
import type { EtcdMember } from './member';

const KEY = '/registry/configmaps/default/diverge';

/** A client of one member alone. */
function clientOfMember(etcd: EtcdCluster, member: EtcdMember): Etcd3 {
  const { ca, cert, key } = etcd.credentials;
  const credentials = { rootCertificate: Buffer.from(ca), certChain: Buffer.from(cert), privateKey: Buffer.from(key) };
  return new Etcd3({ hosts: member.clientUrl, credentials, grpcOptions: { 'grpc.ssl_target_name_override': 'localhost' } });
}

/** A follower: the leader's role moves when it is stopped, and then nobody knows who is asked for what. */
export async function aFollower(etcd: EtcdCluster): Promise<EtcdMember> {
  for (const member of etcd.members) {
    const client = clientOfMember(etcd, member);
    try {
      const { header, leader } = await client.maintenance.status();
      if (header.member_id !== leader) return member;
    } finally {
      client.close();
    }
  }
  throw new Error('the cluster has no follower');
}

/**
 * Makes one member hold something else than the others, as a bad disk or a bug does: while it is down one byte of one value is changed in its
 * database. No checksum of bbolt is over values, so etcd starts with it and serves it.
 */
export async function makeDiverge(etcd: EtcdCluster, member: EtcdMember): Promise<void> {
  const marker = `diverge ${randomUUID()}`;
  const client = clientOfMember(etcd, member);
  try {
    await client.put(KEY).value(marker);
  } finally {
    client.close();
  }
  // A member that ends in good order commits what it has applied, so the value is in its file and not only in its log.
  await member.stop();
  const file = path.join(member.dataDir, 'member/snap/db');
  const database = readFileSync(file);
  let changed = 0;
  for (let at = database.indexOf(marker); at >= 0; at = database.indexOf(marker, at + 1), changed++) database.write('D', at);
  if (changed === 0) throw new Error(`${file} does not hold the value that was just written`);
  writeFileSync(file, database);
  member.start();
  await member.ready();
}
