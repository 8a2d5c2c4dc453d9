import { askMembers } from '../../lambdas/backup/ask-members';
import type { AskEdges } from '../../lambdas/backup/ask-members';
import type { LiveHashKv } from '../../lambdas/etcd/cluster-view';
import { reachable } from './factories';

/** A file that was taken right after a compaction at its last revision. */
const file = { path: '/spool', revision: 900, compactRevision: 900, hash: Promise.resolve('feedbeef') };
/** What the compaction before it left behind: made of entries that are gone. */
const stored = { hash: '0ldb00cf', compactRevision: 100 };
const future = () => new Error('etcdserver: mvcc: required revision is a future revision');

/** One member that answers HashKV by revision; the function gets the how-manieth question it is. */
async function ask(hashKv: (revision: number, count: number) => LiveHashKv) {
  const asked: number[] = [];
  const edges: AskEdges = {
    etcd: {
      gather: () => Promise.reject(new Error('not asked for')),
      snapshot: () => {
        throw new Error('not asked for');
      },
      hashKv: async (_endpoint, revision) => hashKv(revision, asked.push(revision)),
      close: () => undefined,
    },
    disk: {
      open: () => Promise.reject(new Error('not asked for')),
      inspect: () => Promise.reject(new Error('not asked for')),
      positionOf: () => Promise.reject(new Error('not asked for')),
      hashKvOf: (_path, _revision, compactRevision) => Promise.reject(new RangeError(`the file cannot tell a hash of ${compactRevision}`)),
    },
    wait: async () => undefined,
  };
  const [told] = await askMembers(edges, { votingMembers: 1, members: [reachable('https://one:2379')] }, file);
  return { answer: told?.answer, asked };
}

describe('a file that was compacted at its own revision', () => {
  test('is compared with a hash that the member computes anew, not with the one that its compaction left behind', async () => {
    const { answer, asked } = await ask((revision) => (revision === 0 ? { hash: 'feedbeef', compactRevision: 900 } : stored));

    expect(answer).toEqual({ outcome: 'equal', hash: 'feedbeef', compactRevision: 900 });
    expect(asked).toEqual([900, 0]);
  });

  test('differs from a member that holds something else at the same revision', async () => {
    const { answer } = await ask((revision) => {
      if (revision === 901) throw future();
      return revision === 0 ? { hash: 'deadbeef', compactRevision: 900 } : stored;
    });

    expect(answer).toEqual({ outcome: 'different', hash: 'deadbeef', expected: 'feedbeef', compactRevision: 900 });
  });

  test('cannot be compared once the member has gone on', async () => {
    const { answer } = await ask((revision) => (revision === 900 ? stored : { hash: 'deadbeef', compactRevision: 900 }));

    expect(answer).toEqual({ outcome: 'incomparable', because: 'the file cannot tell a hash of 100' });
  });

  test('is asked for again while a member has yet to apply the compaction', async () => {
    const { answer } = await ask((revision, count) => {
      if (revision === 901) throw future();
      return { hash: count < 6 ? 'deadbeef' : 'feedbeef', compactRevision: count < 6 ? 100 : 900 };
    });

    expect(answer).toMatchObject({ outcome: 'equal' });
  });

  test('is compared at once with a member that was started since and has no such hash', async () => {
    const { answer, asked } = await ask(() => ({ hash: 'feedbeef', compactRevision: 900 }));

    expect(answer).toMatchObject({ outcome: 'equal' });
    expect(asked).toEqual([900]);
  });
});
