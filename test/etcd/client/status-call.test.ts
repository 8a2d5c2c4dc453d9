import path from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { HASH_KV } from '../../../lambdas/etcd/client/hash-kv-call';
import { STATUS } from '../../../lambdas/etcd/client/status-call';
import { field, integerField } from '../../../local/etcd/protobuf';

// Encoded by the library that the product does not use here.
const proto = loadSync(path.join(__dirname, '../../../node_modules/etcd3/proto/rpc.proto'), { keepCase: true, longs: String });
const calls = proto['etcdserverpb.Maintenance'] as unknown as Record<'Status' | 'HashKV', MethodDefinition<object, object>>;

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const exact = fc.nat({ max: Number.MAX_SAFE_INTEGER });

test('a status is read as the library that wrote it meant it', () => {
  const answer = fc.record({ clusterId: uint64, id: uint64, leader: uint64, revision: exact, dbSize: exact, raftIndex: exact, applied: exact, isLearner: fc.boolean(), version: fc.string() }); // prettier-ignore
  fc.assert(
    fc.property(answer, (said) => {
      const header = { cluster_id: String(said.clusterId), member_id: String(said.id), revision: String(said.revision), raft_term: '7' };
      const message = calls.Status.responseSerialize({
        ...{ header, version: said.version, dbSize: String(said.dbSize), leader: String(said.leader), isLearner: said.isLearner },
        ...{ raftIndex: String(said.raftIndex), raftTerm: '7', raftAppliedIndex: String(said.applied) },
        errors: [`memberID:${said.id} alarm:NOSPACE `, 'memberID:1 alarm:CORRUPT ', 'etcdserver: no leader'],
      });

      expect(STATUS.decode(message)).toEqual({
        id: said.id.toString(16),
        clusterId: said.clusterId.toString(16),
        version: said.version,
        leaderId: said.leader.toString(16),
        isLearner: said.isLearner,
        dbSize: said.dbSize,
        revision: said.revision,
        raftIndex: said.raftIndex,
        raftAppliedIndex: said.applied,
        alarms: said.id === 1n ? ['NOSPACE', 'CORRUPT'] : ['NOSPACE'],
      });
    }),
  );
});

const minusOne = Buffer.concat([Buffer.from([12 * 8]), Buffer.alloc(9, 255), Buffer.from([1])]);
test.each<[string, Buffer, number | undefined]>([
  ['told since 3.6', integerField(12, 8 * 1024 ** 3), 8 * 1024 ** 3],
  ['missing before', Buffer.alloc(0), undefined],
  ['negative where there is no limit', minusOne, undefined],
])('the quota of the database is %s', (_what, message, dbQuota) => {
  expect(STATUS.decode(message).dbQuota).toBe(dbQuota);
});

test('fields that a later etcd adds are left out', () => {
  const later = Buffer.concat([field(13, integerField(1, 1)), integerField(99, 5), field(2, '3.9.0')]);

  expect(STATUS.decode(later).version).toBe('3.9.0');
});

test('a hash of HashKV is read as the library that wrote it meant it', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.integer({ min: -1, max: 2 ** 31 - 1 }), (hash, compact) => {
      const message = calls.HashKV.responseSerialize({ hash, compact_revision: String(compact) });

      expect(HASH_KV.decode(message)).toEqual({ hash: hash.toString(16).padStart(8, '0'), compactRevision: compact });
    }),
  );
});

test.each<[string, Buffer, string]>([
  ['is cut off inside a number', Buffer.from([0x18, 0x80]), 'an answer is cut off inside a number'],
  ['is cut off inside a text', field(2, '3.6.0').subarray(0, 5), 'field 2 of an answer is cut off'],
  ['has a number that never ends', Buffer.alloc(20, 0xff), 'an answer is cut off inside a number'],
  ['holds a field of another kind', Buffer.from([0x1d, 1, 2, 3, 4]), 'field 3 of an answer is of wire type 5'],
])('an answer that %s is refused', (_what, message, expected) => {
  expect(() => STATUS.decode(message)).toThrow(new RangeError(expected));
});
