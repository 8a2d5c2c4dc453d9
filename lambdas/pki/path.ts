import { LifeboatError } from '../contract/lifeboat-error';
import { printName } from './certificate-fields';
import type { PathQuestion } from './path-rules';
import { isSelfIssued, isValidAt, issuerFault, leafFault, mayHaveIssued } from './path-rules';
import type { ReadCertificate } from './read-certificate';
import { readCertificate } from './read-certificate';

export type PathVerdict =
  /** From the leaf to the root, as people read names. */
  { readonly accepted: true; readonly path: readonly string[] } | { readonly accepted: false; readonly because: string };

interface Search {
  readonly sent: readonly ReadCertificate[];
  readonly trusted: readonly ReadCertificate[];
  readonly question: PathQuestion;
}

/** Deeper than any PKI of a cluster; OpenSSL goes to 100, and Go tries 100 signatures. */
const MAX_PATH = 8;

const sameBytes = (one: ReadCertificate) => (other: ReadCertificate) => one.fields.der.equals(other.fields.der);
const nameOf = ({ fields }: ReadCertificate): string => printName(fields.subject);
const refused = (because: string): PathVerdict => ({ accepted: false, because });

/**
 * Whether everybody who trusts `roots` takes a chain: Go's crypto/x509, OpenSSL and Node alike, whatever the order in which the roots were written.
 *
 * Go tries every path there is. OpenSSL goes one way and never back: to the first trusted certificate that has the issuer's name, fits the key
 * id and is valid now, and only without such a one to the first that was sent. So of trusted ones that it could not tell apart each must hold,
 * and the path that is told is one that both readers take. What only one of them takes is refused.
 *
 * Not judged: the host's name, revocation, name constraints (an authority that has some is refused), and leaves that are trusted by themselves,
 * without an authority (refused too).
 *
 * @param chain PEM texts of one certificate each, in the order sent, the leaf first
 * @param roots PEM texts of one certificate each
 * @throws CertificateUnreadable, BundleDamaged when a root cannot be read; a chain that cannot be is refused
 */
export function acceptedBy(chain: readonly string[], roots: readonly string[], question: PathQuestion): PathVerdict {
  const trusted = roots.map((pem, index) => readCertificate(pem, `root ${index + 1} of ${roots.length}`));
  let sent: readonly ReadCertificate[];
  try {
    sent = chain.map((pem, index) => readCertificate(pem, `certificate ${index + 1} of ${chain.length} in the chain`));
  } catch (error) {
    if (error instanceof LifeboatError) return refused(error.message);
    throw error;
  }
  const [leaf, ...others] = sent;
  if (leaf === undefined) return refused('the chain is empty');
  if (trusted.length === 0) return refused(`nothing is trusted that could vouch for ${nameOf(leaf)}`);
  const fault = leafFault(leaf, question);
  if (fault !== undefined) return refused(`${nameOf(leaf)} ${fault}`);
  return climb([leaf], false, { sent: others, trusted, question });
}

/** Goes on from the last of a path that holds so far; once OpenSSL is among the trusted, it stays there. */
function climb(path: readonly [ReadCertificate, ...ReadCertificate[]], amongTrusted: boolean, search: Search): PathVerdict {
  const top = path.at(-1) ?? path[0];
  if (amongTrusted && isSelfIssued(top)) return { accepted: true, path: path.map(nameOf) };
  if (path.length === MAX_PATH) return refused(`the path from ${nameOf(path[0])} is longer than ${MAX_PATH} certificates`);
  // OpenSSL asks nobody else for what claims to have issued itself: not even for the same key signed by another one.
  if (isSelfIssued(top)) return refused(`${nameOf(top)} vouches for itself and is not trusted`);
  const fits = (issuer: ReadCertificate) => mayHaveIssued(issuer, top) && !path.some(sameBytes(issuer));
  const trusted = validFirst(search.trusted.filter(fits), search.question.at);
  const verdicts = trusted.map((issuer) => step(path, issuer, true, search));
  const byTrusted = verdicts.find(({ accepted }) => !accepted) ?? verdicts[0];
  if (byTrusted !== undefined) return byTrusted;
  const inChain = !amongTrusted ? validFirst(search.sent.filter(fits), search.question.at)[0] : undefined;
  return inChain === undefined ? refused(missing(top, search)) : step(path, inChain, false, search);
}

/** Those that are valid; without any, the one that was valid longest, so that its end is told and not that it is missing. */
function validFirst(candidates: readonly ReadCertificate[], at: Date): readonly ReadCertificate[] {
  const valid = candidates.filter((each) => isValidAt(each, at));
  if (valid.length > 0) return valid;
  const end = ({ fields }: ReadCertificate) => fields.notAfter.date.getTime();
  return [...candidates].sort((one, other) => end(other) - end(one)).slice(0, 1);
}

function step(
  path: readonly [ReadCertificate, ...ReadCertificate[]],
  issuer: ReadCertificate,
  isTrusted: boolean,
  search: Search,
): PathVerdict {
  const fault = issuerFault(issuer, path.at(-1) ?? path[0], path.length - 1, search.question);
  return fault === undefined ? climb([...path, issuer], isTrusted, search) : refused(`${nameOf(issuer)} ${fault}`);
}

function missing(top: ReadCertificate, { sent, trusted }: Search): string {
  const wanted = printName(top.fields.issuer);
  const namesakes = [...sent, ...trusted].filter(({ fields }) => fields.subject.der.equals(top.fields.issuer.der));
  const why = namesakes.length === 0 ? 'is neither trusted nor sent' : 'is there with another key id';
  return `${nameOf(top)} was issued by ${wanted}, which ${why}`;
}
