import type { AuthorityName } from '../contract/certificate-names';
import { LEAVES } from '../contract/certificate-names';
import { isSignedBy } from '../pki/signed-by';
import { nodePlaceOf } from './cluster-place';
import { desiredLeaves } from './desired';
import type { ClusterPlace } from './desired';
import { judgeLeaf } from './judge-leaf';
import type { LeafVerdict, PresentLeaf } from './judge-leaf';
import { profileFor } from './profile-for';
import type { ToldNode } from './told-node';

/** A certificate of an authority, by its generation. */
export interface Signer {
  readonly authority: AuthorityName;
  readonly id: string;
  readonly pem: string;
}

export interface NodeJudging {
  readonly cluster: ClusterPlace;
  /** Every generation that is known. */
  readonly signers: readonly Signer[];
  readonly issuing: Readonly<Record<AuthorityName, string>>;
  readonly renewBeforeDays: number;
  readonly now: Date;
}

/** What to do about every certificate that a node should have. */
export function judgeNode(node: ToldNode, { cluster, signers, ...judging }: NodeJudging): LeafVerdict[] {
  const desired = desiredLeaves(nodePlaceOf(node), cluster, new Set(node.leaves.keys()));
  // The kubelet renews its own, as long as its kubeconfig names the file that it renews.
  const judged = desired.filter(({ leaf }) => leaf !== 'kubelet.conf' || node.facts.kubelet === 'embeds');
  return judged.map((each) => {
    const { leaf, nodeName, names } = each;
    const told = node.leaves.get(leaf);
    const profile = profileFor(leaf, nodeName, names, node);
    const present = told === undefined || told === 'unparsable' ? told : presentLeaf(node, each.leaf, told, signers);
    const { commonName, organization } = profile.subject;
    const wanted = { usages: profile.eku, subject: subjectText(organization === undefined ? [] : [organization], commonName) };
    return judgeLeaf({ ...judging, desired: each, present, profile: wanted });
  });
}

function presentLeaf(
  { facts }: ToldNode,
  leaf: keyof typeof LEAVES,
  { pem, view }: Exclude<ReturnType<ToldNode['leaves']['get']>, 'unparsable' | undefined>,
  signers: readonly Signer[],
): PresentLeaf {
  const own = signers.filter(({ authority }) => authority === LEAVES[leaf].authority);
  return {
    names: view.sans,
    notBefore: view.notBefore,
    notAfter: view.notAfter,
    usages: view.eku,
    subject: subjectText(view.subject.organizations, view.subject.commonName),
    pair: facts.pairs[leaf] ?? 'no-key',
    signedBy: own.find((signer) => isSignedBy(pem, signer.pem))?.id,
  };
}

const subjectText = (organizations: readonly string[], commonName = ''): string =>
  [...organizations.map((organization) => `O=${organization}`), `CN=${commonName}`].join(', ');
