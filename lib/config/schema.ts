// lifeboat.json, readable as its specification. Rules about several clusters are in whole-file.ts.
import { z } from 'zod';
import { endpointMistake, fqdnMistake, ipv4Mistake } from './addresses';
import { always, checkedText, list, oneOf, section, show, text, whole, words, yesOrNo } from './fields';
import { Certificates } from './certificates';
import { scheduleMistake } from './schedule';
import { alarmAfterMistake, drillAlarmMistake } from './schedule-pauses';
import { checkWholeFile } from './whole-file';

/**
 * The largest etcd database that a backup can hold, in GiB: etcd suggests 8 GiB as the greatest quota
 * (https://etcd.io/docs/v3.6/dev-guide/limit/), and 8 GiB of file + 1 GiB of headroom = 9 GiB fit the 10 GiB of a function's own disk.
 */
export const LARGEST_DB_GIB = 8;

/** The retention periods that CloudWatch Logs knows, in days. */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const logDays = `a period that CloudWatch Logs knows: ${LOG_DAYS.join(', ')} days`;

const account = text('an account id: twelve digits in quotes', /^\d{12}$/);
const region = text('a region such as eu-central-1', /^[a-z]{2}(-[a-z]+)+-\d$/);
const arn = (what: string, service: string, resource: string) =>
  text(`${what}, arn:aws:${service}:…`, new RegExp(`^arn:aws(-[a-z]+)*:${service}:[a-z0-9-]+:\\d{12}:${resource}$`));
const ec2 = (what: string, prefix: string) =>
  text(`${what} such as ${prefix}-0123456789abcdef0`, new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`));
const tagKey = text('a tag key, at most 128 characters and not beginning with aws:', /^(?!aws:)[\w .:/=+@-]{1,128}$/);
const tagValue = text('a tag value, at most 256 characters', /^[\w .:/=+@-]{0,256}$/);
const directory = text('an absolute path without a closing slash', /^(\/[A-Za-z0-9._-]+)+$/);

const RouteTables = section('{ "routeTableIds": ["rtb-…"] }: create the gateway endpoint in these route tables', {
  routeTableIds: list('route table ids', ec2('a route table id', 'rtb')),
});
const s3Endpoint = z
  .union([z.literal('existing'), RouteTables], {
    error: ({ input }) => `${show(input)} is neither "existing" nor { "routeTableIds": ["rtb-…"] }`,
  })
  .describe('how functions reach S3');

/**
 * Left out, functions run outside any VPC: they reach AWS by its public endpoints, and etcd only where it listens on the internet
 * or on the same machine, as in a local demo. Inside a VPC without NAT they reach AWS by endpoints alone: S3 and Secrets Manager.
 */
const Network = section('the network that functions run in; left out, they run outside any VPC, as in a local demo', {
  vpcId: ec2('a VPC id', 'vpc'),
  subnetIds: list('subnet ids, one per availability zone', ec2('a subnet id', 'subnet'), { max: 16 }),
  securityGroupIds: list('security group ids that etcd accepts and that may leave by TCP 443', ec2('a security group id', 'sg'), {
    max: 5,
  }),
  endpoints: section('how functions reach AWS without NAT: by what the VPC has, or by endpoints that the stack makes', {
    s3: s3Endpoint.default('existing'),
    secretsManager: oneOf('how functions reach Secrets Manager', ['existing', 'create']).default('existing'),
  }).prefault({}),
});

const Nodes = section('how control-plane nodes are found and where kubeadm put things on them', {
  tag: section('the EC2 tag that every control-plane node carries', {
    key: tagKey,
    value: tagValue,
  }).optional(),
  drillTag: section('the EC2 tag of machines on which restores are only tried', {
    key: tagKey,
    value: tagValue,
  }).optional(),
  manifestDir: directory.default('/etc/kubernetes/manifests'),
  pkiDir: directory.default('/etc/kubernetes/pki'),
  etcdDataDir: directory.default('/var/lib/etcd'),
});

const Etcd = section('the etcd members', {
  endpoints: list(
    'client URLs of etcd members, https://host:2379',
    checkedText('a client URL of an etcd member, https://host:2379', endpointMistake),
    {
      max: 9,
    },
  ),
  topology: oneOf('where etcd runs: on the masters, or on machines of its own', ['stacked', 'external']).default('stacked'),
});

/** What the API's A record leads to, as one of three kinds; the file says which by the key that it gives. */
export type ApiTarget =
  | { readonly kind: 'load-balancer'; readonly arn: string }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'healthy-nodes' };

const TARGETS = ['loadBalancerArn', 'addresses', 'healthyNodes'] as const;
const Target = section('exactly one of loadBalancerArn, addresses, healthyNodes', {
  loadBalancerArn: arn(
    'the ARN of a network load balancer',
    'elasticloadbalancing',
    'loadbalancer/net/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}',
  ).optional(),
  addresses: list('IPv4 addresses', checkedText('an IPv4 address', ipv4Mistake)).optional(),
  healthyNodes: z.literal(true, { error: ({ input }) => `${show(input)} is not true; leave the key out instead` }).optional(),
})
  .meta({ oneOf: TARGETS.map((key) => ({ required: [key] })) })
  .superRefine((target, context) => {
    const given = TARGETS.filter((key) => key in target);
    if (given.length === 1) return;
    context.addIssue({
      code: 'custom',
      message: `has ${given.length === 0 ? 'no target' : given.join(' and ')}; give exactly one of ${TARGETS.join(', ')}`,
    });
  }, always)
  .transform(({ loadBalancerArn, addresses }): ApiTarget => {
    if (loadBalancerArn !== undefined) return { kind: 'load-balancer', arn: loadBalancerArn };
    return addresses === undefined ? { kind: 'healthy-nodes' } : { kind: 'addresses', addresses };
  });

const Api = section('the name of the Kubernetes API and what it leads to', {
  name: checkedText('a fully qualified domain name such as api.k8s.example.com', fqdnMistake),
  zoneId: text('a hosted zone id such as Z0123456789ABCDEFGHIJ', /^Z[A-Z0-9]{3,31}$/),
  visibility: oneOf('the kind of the hosted zone', ['public', 'private']).default('private'),
  port: whole('the TCP port of the API', 1, 65535).default(6443),
  target: Target,
});

const Backup = section('snapshots: when, how long, how large', {
  schedule: checkedText('a schedule, rate(…) or cron(…) in UTC', scheduleMistake).default('rate(1 hour)'),
  retention: section('how many verified snapshots to keep of each kind, and how long others', {
    hourly: whole('hourly snapshots', 1, 1000).default(24),
    daily: whole('daily snapshots', 1, 1000).default(14),
    weekly: whole('weekly snapshots', 1, 1000).default(8),
    monthly: whole('monthly snapshots', 1, 1000).default(12),
    yearly: whole('yearly snapshots; every one holds the secrets of its time', 0, 100).default(0),
    floor: whole('verified snapshots that survive any policy', 1, 1000).default(3),
    preChangeDays: whole('days that a snapshot by hand, before a restore or before a rotation is kept', 1, 36500).default(30),
    unverifiedDays: whole('days that an unverified snapshot is kept beside a newer verified one', 1, 36500).default(7),
    lineageDays: whole('days that the last verified snapshot before a restore is kept', 1, 36500).default(90),
  }).prefault({}),
  lock: section('Object Lock on every snapshot', {
    mode: oneOf('who may lift a lock: nobody in compliance mode', ['governance', 'compliance']).default('governance'),
    days: whole('days that a snapshot cannot be deleted', 1, 36500).default(7),
  }).prefault({}),
  replica: section('a copy of every snapshot in another region', { region }).optional(),
  maxDbSizeGiB: whole('GiB of the largest database; the function’s own disk is sized from it', 1, LARGEST_DB_GIB).default(LARGEST_DB_GIB),
  drill: section('the proof that the newest verified snapshot, as it lies in S3, is still what was taken', {
    on: oneOf('what a drill runs on: a function opens the file, machines with nodes.drillTag boot etcd from it', [
      'function',
      'machines',
    ]).default('function'),
    schedule: checkedText('a schedule, rate(…) or cron(…) in UTC', scheduleMistake).default('cron(30 4 ? * SUN *)'),
    alarmAfterDays: whole('days without a drill that passed until the alarm: two weekly slots and a day', 1, 366).default(15),
  })
    .superRefine(({ schedule, alarmAfterDays }, context) => {
      const mistake = drillAlarmMistake(schedule, alarmAfterDays);
      if (mistake !== undefined) context.addIssue({ code: 'custom', path: ['alarmAfterDays'], message: mistake });
    }, always)
    .prefault({}),
  alarmAfterHours: whole(
    'hours without a verified snapshot until the alarm; left out, the schedule may miss one slot and an hour',
    1,
    8784,
  ).optional(),
}).superRefine(({ schedule, alarmAfterHours }, context) => {
  const mistake = alarmAfterMistake(schedule, alarmAfterHours);
  if (mistake !== undefined) context.addIssue({ code: 'custom', path: ['alarmAfterHours'], message: mistake });
}, always);

const Alarms = section('who is told: exactly one of email and topicArn', {
  email: text('an e-mail address', /^[^\s@]+@[^\s@]+\.[^\s@]+$/).optional(),
  topicArn: arn('the ARN of an SNS topic', 'sns', '[A-Za-z0-9_-]{1,256}').optional(),
})
  .meta({ oneOf: [{ required: ['email'] }, { required: ['topicArn'] }] })
  .superRefine((alarms, context) => {
    const given = Object.keys(alarms).length;
    if (given !== 1)
      context.addIssue({
        code: 'custom',
        message: `has ${given === 0 ? 'no receiver' : 'two receivers'}; give exactly one of email, topicArn`,
      });
  }, always);

const Cluster = section('one cluster, which becomes one stack', {
  name: text(
    'a cluster name: lower-case letters, digits and inner hyphens, a letter first, at most 63',
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  ),
  account: account.optional(),
  region: region.optional(),
  terminationProtection: yesOrNo('whether CloudFormation refuses to delete the stack').default(true),
  tags: words('tags on everything of this cluster', tagKey, tagValue).default({}),
  network: Network.optional(),
  nodes: Nodes.prefault({}),
  etcd: Etcd,
  api: Api.optional(),
  backup: Backup.prefault({}),
  certificates: Certificates.optional(),
  kms: section('a KMS key that exists already, instead of one that the stack makes', {
    keyArn: arn('the ARN of a KMS key', 'kms', 'key/[0-9a-f-]{36}'),
  }).optional(),
  logs: section('logs of the functions', {
    retentionDays: z
      .literal(LOG_DAYS, { error: ({ input }) => `${show(input)} is not ${logDays}` })
      .describe(logDays)
      .default(365),
  }).prefault({}),
  alarms: Alarms.optional(),
});

/** The whole file. `account` and `region` at the top hold for every cluster that does not say its own. */
export const Lifeboat = section('the config of kube-lifeboat', {
  $schema: z.string().optional().describe('where editors find the JSON Schema'),
  account: account.optional(),
  region: region.optional(),
  clusters: list('clusters', Cluster),
})
  .superRefine(checkWholeFile, always)
  .transform(({ account, region, clusters }) => ({
    clusters: clusters.map((cluster) => ({
      ...cluster,
      account: cluster.account ?? account,
      region: cluster.region ?? region,
      nodes: {
        ...cluster.nodes,
        tag: cluster.nodes.tag ?? { key: 'lifeboat/control-plane', value: cluster.name },
        drillTag: cluster.nodes.drillTag ?? { key: 'lifeboat/drill', value: cluster.name },
      },
    })),
  }));

export type Config = z.output<typeof Lifeboat>;
export type ClusterConfig = Config['clusters'][number];
export type NetworkConfig = NonNullable<ClusterConfig['network']>;
