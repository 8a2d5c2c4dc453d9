// Rules that no single section can know: between clusters, and between a cluster and the top of the file.
import { z } from 'zod';
import { show } from './fields';

/** What these rules look at. Anything of the wrong type reads as absent: the section itself has already said so. */
const seen = z.string().optional().catch(undefined);
const View = z
  .object({
    region: seen,
    clusters: z
      .array(
        z
          .object({
            name: seen,
            region: seen,
            etcd: z.object({ endpoints: z.array(seen).catch([]) }).catch({ endpoints: [] }),
            backup: z
              .object({ replica: z.object({ region: seen }).optional().catch(undefined) })
              .optional()
              .catch(undefined),
            alarms: z.object({ topicArn: seen }).optional().catch(undefined),
            network: z
              .object({
                endpoints: z
                  .object({ s3: z.object({ routeTableIds: z.array(seen).catch([]) }).catch({ routeTableIds: [] }) })
                  .catch({ s3: { routeTableIds: [] } }),
              })
              .optional()
              .catch(undefined),
          })
          .catch({ name: undefined, region: undefined, etcd: { endpoints: [] }, backup: undefined, alarms: undefined, network: undefined }),
      )
      .catch([]),
  })
  .catch({ region: undefined, clusters: [] });

interface Found {
  readonly value: string | undefined;
  readonly path: (string | number)[];
}

export function checkWholeFile(file: unknown, context: z.core.$RefinementCtx): void {
  const { clusters, region } = View.parse(file);
  const report = ({ path }: Found, message: string) => context.addIssue({ code: 'custom', path, message });

  for (const [found, index] of repeated(clusters.map(({ name }, index) => [{ value: name, path: ['clusters', index, 'name'] }]))) {
    report(found, `${show(found.value)} is the name of clusters[${index}] already; give each cluster its own`);
  }
  const endpoints = clusters.map(({ etcd }, index) =>
    etcd.endpoints.map((value, item) => ({ value, path: ['clusters', index, 'etcd', 'endpoints', item] })),
  );
  for (const [found, index] of repeated(endpoints)) {
    report(found, `${show(found.value)} is a member of clusters[${index}] already; a member belongs to one cluster`);
  }
  const routeTables = clusters.map(({ network }, index) =>
    (network?.endpoints.s3.routeTableIds ?? []).map((value, item) => ({
      value,
      path: ['clusters', index, 'network', 'endpoints', 's3', 'routeTableIds', item],
    })),
  );
  for (const [found, index] of repeated(routeTables)) {
    report(found, `${show(found.value)} gets the S3 endpoint of clusters[${index}] already; use "existing" here`);
  }
  clusters.forEach((cluster, index) => {
    const replica = cluster.backup?.replica?.region;
    const own = cluster.region ?? region;
    if (replica === undefined) return;
    const found = { value: replica, path: ['clusters', index, 'backup', 'replica', 'region'] };
    if (own === undefined) report(found, `${show(replica)} may be the region of the cluster's own stack; give the cluster its region too`);
    if (own === replica) report(found, `${show(replica)} is the region of the cluster's own stack; use another one`);
  });
  clusters.forEach((cluster, index) => {
    const topicArn = cluster.alarms?.topicArn;
    const own = cluster.region ?? region;
    if (topicArn === undefined || own === undefined || topicArn.split(':')[3] === own) return;
    const found = { value: topicArn, path: ['clusters', index, 'alarms', 'topicArn'] };
    report(found, `${show(topicArn)} is not in ${own}; CloudWatch tells only topics of the region that an alarm is in`);
  });
}

/** Values that an earlier cluster has too, each with the index of the first cluster that has it. */
function repeated(perCluster: readonly (readonly Found[])[]): (readonly [Found, number])[] {
  const owner = new Map<string, number>();
  return perCluster.flatMap((all, index) =>
    all.flatMap((found) => {
      if (found.value === undefined) return [];
      const first = owner.get(found.value) ?? index;
      owner.set(found.value, first);
      return first === index ? [] : [[found, first] as const];
    }),
  );
}
