import { MOST_NAMED } from '../contract/authority-rotation';

/** As many of them as are kept, and how many more there are. */
export const few = (names: readonly string[]): string[] =>
  names.length <= MOST_NAMED
    ? names.map((name) => name.slice(0, 300))
    : [...names.slice(0, MOST_NAMED).map((name) => name.slice(0, 300)), `and ${names.length - MOST_NAMED} more`];
