import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { SecretsManagerNodes } from '../aws/node-secrets';
import { readEtcdClientSecret } from '../aws/secrets';
import { filesOf } from '../certificates/archive';
import { RotationRefused } from '../certificates/errors';
import { LookEvent } from '../contract/exchange-looks';
import type { AskedCluster } from '../contract/exchange-looks';
import { Env } from '../contract/env';
import { openEtcd } from '../etcd/client/etcd-reader';
import { metricsOf } from '../etcd/client/member-metrics';
import { openApi } from '../kubernetes/api-client';
import type { ApiPlace, KubernetesApi } from '../kubernetes/api-client';
import { lookAtAuthorities, lookAtEtcd } from './look-at-authorities';
import { lookAtAccounts } from './look-at-accounts';
import { lookAtCluster } from './look-at-cluster';
import { tellCluster } from './tell-cluster';

/** kubeadm gives it the group that may do everything (certlist.go). */
const ASKS_AS = 'apiserver-kubelet-client';

const manager = new SecretsManagerClient(BRISK);
const sets = new SecretsManagerNodes(manager);
const endpoints = requireEnv(Env.etcdEndpoints).split(',');

export async function handler(event: unknown): Promise<object> {
  const asked = parseEvent(LookEvent, event);
  switch (asked.do) {
    case 'etcd': {
      const secret = await readEtcdClientSecret(manager, requireEnv(Env.etcdClientSecret));
      const etcd = openEtcd(endpoints, secret);
      try {
        return await lookAtEtcd(await etcd.gather(), (endpoint) => metricsOf(endpoint, secret));
      } finally {
        etcd.close();
      }
    }
    case 'ports':
      return lookAtAuthorities(asked.ports);
    case 'cluster':
      return lookAtCluster(await apiOf(asked));
    case 'accounts': {
      const credentials = await credentialsOf(asked.secretId);
      return lookAtAccounts(asked.api.map((place) => ({ place: place.place, api: openApi([{ ...place, ...credentials }]) })));
    }
    case 'stamps':
      return Promise.all(
        asked.secretIds.map(async (secretId) => {
          const { set, waits } = await sets.present(secretId);
          const leaves = Object.fromEntries(set?.certificates.map(({ leaf, sha256 }) => [leaf, sha256]) ?? []);
          return { secretId, stamps: set === undefined ? null : (set.stamps ?? {}), waits, leaves };
        }),
      );
    case 'tell-cluster':
      return tellCluster(await apiOf(asked), asked.write);
  }
}

async function apiOf({ api, secretId }: AskedCluster): Promise<KubernetesApi> {
  const credentials = await credentialsOf(secretId);
  return openApi(api.map((place) => ({ ...place, ...credentials })));
}

async function credentialsOf(secretId: string): Promise<Pick<ApiPlace, 'ca' | 'client'>> {
  const set = await sets.current(secretId);
  const files = set && (await filesOf(set.archive, `the set of ${set.node.host}`));
  const [cert, key, ca] = [files?.get(`pki/${ASKS_AS}.crt`), files?.get(`pki/${ASKS_AS}.key`), set?.trusted.cluster];
  if (cert === undefined || key === undefined || ca === undefined)
    throw new RotationRefused(`secret ${secretId} has no set with ${ASKS_AS}: rotate it first`);
  return { ca, client: { cert, key } };
}
