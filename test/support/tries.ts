/**
 * Real processes share the processors of the machine: the gate gives a test that fails one more try, and names it at its end, so that it is
 * looked at and changes nothing that it has no part in. Everywhere else the first failure counts.
 */
const tries = Number(process.env['LIFEBOAT_TEST_TRIES'] ?? 1);
if (tries > 1) jest.retryTimes(tries - 1, { logErrorsBeforeRetry: true });
