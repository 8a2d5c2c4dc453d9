import type { RecordSet } from '../../lambdas/dns/plan-record';
import { isWithin, normalName } from '../../lambdas/dns/record-name';

/** A zone as it is answered from. */
export interface ServedZone {
  readonly name: string;
  readonly visibility: 'public' | 'private';
  readonly records: readonly RecordSet[];
}

export interface Question {
  readonly name: string;
  readonly type: string;
}

export interface Line {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly value: string;
}

export interface DnsAnswer {
  readonly code: 'NOERROR' | 'NXDOMAIN' | 'REFUSED';
  readonly answers: readonly Line[];
  /** The zone's own SOA, where the name or the type is not there (RFC 2308, 3). */
  readonly authority: readonly Line[];
}

/** Of a load balancer, by its name. */
export type Balancers = ReadonlyMap<string, readonly string[]>;

/** What AWS answers for an alias to a load balancer. */
const ALIAS_TTL = 60;
/** Longest chain of CNAMEs inside a zone. */
const MOST_NAMES = 8;

/**
 * What an authoritative server says (RFC 1034, 4.3.2; wildcards by RFC 4592). Of two zones that could answer the longer name wins, and of two of one
 * name the private one, which never falls through to the public.
 */
export function answerFor(zones: readonly ServedZone[], balancers: Balancers, question: Question): DnsAnswer {
  const zone = zones
    .filter(({ name }) => isWithin(question.name, name))
    .sort(
      (a, b) =>
        normalName(b.name).length - normalName(a.name).length || Number(b.visibility === 'private') - Number(a.visibility === 'private'),
    )[0];
  if (zone === undefined) return { code: 'REFUSED', answers: [], authority: [] };
  const answers: Line[] = [];
  let name = normalName(question.name);
  for (let hop = 0; hop < MOST_NAMES && isWithin(name, zone.name); hop++) {
    const there = recordsOf(zone, name);
    const alias = there.find(({ type }) => type === 'CNAME');
    if (alias === undefined || question.type === 'CNAME') {
      const found = there.filter(({ type }) => type === question.type).flatMap((record) => linesOf(record, name, zone, balancers));
      answers.push(...found);
      if (answers.length > 0) return { code: 'NOERROR', answers, authority: [] };
      return { code: exists(zone, name) ? 'NOERROR' : 'NXDOMAIN', answers, authority: soaOf(zone) };
    }
    const [target = ''] = alias.values;
    answers.push({ name, type: 'CNAME', ttl: alias.ttl ?? 0, value: normalName(target) });
    name = normalName(target);
  }
  return { code: 'NOERROR', answers, authority: [] };
}

/** Those of the name itself, else those of the wildcard that stands for it. */
function recordsOf({ records, name: zone }: ServedZone, name: string): RecordSet[] {
  const at = (wanted: string) => records.filter((record) => normalName(record.name) === wanted);
  const own = at(name);
  if (own.length > 0) return own;
  const parent = name.slice(name.indexOf('.') + 1);
  return isWithin(parent, zone) && parent !== name ? at(`*.${parent}`) : [];
}

/** A name is there, too, when only names below it have records (RFC 8020). */
const exists = (zone: ServedZone, name: string): boolean =>
  recordsOf(zone, name).length > 0 || zone.records.some((record) => normalName(record.name).endsWith(`.${name}`));

function linesOf(record: RecordSet, name: string, zone: ServedZone, balancers: Balancers): Line[] {
  const { alias, type, ttl = 0, values } = record;
  if (alias === undefined) return values.map((value) => ({ name, type, ttl, value }));
  const target = normalName(alias.dnsName).replace(/^dualstack\./, '');
  const known = balancers.get(target) ?? recordsOf(zone, target).flatMap((each) => (each.type === type ? each.values : []));
  return known.filter((value) => value.includes(':') === (type === 'AAAA')).map((value) => ({ name, type, ttl: ALIAS_TTL, value }));
}

const soaOf = ({ name, records }: ServedZone): Line[] =>
  records
    .filter((record) => record.type === 'SOA')
    .flatMap(({ ttl = 900, values }) => values.map((value) => ({ name: normalName(name), type: 'SOA', ttl, value })));
