import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { openEtcd } from '../../lambdas/etcd/client/etcd-reader';
import { openSurgeon } from '../../lambdas/etcd/client/etcd-surgeon';
import { clientOf } from '../etcd/client';
import type { LocalNodes } from '../nodes';

/** What somebody deletes by mistake in the tour. */
export const DELETED: readonly string[] = ['configmaps', 'deployments', 'secrets'];

/** What one member holds, asked of itself. */
export interface MemberData {
  readonly name: string;
  readonly inventory: Readonly<Record<string, number>>;
  readonly revision: number;
  /** HashKV at the lowest revision that one of the members is at. */
  readonly hash: string;
  readonly lineage: string;
}

export async function survey({ nodes, endpoints, credentials }: LocalNodes): Promise<readonly MemberData[]> {
  const etcd = openEtcd(endpoints, credentials);
  const surgeon = openSurgeon(endpoints, credentials);
  try {
    const { members } = await etcd.gather();
    const statuses = members.map((member) => {
      if (!member.reachable) throw new Error(`${member.endpoint} does not answer: ${member.because}`);
      return member.status;
    });
    const revision = Math.min(...statuses.map((status) => status.revision));
    return await Promise.all(
      nodes.map(async ({ name, clientUrl }, index) => {
        const [{ inventory }, { hash }] = await Promise.all([surgeon.countObjects(clientUrl), etcd.hashKv(clientUrl, revision)]);
        return { name, inventory, revision: statuses[index]?.revision ?? 0, hash, lineage: statuses[index]?.clusterId ?? '' };
      }),
    );
  } finally {
    etcd.close();
    surgeon.close();
  }
}

/** A namespace that no snapshot holds: a restore takes it away. The answer asks each member for it, and names those that have it. */
export async function writeAfterSnapshot({ nodes, endpoints, credentials }: LocalNodes): Promise<() => Promise<readonly string[]>> {
  const key = '/registry/namespaces/made-after-the-snapshot';
  const writer = clientOf({ endpoints, credentials });
  try {
    await writer.put(key).value('x');
  } finally {
    writer.close();
  }
  return async () => {
    const having = await Promise.all(
      nodes.map(async ({ name, clientUrl }) => {
        const client = clientOf({ endpoints: [clientUrl], credentials });
        try {
          return (await client.get(key).exists()) ? [name] : [];
        } finally {
          client.close();
        }
      }),
    );
    return having.flat();
  };
}

export async function deleteResources(nodes: LocalNodes): Promise<number> {
  const client = clientOf(nodes);
  try {
    let deleted = 0;
    for (const name of DELETED) deleted += Number((await client.delete().prefix(`/registry/${name}/`)).deleted);
    return deleted;
  } finally {
    client.close();
  }
}

export interface OldData {
  readonly node: string;
  readonly folder: string;
  readonly bytes: number;
}

/** What a restore left beside the data directory of each node. */
export function oldDataOf({ nodes, folder }: LocalNodes, restoreId: string): readonly OldData[] {
  return nodes.flatMap(({ name, tree }) => {
    const beside = path.dirname(tree.dataDir);
    const kept = readdirSync(beside).filter((entry) => entry === `${path.basename(tree.dataDir)}.lifeboat-${restoreId}-old`);
    return kept.map((entry) => {
      const full = path.join(beside, entry);
      const bytes = Number(execFileSync('du', ['-sB1', full], { encoding: 'utf8' }).split('\t')[0]);
      return { node: name, folder: path.relative(path.join(folder, name), full), bytes };
    });
  });
}
