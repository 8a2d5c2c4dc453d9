import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { SecretsManagerNodes } from '../aws/node-secrets';
import { readEtcdClientSecret } from '../aws/secrets';
import { Env } from '../contract/env';
import { knowsLeader } from '../etcd/cluster-view';
import { openEtcd } from '../etcd/client/etcd-reader';
import { EtcdNotReady } from '../restore/errors';
import { servedCertificate } from '../ports/served-certificate';
import { RotationRefused } from './errors';
import { etcdTooWeak } from './etcd-margin';
import { ProbeEvent } from './probe';
import { lookAtPorts } from './look-at-ports';
import { proveNode } from './prove-node';

const client = new SecretsManagerClient(BRISK);
const secrets = new SecretsManagerNodes(client);
const endpoints = requireEnv(Env.etcdEndpoints).split(',');

export async function handler(event: unknown): Promise<object> {
  const asked = parseEvent(ProbeEvent, event);
  if (asked.do === 'etcd' || asked.do === 'etcd-is-well') {
    const etcd = openEtcd(endpoints, await readEtcdClientSecret(client, requireEnv(Env.etcdClientSecret)));
    try {
      const view = await etcd.gather();
      if (asked.do === 'etcd') return { weak: etcdTooWeak(view, asked.member) ?? null };
      const unwell = view.members.filter((member) => !member.reachable || !knowsLeader(member.status));
      if (unwell.length > 0) throw new EtcdNotReady(`not well: ${unwell.map(({ endpoint }) => endpoint).join(', ')}`);
      return { weak: null };
    } finally {
      etcd.close();
    }
  }
  if (asked.do === 'served') return lookAtPorts(asked.facts, servedCertificate);
  const { secretId, version, former } = asked;
  const set = await secrets.read(secretId, version);
  if (set === undefined) throw new RotationRefused(`version ${version} of secret ${secretId} has no value`);
  const before = former === undefined ? undefined : await secrets.read(secretId, former);
  return proveNode(set, before, servedCertificate, new Date());
}
