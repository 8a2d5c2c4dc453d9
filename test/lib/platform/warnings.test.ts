import { warningsOf } from '../../../lib/platform/warnings';
import { api, cluster, file, network, parse } from '../config/configs';
import type { Json } from '../config/configs';

const warnings = (overrides: Json) =>
  Object.fromEntries(warningsOf(parse(file(cluster(overrides))).clusters[0]!).map(({ id, message }) => [id, message]));

test.each([
  ['a public zone gets the private addresses of nodes', { visibility: 'public', target: { healthyNodes: true } }, true],
  ['a private zone gets them', { visibility: 'private', target: { healthyNodes: true } }, false],
  ['a public zone gets addresses that the config gives', { visibility: 'public', target: { addresses: ['203.0.113.10'] } }, false],
])('it warns when %s: %#', (_sentence, change, warned) => {
  expect('lifeboat:public-nodes' in warnings({ api: api(change) })).toBe(warned);
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
