import type { RecordChange, RecordSet } from './plan-record';

export interface ZoneFacts {
  readonly name: string;
  readonly visibility: 'public' | 'private';
  /** Of the zone itself; a private one has none. */
  readonly nameServers: readonly string[];
}

/** A name and a type, of which Route 53 can refuse every change. */
export interface Protectable {
  readonly name: string;
  readonly type: string;
}

/** One hosted zone. Every method throws DnsFailed: what could not be read is unknown, and never empty. */
export interface Zone {
  describe(): Promise<ZoneFacts>;
  /** Every record set of these names. */
  recordsAt(names: readonly string[]): Promise<RecordSet[]>;
  /** One batch, done whole or not at all; the id of the change. */
  change(changes: readonly RecordChange[], comment: string): Promise<string>;
  /** Whether every name server of Route 53 answers by the change. */
  isInSync(changeId: string): Promise<boolean>;
  protectedAt(names: readonly string[]): Promise<Protectable[]>;
  protect(records: readonly Protectable[], comment: string): Promise<void>;
  unprotect(records: readonly Protectable[]): Promise<void>;
}
