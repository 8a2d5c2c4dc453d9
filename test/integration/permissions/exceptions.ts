import type { Exception } from '../../support/permissions/judge';

/** Rights that no call in the local cloud uses. One that is used after all, or that nobody has, fails the test. */
export const exceptions: readonly Exception[] = [
  {
    action: 'logs:*',
    because: 'Lambda itself writes what a function prints, with the function’s role; the emulator writes it without asking anybody.',
  },
  {
    action: 'sqs:SendMessage',
    because:
      'Lambda itself sends a run that failed for good to the dead-letter queue, with the function’s role; the emulator sends it without asking. That it arrives is a scenario.',
  },
];
