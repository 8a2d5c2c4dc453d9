import { ConfigError } from '../../../lib/config/config-error';
import { parseConfig } from '../../../lib/config/load-config';
import { api, cluster, file, mistakesIn, network, parse } from './configs';
import type { Json } from './configs';

test('fills in what an operator would expect', () => {
  const [parsed] = parse(file(cluster())).clusters;

  expect(parsed).toEqual({
    name: 'prod',
    account: undefined,
    region: undefined,
    terminationProtection: true,
    tags: {},
    nodes: {
      tag: { key: 'lifeboat/control-plane', value: 'prod' },
      drillTag: { key: 'lifeboat/drill', value: 'prod' },
      manifestDir: '/etc/kubernetes/manifests',
      pkiDir: '/etc/kubernetes/pki',
      etcdDataDir: '/var/lib/etcd',
    },
    etcd: { endpoints: ['https://10.0.1.10:2379'], topology: 'stacked' },
    backup: {
      drill: { on: 'function', schedule: 'cron(30 4 ? * SUN *)', alarmAfterDays: 15 },
      schedule: 'rate(1 hour)',
      retention: {
        hourly: 24,
        daily: 14,
        weekly: 8,
        monthly: 12,
        yearly: 0,
        floor: 3,
        preChangeDays: 30,
        unverifiedDays: 7,
        lineageDays: 90,
      },
      lock: { mode: 'governance', days: 7 },
      maxDbSizeGiB: 8,
    },
    logs: { retentionDays: 365 },
  });
});

test('fills in a section that is given in part', () => {
  const [parsed] = parse(file(cluster({ network: network(), api: api(), certificates: {} }))).clusters;

  expect(parsed?.network?.endpoints).toEqual({ s3: 'existing', secretsManager: 'existing' });
  expect(parsed?.api).toMatchObject({ visibility: 'private', port: 6443 });
  expect(parsed?.certificates).toEqual({
    leafValidityDays: 90,
    renewBeforeDays: 30,
    caValidityYears: 5,
    authorities: { exchange: 'by-hand', approval: 'ask', rotateBeforeDays: { cluster: 180, etcd: 180, frontProxy: 180 } },
    extraSans: [],
  });
});

test('gives every cluster the account and region of the file unless it says its own', () => {
  const other = cluster({ name: 'other', etcd: { endpoints: ['https://b:2379'] }, account: '444455556666', region: 'eu-west-1' });

  const { clusters } = parse({ account: '111122223333', region: 'eu-central-1', ...file(cluster(), other) });

  expect(clusters.map(({ account, region }) => [account, region])).toEqual([
    ['111122223333', 'eu-central-1'],
    ['444455556666', 'eu-west-1'],
  ]);
});

test.each([
  ['a load balancer', { loadBalancerArn: NLB() }, { kind: 'load-balancer', arn: NLB() }],
  ['addresses', { addresses: ['203.0.113.10', '203.0.113.11'] }, { kind: 'addresses', addresses: ['203.0.113.10', '203.0.113.11'] }],
  ['healthy nodes', { healthyNodes: true }, { kind: 'healthy-nodes' }],
])('reads %s as the target of the API', (_kind, target, expected) => {
  expect(parse(file(cluster({ api: api({ target }) }))).clusters[0]?.api?.target).toEqual(expected);
});

function NLB(): string {
  return 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/api/0123456789abcdef';
}

const backup = (section: Json) => cluster({ backup: section });
const etcd = (...endpoints: unknown[]) => cluster({ etcd: { endpoints } });
const target = (section: Json) => cluster({ api: api({ target: section }) });
const net = (section: Json) => cluster({ network: network(section) });

test.each<[string, unknown, string]>([
  ['a name in upper case', cluster({ name: 'Prod' }), 'name: "Prod" is not a cluster name: lower-case'],
  ['a name that ends in a hyphen', cluster({ name: 'prod-' }), 'name: "prod-" is not a cluster name'],
  ['a name that begins with a digit', cluster({ name: '1prod' }), 'name: "1prod" is not a cluster name'],
  ['a name of 64 characters', cluster({ name: 'a'.repeat(64) }), 'is not a cluster name'],
  ['no name', cluster({ name: undefined }), 'name: is missing; give a cluster name'],
  ['an account as a number', cluster({ account: 111122223333 }), 'account: 111122223333 is not an account id: twelve digits in quotes'],
  ['a zone for a region', cluster({ region: 'eu-central-1a' }), 'region: "eu-central-1a" is not a region such as eu-central-1'],
  ['a word for a switch', cluster({ terminationProtection: 'no' }), 'terminationProtection: "no" is not true or false'],
  ['a reserved tag', cluster({ tags: { 'aws:team': 'x' } }), 'tags["aws:team"]: "aws:team" is not a tag key'],
  ['a number for a tag', cluster({ tags: { team: 7 } }), 'tags.team: 7 is not a tag value'],
  ['a subnet for a VPC', net({ vpcId: 'subnet-0123456789abcdef0' }), 'network.vpcId: "subnet-0123456789abcdef0" is not a VPC id'],
  ['no subnets', net({ subnetIds: [] }), 'network.subnetIds: is empty; give 1 to 16 subnet ids'],
  ['no security groups', net({ securityGroupIds: undefined }), 'network.securityGroupIds: is missing; give a list of security group ids'],
  [
    'a subnet twice',
    net({ subnetIds: ['subnet-01234567', 'subnet-01234567'] }),
    'network.subnetIds[1]: "subnet-01234567" is a duplicate of item 0',
  ],
  ['an S3 endpoint without route tables', net({ endpoints: { s3: 'create' } }), 'network.endpoints.s3: "create" is neither "existing" nor'],
  ['a misspelled endpoint', net({ endpoints: { secretsManager: 'make' } }), 'secretsManager: "make" is not one of "existing", "create"'],
  ['a path with a closing slash', cluster({ nodes: { pkiDir: '/etc/pki/' } }), 'nodes.pkiDir: "/etc/pki/" is not an absolute path'],
  ['no etcd', cluster({ etcd: undefined }), 'etcd: is missing; give an object: the etcd members'],
  ['no endpoints', etcd(), 'etcd.endpoints: is empty; give 1 to 9 client URLs'],
  ['an endpoint over http', etcd('http://a:2379'), 'etcd.endpoints[0]: "http://a:2379" is not https; use "https://a:2379"'],
  [
    'an endpoint twice',
    etcd('https://a:2379', 'https://a:2379'),
    'etcd.endpoints[1]: "https://a:2379" is a duplicate of item 0; remove one',
  ],
  [
    'an unknown topology',
    cluster({ etcd: { endpoints: ['https://a:1'], topology: 'both' } }),
    'etcd.topology: "both" is not one of "stacked", "external"',
  ],
  ['a relative API name', cluster({ api: api({ name: 'api' }) }), 'api.name: "api" is not a fully qualified domain name'],
  ['a zone path', cluster({ api: api({ zoneId: '/hostedzone/Z0123' }) }), 'api.zoneId: "/hostedzone/Z0123" is not a hosted zone id'],
  ['port 0', cluster({ api: api({ port: 0 }) }), 'api.port: 0 is not a whole number from 1 to 65535'],
  ['port 65536', cluster({ api: api({ port: 65536 }) }), 'api.port: 65536 is not a whole number from 1 to 65535'],
  ['no target', target({}), 'api.target: has no target; give exactly one of loadBalancerArn, addresses, healthyNodes'],
  [
    'two targets',
    target({ addresses: ['203.0.113.10'], healthyNodes: true }),
    'api.target: has addresses and healthyNodes; give exactly one of',
  ],
  ['an IPv6 address for an A record', target({ addresses: ['2001:db8::1'] }), 'api.target.addresses[0]: "2001:db8::1" is an IPv6 address'],
  [
    'an application load balancer',
    target({ loadBalancerArn: NLB().replace('/net/', '/app/') }),
    'is not the ARN of a network load balancer',
  ],
  ['healthyNodes: false', target({ healthyNodes: false }), 'api.target.healthyNodes: false is not true; leave the key out instead'],
  ['a schedule in words', backup({ schedule: 'hourly' }), 'backup.schedule: "hourly" is not a schedule; use rate(1 hour)'],
  ['a floor of 0', backup({ retention: { floor: 0 } }), 'backup.retention.floor: 0 is not a whole number from 1 to 1000'],
  ['a negative retention', backup({ retention: { daily: -1 } }), 'backup.retention.daily: -1 is not a whole number from 1 to 1000'],
  ['half a snapshot', backup({ retention: { weekly: 1.5 } }), 'backup.retention.weekly: 1.5 is not a whole number'],
  ['a lock of 0 days', backup({ lock: { days: 0 } }), 'backup.lock.days: 0 is not a whole number from 1 to 36500'],
  [
    'a lock without a mode of S3',
    backup({ lock: { mode: 'legal' } }),
    'backup.lock.mode: "legal" is not one of "governance", "compliance"',
  ],
  ['an alarm after 0 hours', backup({ alarmAfterHours: 0 }), 'backup.alarmAfterHours: 0 is not a whole number from 1 to 8784'],
  [
    'an alarm between two backups',
    backup({ schedule: 'rate(6 hours)', alarmAfterHours: 6 }),
    'backup.alarmAfterHours: 6 is too short for rate(6 hours), which pauses for up to 6 hours; use at least 7',
  ],
  [
    'a drill on the nodes of the cluster',
    backup({ drill: { on: 'nodes' } }),
    'backup.drill.on: "nodes" is not one of "function", "machines"',
  ],
  ['a drill in words', backup({ drill: { schedule: 'weekly' } }), 'backup.drill.schedule: "weekly" is not a schedule; use rate(1 hour)'],
  [
    'an alarm after 0 days without a drill',
    backup({ drill: { alarmAfterDays: 0 } }),
    'backup.drill.alarmAfterDays: 0 is not a whole number from 1 to 366',
  ],
  [
    'an alarm between two drills',
    backup({ drill: { schedule: 'cron(0 4 1 * ? *)' } }),
    'backup.drill.alarmAfterDays: 15 is too short for cron(0 4 1 * ? *), which pauses for up to 31 days; use at least 32',
  ],
  ['a database of 9 GiB', backup({ maxDbSizeGiB: 9 }), 'backup.maxDbSizeGiB: 9 is not a whole number from 1 to 8'],
  ['a database of 0 GiB', backup({ maxDbSizeGiB: 0 }), 'backup.maxDbSizeGiB: 0 is not a whole number from 1 to 8'],
  [
    'a renewal on the last day',
    cluster({ certificates: { leafValidityDays: 30 } }),
    'certificates.renewBeforeDays: 30 is not less than leafValidityDays, 30',
  ],
  [
    'an exchange in half the life of an authority',
    cluster({ certificates: { caValidityYears: 1, authorities: { rotateBeforeDays: { etcd: 183 } } } }),
    'certificates.authorities.rotateBeforeDays.etcd: 183 is more than half of caValidityYears, 1; use at most 182',
  ],
  [
    'an exchange in the last days',
    cluster({ certificates: { authorities: { rotateBeforeDays: { cluster: 29 } } } }),
    'certificates.authorities.rotateBeforeDays.cluster: 29 is not a whole number from 30 to 5475',
  ],
  [
    'an exchange by nobody',
    cluster({ certificates: { authorities: { exchange: 'never' } } }),
    'certificates.authorities.exchange: "never" is not one of "by-hand", "scheduled"',
  ],
  ['a wildcard as a name', cluster({ certificates: { extraSans: ['*'] } }), 'certificates.extraSans[0]: "*" is neither an IP address nor'],
  ['an alias for a key', cluster({ kms: { keyArn: 'alias/lifeboat' } }), 'kms.keyArn: "alias/lifeboat" is not the ARN of a KMS key'],
  [
    'a log period that CloudWatch does not know',
    cluster({ logs: { retentionDays: 8 } }),
    'logs.retentionDays: 8 is not a period that CloudWatch Logs knows: 1, 3',
  ],
  ['nobody to alarm', cluster({ alarms: {} }), 'alarms: has no receiver; give exactly one of email, topicArn'],
  [
    'two to alarm',
    cluster({ alarms: { email: 'a@b.example', topicArn: 'arn:aws:sns:eu-central-1:111122223333:t' } }),
    'alarms: has two receivers',
  ],
  ['no e-mail address', cluster({ alarms: { email: 'platform' } }), 'alarms.email: "platform" is not an e-mail address'],
  ['a list for a section', cluster({ backup: [] }), 'backup: [] is not an object: snapshots'],
])('refuses %s', (_sentence, wrong, expected) => {
  const mistakes = mistakesIn(file(wrong));

  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toMatch(/^clusters\[0\]\./);
  expect(mistakes[0]).toContain(expected);
});

const a = (overrides: Json = {}) => cluster({ name: 'a', etcd: { endpoints: ['https://a:1'] }, ...overrides });
const b = (overrides: Json = {}) => cluster({ name: 'b', etcd: { endpoints: ['https://b:1'] }, ...overrides });
const routed = network({ endpoints: { s3: { routeTableIds: ['rtb-01234567'] } } });

test.each<[string, unknown, string]>([
  ['no clusters', file(), 'clusters: is empty; give 1 to 100 clusters'],
  ['no list of clusters', {}, 'clusters: is missing; give a list of clusters'],
  ['a list for the file', [], '[] is not an object: the config of kube-lifeboat'],
  [
    'two clusters of one name',
    file(a(), b({ name: 'a' })),
    'clusters[1].name: "a" is the name of clusters[0] already; give each cluster its own',
  ],
  [
    'a member of two clusters',
    file(a(), b({ etcd: { endpoints: ['https://a:1'] } })),
    'clusters[1].etcd.endpoints[0]: "https://a:1" is a member of clusters[0] already',
  ],
  [
    'a route table with two S3 endpoints',
    file(a({ network: routed }), b({ network: routed })),
    'clusters[1].network.endpoints.s3.routeTableIds[0]: "rtb-01234567" gets the S3 endpoint of clusters[0] already',
  ],
  [
    'a replica beside its stack',
    file(a({ region: 'eu-west-1', backup: { replica: { region: 'eu-west-1' } } })),
    'clusters[0].backup.replica.region: "eu-west-1" is the region of the cluster\'s own stack',
  ],
  [
    'a replica in the region of the file',
    { region: 'eu-west-1', ...file(a({ backup: { replica: { region: 'eu-west-1' } } })) },
    'clusters[0].backup.replica.region: "eu-west-1" is the region',
  ],
  [
    'a replica of a stack that may be anywhere',
    file(a({ backup: { replica: { region: 'eu-west-1' } } })),
    'clusters[0].backup.replica.region: "eu-west-1" may be the region of the cluster\'s own stack; give the cluster its region too',
  ],
  [
    'a topic that the alarms of its cluster cannot reach',
    { region: 'eu-west-1', ...file(a({ alarms: { topicArn: 'arn:aws:sns:eu-central-1:111122223333:t' } })) },
    'clusters[0].alarms.topicArn: "arn:aws:sns:eu-central-1:111122223333:t" is not in eu-west-1',
  ],
])('refuses %s', (_sentence, wrong, expected) => {
  const mistakes = mistakesIn(wrong);

  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toContain(expected);
});

test.each([
  ['of its own', file(a({ region: 'eu-central-1', backup: { replica: { region: 'eu-west-1' } } }))],
  ['of the file', { region: 'eu-central-1', ...file(a({ backup: { replica: { region: 'eu-west-1' } } })) }],
  [
    'of its own, whatever the file says',
    { region: 'eu-west-1', ...file(a({ region: 'eu-central-1', backup: { replica: { region: 'eu-west-1' } } })) },
  ],
])('accepts a replica in another region than that %s', (_whose, config) => {
  expect(mistakesIn(config)).toEqual([]);
});

test.each([
  ['clusters[0].etcd: unknown key "endpoint"; did you mean "endpoints"?', cluster({ etcd: { endpoints: ['https://a:1'], endpoint: 1 } })],
  ['clusters[0]: unknown key "Backup"; did you mean "backup"?', cluster({ Backup: {} })],
  ['clusters[0].backup.retention: unknown key "huorly"; did you mean "hourly"?', backup({ retention: { huorly: 1 } })],
  [
    'clusters[0].alarms: unknown key "pagerduty"; known keys are email, topicArn',
    cluster({ alarms: { email: 'a@b.example', pagerduty: 1 } }),
  ],
])('says %s', (expected, wrong) => {
  expect(mistakesIn(file(wrong))).toContain(expected);
});

test('tells every mistake at once, also those between clusters', () => {
  const wrong = file(
    { name: 'Prod', etcd: { endpoints: ['http://a:1', 5], tpology: 'stacked' }, api: api({ zoneId: 'x' }), bakcup: {} },
    b({ certificates: { leafValidityDays: 10 } }),
    b({ backup: { schedule: 'rate(0 minutes)' } }),
    7,
  );

  expect(mistakesIn(wrong).map((line) => line.split(': ')[0])).toEqual([
    'clusters[0].name',
    'clusters[0].etcd.endpoints[0]',
    'clusters[0].etcd.endpoints[1]',
    'clusters[0].etcd',
    'clusters[0].api.zoneId',
    'clusters[0]',
    'clusters[1].certificates.renewBeforeDays',
    'clusters[2].backup.schedule',
    'clusters[3]',
    'clusters[2].name',
    'clusters[2].etcd.endpoints[0]',
  ]);
});

test('counts the mistakes and names the file', () => {
  expect(() => parseConfig('{}', 'lifeboat.json')).toThrow(ConfigError);
  expect(() => parseConfig('{}', 'lifeboat.json')).toThrow('lifeboat.json has 1 mistake\nclusters: is missing; give a list of clusters');
});

test('cuts a long value', () => {
  const [mistake] = mistakesIn(file(cluster({ region: 'x'.repeat(1000) })));

  expect(mistake).toContain(`"${'x'.repeat(79)}… is not a region`);
});
