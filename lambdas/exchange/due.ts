import { signingIn } from '../authorities/trust';
import { daysLeft } from '../certificates/judge-leaf';
import { AuthorityName } from '../contract/certificate-names';
import type { AuthoritySecret, ServiceAccountsSecret } from '../contract/certificates';
import type { ExchangePolicy } from '../contract/exchange-policy';
import { inspect } from '../pki/inspect';

export interface DueInput {
  readonly documents: readonly AuthoritySecret[];
  readonly accounts: ServiceAccountsSecret | undefined;
  readonly policy: ExchangePolicy;
  readonly now: Date;
}

/** `start`: this one, now. `wait`: it is due, and something is in the way. `tell`: it is due, and somebody has to begin it. `none`: nothing is due. */
export type Due =
  | { readonly action: 'start'; readonly authority: AuthorityName; readonly execution: string; readonly because: string }
  | { readonly action: 'wait' | 'tell'; readonly authority: AuthorityName; readonly because: string }
  | { readonly action: 'none'; readonly because: string };

/**
 * Which authority is exchanged because of its age: of those whose generation that signs ends within the days of the policy the one that ends first.
 * One at a time, and none beside a rotation of any kind.
 *
 * The execution is named by authority, generation and day, so that a look that is repeated begins nothing twice, and one that was refused is begun
 * again on the next day.
 */
export function dueExchange({ documents, accounts, policy, now }: DueInput): Due {
  const [first] = documents.flatMap((document) => dueOf(document, policy, now)).sort(byEnd);
  if (first === undefined) return { action: 'none', because: 'no authority ends within its days' };
  const { authority, id, days, external, turnedBack } = first;
  const ends = `the ${authority} authority ends in ${Math.floor(days)} days, within its ${policy.rotateBeforeDays[authority]}`;
  const [busy] = [...documents.map(({ authority: of, rotation }) => ({ of, rotation })), { of: 'service accounts', ...accounts }].flatMap(
    ({ of, rotation }) => (rotation === undefined ? [] : [`rotation ${rotation.id} of ${of} is under way, in ${rotation.state}`]),
  );
  if (busy !== undefined) return { action: 'wait', authority, because: `${ends}, and ${busy}` };
  if (external) return { action: 'tell', authority, because: `${ends}, and its key is elsewhere: have its owner exchange it` };
  if (turnedBack !== undefined)
    return {
      action: 'tell',
      authority,
      because: `${ends}, and ${turnedBack.by} turned ${turnedBack.rotation} back (${turnedBack.because}): start the next one with {"authority": "${authority}"}`,
    };
  if (policy.exchange === 'by-hand')
    return { action: 'tell', authority, because: `${ends}: start the exchange with {"authority": "${authority}"}` };
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  return { action: 'start', authority, execution: `age-${authority}-${id.slice(0, 12)}-${day}`, because: ends };
}

interface Aged {
  readonly authority: AuthorityName;
  readonly id: string;
  readonly days: number;
  readonly external: boolean;
  /** What would begin again by itself what a person thought better of. */
  readonly turnedBack: AuthoritySecret['turnedBack'];
}

function dueOf(document: AuthoritySecret, { rotateBeforeDays }: ExchangePolicy, now: Date): Aged[] {
  const { authority } = document;
  const signer = signingIn(document);
  if (signer === undefined) return [];
  const days = daysLeft(inspect(signer.certificate).notAfter, now);
  return days > rotateBeforeDays[authority]
    ? []
    : [{ authority, id: signer.id, days, external: signer.key === undefined, turnedBack: document.turnedBack }];
}

const needsSomebody = ({ external, turnedBack }: Aged): boolean => external || turnedBack !== undefined;

/** What the lifeboat can begin by itself comes first; of two that end at once the one of the cluster, as in the order of their names. */
const byEnd = (one: Aged, other: Aged): number =>
  Number(needsSomebody(one)) - Number(needsSomebody(other)) ||
  one.days - other.days ||
  AuthorityName.options.indexOf(one.authority) - AuthorityName.options.indexOf(other.authority);
