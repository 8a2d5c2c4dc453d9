import { warningsOf } from '../../../lib/platform/warnings';
import { api, cluster, file, network, parse } from '../config/configs';
import type { Json } from '../config/configs';

const warnings = (overrides: Json) =>
  Object.fromEntries(warningsOf(parse(file(cluster(overrides))).clusters[0]!).map(({ id, message }) => [id, message]));

test('it names what nothing acts on', () => {
  expect(warnings({ api: api() })['lifeboat:ignored-sections']).toMatch(/keeps no DNS record: .* leaves api\.target alone/);
});

test('it warns of no section when all that are given are acted on', () => {
  const backup = { retention: { daily: 7 }, lock: { days: 1 }, replica: { region: 'eu-west-1' } };

  expect(warnings({ region: 'eu-central-1', backup, certificates: {} })).not.toHaveProperty(['lifeboat:ignored-sections']);
});

test('it warns of alarms that nobody hears', () => {
  expect(warnings({})['lifeboat:unheard-alarms']).toBe('alarms are made and tell nobody; give alarms.email or alarms.topicArn');
  expect(warnings({ alarms: { email: 'a@b.example' } })).not.toHaveProperty(['lifeboat:unheard-alarms']);
});

test.each([
  ['https://10.0.1.10:2379', true],
  ['https://172.16.0.1:2379', true],
  ['https://172.31.255.1:2379', true],
  ['https://192.168.0.1:2379', true],
  ['https://172.15.0.1:2379', false],
  ['https://172.32.0.1:2379', false],
  ['https://203.0.113.1:2379', false],
  ['https://127.0.1.1:2379', false],
  ['https://10.example.com:2379', false],
])('outside a VPC %s cannot be reached: %s', (endpoint, warned) => {
  const id = 'lifeboat:unreachable-members';

  expect(id in warnings({ etcd: { endpoints: [endpoint] } })).toBe(warned);
  expect(warnings({ etcd: { endpoints: [endpoint] }, network: network() })).not.toHaveProperty([id]);
});
