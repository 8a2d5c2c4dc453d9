import { allowedOutcomes, judgeSlot } from '../../../local/soak/judge';
import type { Try } from '../../../local/soak/judge';
import type { BucketView } from '../../../local/soak/bucket';
import { manifest } from '../../backup/snapshots';

const OLD = manifest({ id: '20261116T110000Z-00000001', takenAt: '2026-11-16T11:00:00.000Z', revision: 800 });
const NEW = manifest({ id: '20261116T120000Z-00000002', takenAt: '2026-11-16T12:00:00.000Z', revision: 900 });

function view(manifests: readonly (typeof OLD)[], overrides: Partial<BucketView> = {}): BucketView {
  const objects = new Map(manifests.map(({ id, stored }) => [id, { key: stored.key, bytes: stored.bytes, lastModified: new Date(0) }]));
  return { manifests, objects, unlisted: [], openUploads: [], lockedUntil: new Date(0), ...overrides };
}
const good: Try = { outcome: 'verified', allowed: ['verified'], id: NEW.id };
const failed: Try = { outcome: 'StoreFailed', allowed: ['StoreFailed'] };

test('nothing is wrong with a slot that took its snapshot', () => {
  expect(judgeSlot(view([OLD]), view([OLD, NEW]), [good])).toEqual([]);
});

test.each<[string, BucketView, BucketView, readonly Try[], RegExp]>([
  [
    'a run that ended otherwise than what was done to it allows, with the reason that it gave',
    view([]),
    view([]),
    [{ outcome: 'SnapshotDamaged', allowed: ['verified', 'unverified'], message: 'page 7' }],
    /^ended as SnapshotDamaged \(page 7\), not as verified or unverified$/,
  ],
  ['a snapshot that is said to be taken and is not listed', view([OLD]), view([OLD]), [good], /^20261116T120000Z-00000002 is said/],
  ['a listed snapshot without its object', view([]), view([NEW], { objects: new Map() }), [good], /its object has gone$/],
  [
    'a listed snapshot whose object is of another size',
    view([]),
    view([NEW], { objects: new Map([[NEW.id, { key: '', bytes: 0, lastModified: new Date(0) }]]) }),
    [good],
    /with 1000 bytes, and its object has 0$/,
  ],
  [
    'a revision that went back',
    view([OLD]),
    view([OLD, { ...NEW, revision: 799 }]),
    [good],
    /has revision 799, and 20261116T110000Z-00000001 before it has 800$/,
  ],
  ['two open uploads', view([]), view([], { openUploads: ['a', 'b'] }), [failed], /^2 uploads are open$/],
  [
    'an upload that was open before a run that succeeded, and still is',
    view([OLD], { openUploads: ['a'] }),
    view([OLD, NEW], { openUploads: ['a'] }),
    [good],
    /^upload a outlived a run that succeeded$/,
  ],
])('finds %s', (_what, before, after, tries, problem) => {
  expect(judgeSlot(before, after, tries)).toEqual([expect.stringMatching(problem)]);
});

test('an upload stays open after a run that failed, and one that lost the answer to its beginning may leave another', () => {
  expect(judgeSlot(view([], { openUploads: ['a'] }), view([], { openUploads: ['a'] }), [failed])).toEqual([]);
  expect(judgeSlot(view([]), view([NEW], { openUploads: ['b'] }), [good])).toEqual([]);
});

test.each<[string, Parameters<typeof allowedOutcomes>, readonly string[]]>([
  ['takes a verified snapshot when nothing is in its way', [{ locked: false, quorum: true }, undefined], ['verified']],
  ['takes an unverified one without quorum', [{ locked: false, quorum: false }, undefined], ['unverified']],
  ['ends as what was done to it allows', [{ locked: false, quorum: true }, ['StoreFailed']], ['StoreFailed']],
  ['meets a lock that is held', [{ locked: true, quorum: true }, undefined], ['BackupInProgress']],
  [
    'takes none past a lock, but may fail before it reaches it',
    [{ locked: true, quorum: true }, ['verified', 'StoreFailed', 'unverified']],
    ['BackupInProgress', 'StoreFailed'],
  ],
])('a run %s', (_sentence, [circumstances, struck], allowed) => {
  expect(allowedOutcomes(circumstances, struck)).toEqual(allowed);
});
