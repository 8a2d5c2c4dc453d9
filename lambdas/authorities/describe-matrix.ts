import type { AuthorityName } from '../contract/certificate-names';
import type { PathMatrix } from './path-matrix';
import { printFailing } from './path-matrix';

/**
 * The matrix as text for a report: of each authority a table with a row for each server and a column for each store, by number, and below it what
 * fails and why. Nothing in it is secret. Ends without a line break.
 */
export const describeMatrix = (matrix: PathMatrix): string =>
  matrix.authorities
    .flatMap(({ authority, accepted, of, means }) => [
      `${authority}: ${accepted} of ${of} accepted, ${means}`,
      ...table(matrix, authority).map((line) => `  ${line}`),
      ...matrix.failing.filter((each) => each.authority === authority).map((each) => `  refused: ${printFailing(each)}`),
    ])
    .join('\n');

function table({ cells }: PathMatrix, authority: AuthorityName): readonly string[] {
  const own = cells.filter((cell) => cell.authority === authority);
  const stores = [...new Set(own.map(({ store }) => store))];
  const servers = [...new Set(own.map(({ server }) => server))];
  const width = Math.max(...servers.map(({ length }) => length));
  const mark = (server: string, store: string): string => {
    const cell = own.find((each) => each.server === server && each.store === store);
    return cell?.verdict.accepted === true ? 'ok' : 'NO';
  };
  const line = (first: string, rest: readonly string[]): string => [first.padEnd(width), ...rest.map((each) => each.padStart(4))].join('');
  const numbers = stores.map((_, index) => `[${index + 1}]`);
  return [
    ...stores.map((store, index) => `[${index + 1}] ${store}`),
    line('', numbers),
    ...servers.map((server) =>
      line(
        server,
        stores.map((store) => mark(server, store)),
      ),
    ),
  ];
}
