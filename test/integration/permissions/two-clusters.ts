import { LambdaClient } from '@aws-sdk/client-lambda';
import { startLocalCloud } from '../../../local/cloud';
import type { LocalCloud } from '../../../local/cloud';
import { deployLifeboat } from '../../../local/deployment';
import type { Deployment } from '../../../local/deployment';
import { startEtcdCluster } from '../../../local/etcd/cluster';
import type { EtcdCluster } from '../../../local/etcd/cluster';
import { seedKubernetesData } from '../../../local/etcd/kubernetes-data';
import type { StackRights } from '../../support/permissions/stack-rights';
import { rightsOf } from '../../support/permissions/stack-rights';

/** One cluster's lifeboat as it was deployed, and what its functions may do by its template. */
export interface Party {
  readonly lifeboat: Deployment;
  readonly rights: StackRights;
  /** URL of the queue of runs that failed for good. */
  readonly deadLetters: string;
}

/** Two clusters in one account, whose names begin alike. */
export interface Neighbours {
  readonly cloud: LocalCloud;
  readonly lambda: LambdaClient;
  readonly mine: Party;
  readonly theirs: Party;
}

/** Both are backed up from the same etcd, which saves a minute. */
export interface TwoClusters extends Neighbours {
  readonly etcd: EtcdCluster;
  stop(): Promise<void>;
}

/** Compressed, more than one part of 8 MiB, so that snapshots are uploaded in parts. */
const MEGABYTES = 60;
const RETENTION = { hourly: 1, daily: 1, weekly: 1, monthly: 1, floor: 2, preChangeDays: 5 };

/** The runbooks work on nodes, of which there are none here: their calls are judged where there are (test/integration/restore/rights.ts). */
const WITHOUT_RUNBOOKS = /^(?!Nodes|Restore|ReplaceMember)/;

/** @param labels of the functions that are judged */
export async function partyOf(cloud: LocalCloud, lifeboat: Deployment, labels: RegExp): Promise<Party> {
  const stack = await cloud.stack(`Lifeboat-${lifeboat.cluster}`);
  const [queue = ''] = Object.entries(stack.template.Resources).find(([, { Type }]) => Type === 'AWS::SQS::Queue') ?? [];
  const rights = rightsOf(stack);
  const functions = rights.functions.filter(({ label }) => labels.test(label));
  return { lifeboat, rights: { ...rights, functions }, deadLetters: stack.idOf(queue) };
}

export async function startTwoClusters(): Promise<TwoClusters> {
  const [cloud, etcd] = await Promise.all([startLocalCloud({ schedules: false }), startEtcdCluster()]);
  const party = async (cluster: string): Promise<Party> => {
    const lifeboat = await deployLifeboat(cloud, {
      cluster,
      endpoints: etcd.endpoints,
      retention: RETENTION,
      replica: { region: 'eu-west-1' },
    });
    await lifeboat.putSecret(etcd.credentials);
    return partyOf(cloud, lifeboat, WITHOUT_RUNBOOKS);
  };
  const [mine, theirs] = await Promise.all([party('prod'), party('prod-eu'), seedKubernetesData(etcd, { megabytes: MEGABYTES })]);
  const lambda = new LambdaClient(cloud.clientConfig());
  return {
    cloud,
    etcd,
    lambda,
    mine,
    theirs,
    stop: async () => {
      lambda.destroy();
      await Promise.all([cloud.stop(), etcd.stop()]);
    },
  };
}

/** The label is that of its construct: `BackupTakeSnapshot`. */
export function functionOf({ rights }: Party, label: string) {
  const found = rights.functions.find((candidate) => candidate.label === label);
  if (!found) throw new Error(`${rights.stack} has no function ${label}, only ${rights.functions.map((one) => one.label).join(', ')}`);
  return found;
}
