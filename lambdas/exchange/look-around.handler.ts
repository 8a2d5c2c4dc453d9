import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { SecretsManagerNodes } from '../aws/node-secrets';
import { readEtcdClientSecret } from '../aws/secrets';
import { LookEvent } from '../contract/exchange-looks';
import type { AskedCluster } from '../contract/exchange-looks';
import { Env } from '../contract/env';
import { openEtcd } from '../etcd/client/etcd-reader';
import { metricsOf } from '../etcd/client/member-metrics';
import { openApi } from '../kubernetes/api-client';
import type { KubernetesApi } from '../kubernetes/api-client';
import { credentialsOf } from './credentials-of';
import { lookAtAuthorities, lookAtEtcd } from './look-at-authorities';
import { lookAtAccounts } from './look-at-accounts';
import { lookAtCluster } from './look-at-cluster';
import { tellCluster } from './tell-cluster';

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
      const credentials = await credentialsOf(await sets.current(asked.secretId), asked.secretId);
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
  const credentials = await credentialsOf(await sets.current(secretId), secretId);
  return openApi(api.map((place) => ({ ...place, ...credentials })));
}
