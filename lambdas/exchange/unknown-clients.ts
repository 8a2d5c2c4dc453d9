import type { ToldNode } from '../certificates/told-node';
import { MOST_NAMED } from '../contract/authority-rotation';

export interface UnknownClient {
  readonly place: string;
  readonly because: string;
}

/**
 * Who was a client of an API server by a certificate that no node has, as the audit logs tell: by which root it is nobody here knows. Those that were
 * seen of last come first.
 *
 * @param since who was not seen after that may be gone
 */
export function unknownClients(told: readonly Pick<ToldNode, 'facts' | 'leaves'>[], since: Date): UnknownClient[] {
  const known = new Set(told.flatMap(({ leaves }) => [...leaves.values()].map((leaf) => (leaf === 'unparsable' ? '' : leaf.view.sha256))));
  const seen = told
    .flatMap(({ facts }) => facts.apiClients?.seen ?? [])
    .filter(({ sha256, lastAt }) => !known.has(sha256) && lastAt * 1_000 >= since.getTime())
    .sort((one, other) => other.lastAt - one.lastAt);
  const cut = told
    .filter(({ facts }) => (facts.apiClients?.more ?? 0) > 0)
    .map(({ facts: { host } }) => {
      const place = `more certificates than the audit log of ${host} is asked for`;
      return { place, because: `${place} were used there: read that log` };
    });
  const named = seen
    .filter(({ sha256 }, at) => seen.findIndex((each) => each.sha256 === sha256) === at)
    .slice(0, MOST_NAMED)
    .map(({ sha256, user, address, lastAt }): UnknownClient => {
      const place = `the certificate ${sha256.slice(0, 8)} of ${user}`;
      const at = new Date(lastAt * 1_000).toISOString();
      return { place, because: `${place} was last used at ${at} from ${address}, and by which root it is is not known` };
    });
  return [...named, ...cut];
}
