import { AuthorityName } from '../contract/certificate-names';
import { LifeboatError } from '../contract/lifeboat-error';
import type { PathVerdict } from '../pki/path';
import { acceptedBy } from '../pki/path';
import type { PathRole } from '../pki/path-rules';
import { MatrixIncomplete } from './errors';

/** A chain as somebody shows it. */
export interface ShownChain {
  /** `etcd/server at 10.0.0.1:2379` */
  readonly place: string;
  /** PEM, the leaf first; empty where nothing could be read, which nobody accepts. */
  readonly chain: readonly string[];
  /** @default 'server' */
  readonly role?: PathRole;
}

/** What somebody judges chains by. */
export interface TrustStore {
  /** `etcd trust of master-1` */
  readonly place: string;
  /** PEM texts of one certificate each. */
  readonly roots: readonly string[];
}

/** Every one of these chains is seen by the owner of every one of these stores. */
export interface TriedPairs {
  readonly servers: readonly ShownChain[];
  readonly stores: readonly TrustStore[];
}

export interface MatrixCell {
  readonly authority: AuthorityName;
  readonly server: string;
  readonly store: string;
  readonly verdict: PathVerdict;
}

export interface FailingCell extends Pick<MatrixCell, 'authority' | 'server' | 'store'> {
  readonly because: string;
}

export interface AuthorityRow {
  readonly authority: AuthorityName;
  readonly accepted: number;
  /** Servers times stores. */
  readonly of: number;
  /** What it comes to for the cluster, as a sentence without a period. */
  readonly means: string;
}

export interface PathMatrix {
  readonly cells: readonly MatrixCell[];
  readonly failing: readonly FailingCell[];
  /** Of the authorities that were asked for, in the order of the contract. */
  readonly authorities: readonly AuthorityRow[];
}

/** Connections that are open live on (a refusal shows at the next one): rotations look right until something restarts. */
const LOSS: Readonly<Record<AuthorityName, string>> = {
  cluster: 'who refuses loses the API server, or the API server loses it, at the next new connection',
  etcd: 'a member or an API server loses etcd there at its next new connection, at the latest when one of the two restarts',
  'front-proxy': 'an extension API server refuses what the API server asks it for its users, from the next new connection on',
};

/**
 * Tries every chain against every store of its authority. No cell is left out: what cannot be tried is refused, and a list with nothing in it is an
 * error, since nothing would fail in it.
 *
 * @param pairs by authority; the caller lists everybody who is expected, not everybody who answered
 * @throws MatrixIncomplete when there is no authority, an authority without a server or a store, or two of one name
 */
export function pathMatrix(pairs: Readonly<Partial<Record<AuthorityName, TriedPairs>>>, at: Date): PathMatrix {
  const asked = AuthorityName.options.flatMap((authority) => {
    const tried = pairs[authority];
    return tried === undefined ? [] : [{ authority, cells: cellsOf(authority, tried, at) }];
  });
  if (asked.length === 0) {
    throw new MatrixIncomplete(`no authority is asked for, so that nothing could fail: name one of ${AuthorityName.options.join(', ')}`);
  }
  const cells = asked.flatMap((each) => each.cells);
  return { cells, failing: cells.flatMap(failureOf), authorities: asked.map(rowOf) };
}

function cellsOf(authority: AuthorityName, { servers, stores }: TriedPairs, at: Date): readonly MatrixCell[] {
  requireEach(authority, 'server', servers);
  requireEach(authority, 'store', stores);
  return servers.flatMap((server) =>
    stores.map((store) => ({ authority, server: server.place, store: store.place, verdict: verdictOf(server, store, at) })),
  );
}

function requireEach(authority: AuthorityName, what: 'server' | 'store', all: readonly { readonly place: string }[]): void {
  if (all.length === 0) {
    throw new MatrixIncomplete(`${authority} has no ${what} to try, so that nothing could fail: give every ${what} that the cluster has`);
  }
  const twice = all.find(({ place }, index) => all.findIndex((other) => other.place === place) !== index);
  if (twice !== undefined) {
    throw new MatrixIncomplete(
      `${authority} has two ${what}s called "${twice.place}", one of which may stand for another: give each its own place`,
    );
  }
}

function verdictOf({ chain, role = 'server' }: ShownChain, { roots }: TrustStore, at: Date): PathVerdict {
  try {
    return acceptedBy(chain, roots, { at, role });
  } catch (error) {
    // Go goes past a root that it cannot read, OpenSSL may trust nothing at all of such a file.
    if (error instanceof LifeboatError) return { accepted: false, because: `its store cannot be read: ${error.message}` };
    throw error;
  }
}

const failureOf = ({ authority, server, store, verdict }: MatrixCell): readonly FailingCell[] =>
  verdict.accepted ? [] : [{ authority, server, store, because: verdict.because }];

function rowOf({ authority, cells }: { readonly authority: AuthorityName; readonly cells: readonly MatrixCell[] }): AuthorityRow {
  const accepted = cells.filter(({ verdict }) => verdict.accepted).length;
  const means = accepted === cells.length ? 'every connection can be made anew' : LOSS[authority];
  return { authority, accepted, of: cells.length, means };
}

/** A cell that fails as one line: `etcd/server at 10.0.0.1:2379 by etcd trust of master-2: …`. */
export const printFailing = ({ server, store, because }: FailingCell): string => `${server} by ${store}: ${because}`;
