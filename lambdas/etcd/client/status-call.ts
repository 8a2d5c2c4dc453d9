import type { MemberStatus } from '../cluster-view';
import { fieldsOf, int64, numbersOf } from './message-fields';
import type { UnaryMethod } from './unary-call';

/** What a member says of itself; its name is in the list of members. */
export type StatusAnswer = Omit<MemberStatus, 'name'>;

/** Status (etcdserverpb/rpc.proto, service Maintenance): etcd3's protocol files are older than 3.6 and drop the quota of the database. */
export const STATUS: UnaryMethod<void, StatusAnswer> = {
  path: '/etcdserverpb.Maintenance/Status',
  encode: () => Buffer.alloc(0),
  decode,
};

/**
 * StatusResponse { ResponseHeader header = 1; string version = 2; int64 dbSize = 3; uint64 leader = 4; uint64 raftIndex = 5;
 * uint64 raftTerm = 6; uint64 raftAppliedIndex = 7; repeated string errors = 8; int64 dbSizeInUse = 9; bool isLearner = 10;
 * string storageVersion = 11; int64 dbSizeQuota = 12 (since 3.6; negative when there is no limit) }
 */
function decode(message: Buffer): StatusAnswer {
  const numbers = numbersOf(message);
  const bytes = [...fieldsOf(message)].flatMap((field) => ('bytes' in field ? [field] : []));
  const texts = (number: number) => bytes.filter((field) => field.number === number).map((field) => field.bytes.toString());
  // ResponseHeader { uint64 cluster_id = 1; uint64 member_id = 2; int64 revision = 3; uint64 raft_term = 4 }
  const header = numbersOf(bytes.find(({ number }) => number === 1)?.bytes ?? Buffer.alloc(0));
  const id = header.get(2) ?? 0n;
  const dbQuota = int64(numbers.get(12));
  return {
    id: hex(id),
    clusterId: hex(header.get(1)),
    version: texts(2).at(-1) ?? '',
    leaderId: hex(numbers.get(4)),
    isLearner: numbers.get(10) === 1n,
    dbSize: int64(numbers.get(3)),
    ...(dbQuota > 0 && { dbQuota }),
    revision: int64(header.get(3)),
    raftIndex: int64(numbers.get(5)),
    raftAppliedIndex: int64(numbers.get(7)),
    alarms: alarmsOf(id.toString(), texts(8)),
  };
}

const hex = (id: bigint | undefined): string => (id ?? 0n).toString(16);

/**
 * Alarms as `Status` lists them, `memberID:<decimal> alarm:NOSPACE` (etcd server/etcdserver/api/v3rpc/maintenance.go).
 * The Alarm call itself goes through raft, so it would hang without quorum and write without need.
 */
function alarmsOf(memberId: string, errors: readonly string[]): ('NOSPACE' | 'CORRUPT')[] {
  return errors.flatMap((text) => {
    const match = /memberID:(\d+) alarm:(NOSPACE|CORRUPT)/.exec(text);
    return match?.[1] === memberId ? [match[2] === 'CORRUPT' ? 'CORRUPT' : 'NOSPACE'] : [];
  });
}
