import type { ProcessRecord } from '../../../local/cloud';
import { growthOf } from '../../../local/soak/growth';

const calls = (count: number, of: (call: number) => Partial<ProcessRecord> = () => ({})): ProcessRecord[] =>
  Array.from({ length: count }, (_, call) => ({ pid: 1, peakRssKiB: 102_400, rssKiB: 102_400, openFiles: 30, limitMiB: 400, ...of(call) }));

describe('growth of what the processes of a function hold', () => {
  test('is nothing where every call holds the same', () => {
    expect(growthOf(calls(70))).toEqual({
      rssMiB: { first: 100, last: 100 },
      peakRssMiB: { first: 100, last: 100 },
      mostOfLimit: 0.25,
      openFiles: 0,
    });
  });

  test('tells of memory that every call keeps', () => {
    const { rssMiB } = growthOf(calls(83, (call) => ({ rssKiB: 102_400 + call * 1024 })));

    expect(rssMiB).toEqual({ first: 113, last: 173 });
  });

  test('tells of a file that every call keeps open, also when a process that held as many was killed before', () => {
    const { openFiles } = growthOf([
      ...calls(20, () => ({ pid: 1, openFiles: 60 })),
      ...calls(33, (call) => ({ pid: 2, openFiles: 20 + call })),
    ]);

    expect(openFiles).toBe(20);
  });

  test('is not told of the first calls of a process, which still open their connections', () => {
    const warming = (pid: number) => calls(40, (call) => ({ pid, rssKiB: call < 3 ? 10_240 : 102_400, openFiles: call < 3 ? call : 30 }));

    expect(growthOf([...warming(1), ...warming(2)])).toMatchObject({ rssMiB: { first: 100, last: 100 }, openFiles: 0 });
  });

  test('is not told of sockets that come and go', () => {
    expect(growthOf(calls(40, (call) => ({ openFiles: 30 + (call % 2) * 6 }))).openFiles).toBeLessThanOrEqual(6);
    expect(growthOf(calls(40, (call) => ({ openFiles: call === 39 ? 90 : 30 }))).openFiles).toBe(0);
  });

  test('is unknown after too few calls, and where the system does not tell of files', () => {
    expect(growthOf(calls(26, (call) => ({ openFiles: call })))).not.toHaveProperty('openFiles');
    expect(growthOf(calls(27, (call) => ({ openFiles: call })))).toHaveProperty('openFiles', 16);
    expect(growthOf(calls(66))).not.toHaveProperty('rssMiB');
    expect(growthOf(calls(67))).toHaveProperty('rssMiB');
    expect(growthOf(calls(4))).toEqual({ peakRssMiB: { first: 100, last: 100 }, mostOfLimit: 0.25 });
    expect(growthOf(calls(40, () => ({ openFiles: undefined })))).not.toHaveProperty('openFiles');
    expect(growthOf([])).toEqual({ peakRssMiB: { first: 0, last: 0 }, mostOfLimit: 0 });
  });

  test('tells of the call that came nearest to what its function has', () => {
    expect(growthOf(calls(4, (call) => ({ peakRssKiB: call === 2 ? 300 * 1024 : 1024 }))).mostOfLimit).toBe(0.75);
  });

  test('the peaks are those of the first and of the last quarter of all calls', () => {
    const { peakRssMiB } = growthOf(calls(40, (call) => ({ peakRssKiB: (call < 10 ? 200 : call < 30 ? 900 : 300) * 1024 })));

    expect(peakRssMiB).toEqual({ first: 200, last: 300 });
  });
});
