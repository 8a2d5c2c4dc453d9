import { zstdCompressSync } from 'node:zlib';
import { kubernetesObject } from '../../local/etcd/kubernetes-objects';
import { RESOURCES } from '../../local/etcd/kubernetes-resources';

const objects = (seed: number, count: number) => Array.from({ length: count }, (_, index) => kubernetesObject(seed, index));

describe('kubernetesObject', () => {
  test('gives the same bytes for the same seed, and others for another', () => {
    expect(objects(7, 50)).toEqual(objects(7, 50));
    expect(objects(8, 50)).not.toEqual(objects(7, 50));
  });

  test('keeps the key of an object over its updates, and changes its value', () => {
    const [first, second] = [kubernetesObject(1, 42, 0), kubernetesObject(1, 42, 1)];

    expect(second.key).toBe(first.key);
    expect(second.value.equals(first.value)).toBe(false);
  });

  test('begins with one object of every resource, each below its own prefix', () => {
    const keys = objects(1, RESOURCES.length).map(({ key }) => key);

    expect(RESOURCES.length).toBeGreaterThanOrEqual(25);
    expect(keys.every((key, index) => key.startsWith(`/registry/${RESOURCES[index]!.prefix}/`))).toBe(true);
  });

  test('never gives two objects the same key', () => {
    expect(new Set(objects(1, 5000).map(({ key }) => key)).size).toBe(5000);
  });

  test('compresses about as well as the data of a real cluster', () => {
    const values = Buffer.concat(objects(1, 4000).map(({ value }) => value));

    const ratio = values.length / zstdCompressSync(values).length;

    expect(ratio).toBeGreaterThan(4);
    expect(ratio).toBeLessThan(9);
  });
});
