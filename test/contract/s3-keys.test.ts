import {
  isSnapshotId,
  manifestKey,
  newSnapshotId,
  snapshotIdOfManifestKey,
  snapshotKey,
  snapshotsPrefix,
} from '../../lambdas/contract/s3-keys';

describe('snapshot ids', () => {
  test('are the time in UTC and eight hex digits, never a revision that was guessed (peer failure 9)', () => {
    expect(newSnapshotId(new Date('2026-11-23T18:28:15.999Z'), Buffer.from('0a1b2c3d', 'hex'))).toBe('20261123T182815Z-0a1b2c3d');
  });

  test.each(['20261123T182815Z-0a1b2c3', '20261123T182815Z-0A1B2C3D', '20261123T182815-0a1b2c3d', '', '../x'])('%p is none', (text) => {
    expect(isSnapshotId(text)).toBe(false);
  });
});

describe('keys', () => {
  const id = '20261123T182815Z-0a1b2c3d';

  test('a manifest key gives its id back, and only for its own cluster', () => {
    expect(snapshotIdOfManifestKey('prod', manifestKey('prod', id))).toBe(id);
    expect(snapshotIdOfManifestKey('prod', manifestKey('prod-eu', id))).toBeUndefined();
  });

  test.each([
    snapshotKey('prod', id),
    `${snapshotsPrefix('prod')}manifest.json`,
    `${snapshotsPrefix('prod')}${id}/x/manifest.json`,
    `${snapshotsPrefix('prod')}nonsense/manifest.json`,
  ])('%s is not a manifest key', (key) => {
    expect(snapshotIdOfManifestKey('prod', key)).toBeUndefined();
  });
});
