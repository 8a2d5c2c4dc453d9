/** A failure that a person can act on: the message says what was found, what was expected and what to do next. */
export class SetupError extends Error {
  name = 'SetupError';
}
