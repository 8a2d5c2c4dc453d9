import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../free-port';
import type { EtcdRelease } from '../tools';
import { etcdProgram } from '../tools';
import type { Certificate } from './certificates';
import { createAuthority, issueCertificate } from './certificates';
import type { EtcdCredentials, EtcdMember } from './member';
import { startMember } from './member';

export type { EtcdCredentials, EtcdMember } from './member';

/** A real etcd cluster on loopback, with TLS on every port and client certificates demanded. */
export interface EtcdCluster {
  readonly members: readonly EtcdMember[];
  /** Client URLs, one per member. */
  readonly endpoints: readonly string[];
  /** What a client needs, in the shape of the functions' secret. */
  readonly credentials: EtcdCredentials;
  /** Signed everything above: for issuing further certificates, good or bad. */
  readonly authority: Certificate;
  readonly release: EtcdRelease;
  readonly folder: string;
  stop(): Promise<void>;
}

export interface EtcdClusterOptions {
  /** @default 3 */
  readonly members?: number;
  /** @default '3.6' */
  readonly release?: EtcdRelease;
  /** What member `index` shows to clients, instead of a good certificate. @default - good ones */
  readonly serverCertificate?: (authority: Certificate, host: string, index: number) => Certificate;
  /** Further etcd flags. @default - none */
  readonly flags?: readonly string[];
}

interface Address {
  readonly name: string;
  readonly host: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

/** 127.0.1.1, 127.0.1.2, …: on Linux all of 127.0.0.0/8 is loopback, elsewhere only 127.0.0.1. */
async function addressOf(index: number): Promise<Address> {
  const host = process.platform === 'linux' ? `127.0.1.${index + 1}` : '127.0.0.1';
  const url = async () => `https://${host}:${await freePort(host)}`;
  return { name: `master-${index + 1}`, host, clientUrl: await url(), peerUrl: await url() };
}

function writePair(folder: string, name: string, { cert, key }: Certificate): { readonly cert: string; readonly key: string } {
  const files = { cert: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}

function flagsOf(address: Address, all: readonly Address[], dataDir: string): string[] {
  return [
    `--name=${address.name}`,
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${address.clientUrl}`,
    `--advertise-client-urls=${address.clientUrl}`,
    `--listen-peer-urls=${address.peerUrl}`,
    `--initial-advertise-peer-urls=${address.peerUrl}`,
    `--initial-cluster=${all.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')}`,
    `--initial-cluster-token=${all[0]?.peerUrl ?? ''}`,
    '--initial-cluster-state=new',
    '--log-level=warn',
    // Several members and everything else share one small machine: patient, so that load alone elects no new leader.
    '--heartbeat-interval=200',
    '--election-timeout=2000',
    // A test outlives its processes but never the machine: what the kernel holds is as good as what the disk holds.
    '--unsafe-no-fsync',
    // The API server's own setting (kubeadm): 8 GiB, so that seeding large data never raises an alarm.
    `--quota-backend-bytes=${8 * 1024 ** 3}`,
  ];
}

function tlsFlags(folder: string, address: Address, index: number, authority: Certificate, options: EtcdClusterOptions): string[] {
  const hosts = [address.host, 'localhost', address.name];
  const serverCertificate = options.serverCertificate?.(authority, address.host, index);
  const server = writePair(
    folder,
    `${address.name}-server`,
    serverCertificate ?? issueCertificate(authority, { commonName: address.name, hosts }),
  );
  const peer = writePair(folder, `${address.name}-peer`, issueCertificate(authority, { commonName: address.name, hosts }));
  const ca = path.join(folder, 'ca.crt');
  return [
    ...['--client-cert-auth', `--trusted-ca-file=${ca}`, `--cert-file=${server.cert}`, `--key-file=${server.key}`],
    ...['--peer-client-cert-auth', `--peer-trusted-ca-file=${ca}`, `--peer-cert-file=${peer.cert}`, `--peer-key-file=${peer.key}`],
  ];
}

/** Starts the members and waits until each of them serves. Everything lies in a temporary folder that `stop` deletes. */
export async function startEtcdCluster(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
  const { members: size = 3, release = '3.6', flags = [] } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-etcd-'));
  const pki = path.join(folder, 'pki');
  mkdirSync(pki);
  const authority = createAuthority();
  const client = issueCertificate(authority, { commonName: 'lifeboat', usage: 'client' });
  const credentials = { ca: authority.cert, ...client };
  writePair(pki, 'ca', authority);
  writePair(pki, 'client', client);
  const addresses: Address[] = [];
  for (let index = 0; index < size; index++) addresses.push(await addressOf(index));
  const members = addresses.map((address, index) => {
    const dataDir = path.join(folder, address.name);
    return startMember({
      name: address.name,
      clientUrl: address.clientUrl,
      dataDir,
      logFile: path.join(folder, `${address.name}.log`),
      program: etcdProgram(release, 'etcd'),
      args: [...flagsOf(address, addresses, dataDir), ...tlsFlags(pki, address, index, authority, options), ...flags],
      credentials,
    });
  });
  const stop = async () => {
    await Promise.all(members.map((member) => member.kill()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await Promise.all(members.map((member) => member.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { members, endpoints: members.map(({ clientUrl }) => clientUrl), credentials, authority, release, folder, stop };
}
