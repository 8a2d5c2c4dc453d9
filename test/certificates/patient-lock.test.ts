import { patientLock } from '../../lambdas/certificates/patient-lock';

const START = new Date('2026-11-26T12:00:00Z').getTime();

/** A lock that somebody else gives back after so many tries, by a clock that waiting moves. */
function world(heldFor: number, minutes: number) {
  let time = START;
  let tries = 0;
  const lock = patientLock(
    {
      acquire: async () =>
        ++tries > heldFor
          ? { acquired: true, release: async () => undefined }
          : { acquired: false, holder: 'rotation of master-1', expiresAt: '2026-11-26T12:16:00Z' },
    },
    { until: new Date(START + minutes * 60_000), now: () => new Date(time), wait: async (milliseconds) => void (time += milliseconds) },
  );
  return { lock, tries: () => tries, waited: () => time - START };
}

describe('a lock that is waited for', () => {
  test('is had at once when it is free', async () => {
    const { lock, waited } = world(0, 8);

    expect(await lock.acquire('me')).toMatchObject({ acquired: true });
    expect(waited()).toBe(0);
  });

  test('is had as soon as whoever had it gives it back', async () => {
    const { lock, waited } = world(12, 8);

    expect(await lock.acquire('me')).toMatchObject({ acquired: true });
    expect(waited()).toBe(120_000);
  });

  test('is given up when what is left is needed for the work, and names its holder', async () => {
    const { lock, tries, waited } = world(Infinity, 8);

    expect(await lock.acquire('me')).toMatchObject({ acquired: false, holder: 'rotation of master-1' });
    expect(waited()).toBe(480_000);
    expect(tries()).toBe(49);
  });

  test('is asked for once when there is no time to wait', async () => {
    const { lock, tries } = world(Infinity, -1);

    expect(await lock.acquire('me')).toMatchObject({ acquired: false });
    expect(tries()).toBe(1);
  });
});
