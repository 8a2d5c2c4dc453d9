import type { AccountKeys } from '../accounts/verifying';
import { AuthorityName, LEAVES } from '../contract/certificate-names';
import type { LeafName } from '../contract/certificate-names';
import type { NodeSetSecret } from '../contract/certificates';
import { parseBundle, printBundle } from '../pki/bundle';
import { inspect } from '../pki/inspect';
import { readKubeconfig } from '../pki/kubeconfig';
import type { Pair } from '../pki/signer';
import { filesOf } from './archive';
import type { Files } from './archive';
import { missingNames } from './names';
import type { Names } from './names';
import type { SigningAuthorities } from './signing-authorities';
import type { ToldNode } from './told-node';

/** Until the next rotation by schedule, and some days on top. */
const SPARE_DAYS = 3;

/** The set that a node has by now. */
export interface PresentSet {
  readonly set: NodeSetSecret;
  readonly files: Files;
}

/** @throws PkiUnusable */
export const presentSetOf = async (set: NodeSetSecret): Promise<PresentSet> => ({
  set,
  files: await filesOf(set.archive, `the set of ${set.node.host}`),
});

export interface KeepQuestion {
  readonly leaf: LeafName;
  readonly names: Names;
  readonly node: ToldNode;
  readonly authorities: SigningAuthorities;
  readonly accounts?: Pick<AccountKeys, 'stamp' | 'distributed'> | undefined;
  readonly present: PresentSet | undefined;
  /** Days between two rotations by schedule. */
  readonly everyDays: number;
  readonly now: Date;
}

/**
 * A leaf of the present set that need not be issued again while an authority or the pair of service accounts is exchanged: by the same signer with the same chain and for the same
 * names, on the node as it was made, and good until the next rotation by schedule. A manager is not started again for a kubeconfig that it has.
 *
 * Undefined in a rotation by schedule, which issues all anew.
 */
export function keptLeaf({ leaf, names, node, authorities, accounts, present, everyDays, now }: KeepQuestion): Pair | undefined {
  if (present === undefined || !isExchange(present.set, authorities, accounts)) return undefined;
  const authority = authorities[LEAVES[leaf].authority];
  const told = node.leaves.get(leaf);
  const noted = present.set.certificates.find((each) => each.leaf === leaf);
  if (authority === undefined || told === undefined || told === 'unparsable' || told.view.sha256 !== noted?.sha256) return undefined;
  if (present.set.signers[LEAVES[leaf].authority] !== authority.id || node.facts.pairs[leaf] !== 'matches') return undefined;
  const days = (told.view.notAfter.getTime() - now.getTime()) / 86_400_000;
  const { sans } = told.view;
  if (days < everyDays + SPARE_DAYS || missingNames(names, sans).length > 0 || missingNames(sans, names).length > 0) return undefined;
  const pair = pairOf(leaf, present.files);
  if (pair === undefined) return undefined;
  const [first = '', ...chain] = parseBundle(pair.cert);
  return inspect(first).sha256 === noted.sha256 && printBundle(chain) === printBundle(authority.chain) ? pair : undefined;
}

/** A set from before the pair of service accounts had a stamp says nothing of it: it is another one as soon as that is distributed. */
const isExchange = ({ stamps = {} }: NodeSetSecret, authorities: SigningAuthorities, accounts: KeepQuestion['accounts']): boolean =>
  (accounts?.distributed === true && stamps['service-accounts'] !== accounts.stamp) ||
  AuthorityName.options.some((name) => stamps[name] !== undefined && stamps[name] !== authorities[name]?.stamp);

function pairOf(leaf: LeafName, files: Files): Pair | undefined {
  if (LEAVES[leaf].kind === 'file') {
    const [cert, key] = [files.get(`pki/${leaf}.crt`), files.get(`pki/${leaf}.key`)];
    return cert === undefined || key === undefined ? undefined : { cert, key };
  }
  const text = files.get(`kubeconfigs/${leaf}`);
  const { cert, key } = text === undefined ? {} : readKubeconfig(text, `${leaf} of the present set`);
  return cert?.in === 'kubeconfig' && key?.in === 'kubeconfig' ? { cert: cert.pem, key: key.pem } : undefined;
}
