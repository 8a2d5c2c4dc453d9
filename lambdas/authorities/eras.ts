import type { AuthoritySecret, ServiceAccountsSecret } from '../contract/certificates';
import { AuthorityName } from '../contract/certificate-names';
import type { Era, Eras } from '../contract/pki-generations';
import { trustedIn } from './trust';

/** What the secrets of a cluster's PKI hold; undefined where one has no value yet. */
export interface PkiDocuments {
  authority(name: AuthorityName): Promise<AuthoritySecret | undefined>;
  serviceAccounts(): Promise<ServiceAccountsSecret | undefined>;
}

/** The era of everything that is held. @throws the errors of the edges */
export async function erasOf(documents: PkiDocuments): Promise<Eras> {
  const [accounts, ...authorities] = await Promise.all([
    documents.serviceAccounts(),
    ...AuthorityName.options.map(async (name) => [name, await documents.authority(name)] as const),
  ]);
  const known = authorities.flatMap(([name, document]) => (document === undefined ? [] : [[name, eraOf(document)] as const]));
  return { ...Object.fromEntries(known), ...(accounts && { 'service-accounts': eraOfAccounts(accounts) }) };
}

/** Who signs, and whom everybody is given to trust: what the one place trusts that distrusts first is no era of its own. */
export const eraOf = (document: AuthoritySecret): Era => ({
  issuing: document.issuing,
  trusted: [...trustedIn(document).ids],
  ...underWay(document.rotation),
});

/** By what tokens are signed, and verified: every key pair that is not closed and was given to nodes, the one that signs first. */
function eraOfAccounts({ generations, issuing, rotation }: ServiceAccountsSecret): Era {
  const others = generations
    .filter((each) => each.id !== issuing && each.state !== 'closed' && !(each.state === 'next' && rotation?.state === 'MINTED'))
    .map(({ id }) => id);
  return { issuing, trusted: [issuing, ...others.reverse()], ...underWay(rotation) };
}

const underWay = (rotation: Era['rotation']): Pick<Era, 'rotation'> =>
  rotation === undefined ? {} : { rotation: { id: rotation.id, state: rotation.state } };
