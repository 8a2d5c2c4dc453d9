import { readCertificate } from '../../lambdas/pki/read-certificate';
import { crossSign } from '../../lambdas/pki/issue';
import { Oid } from '../../lambdas/pki/oids';
import type { Pair } from '../../lambdas/pki/signer';
import { bitString, explicit, implicit, integer, octetString, oid, sequence, time, yes } from '../../lambdas/pki/write-der';
import { kubeadmAuthority, printable } from './kubeadm-authority';
import { NOW, authority, inDays, leafOf, sharedKey } from './pki-world';
import type { Parts } from './remake';
import { extension, remake, replacing, without } from './remake';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';

const withExtension =
  (dotted: string, value: Buffer, critical = true) =>
  (parts: Parts) => ({ extensions: replacing(parts, extension(dotted, value, critical)) });
const lasting = (from: number, to: number) => () => ({ validity: sequence(time(inDays(from)), time(inDays(to))) });
const withoutIds = (parts: Parts) => ({ extensions: without(parts, Oid.subjectKeyId, Oid.authorityKeyId) });
const nameOf = (pem: string): Buffer => readCertificate(pem).fields.subject.der;

const old = kubeadmAuthority();
const next = authority('cluster', 2);
const stranger = authority('cluster', 3);
const again = (pair: Pair, change: (parts: Parts) => Partial<Parts>): string => remake(pair.cert, pair.key, change);
/** Under the name of the new authority, by the key of a stranger. */
const namesake: Pair = { cert: again(stranger, () => ({ subject: nameOf(next.cert), issuer: nameOf(next.cert) })), key: stranger.key };
const [leafOld, leafNew] = [leafOf('apiserver', old).cert, leafOf('apiserver', next).cert];
const cross = crossSign(next, old, { now: NOW }).cert;
const leafKey = sharedKey('leaf');

/** Certificates of a rotation from O to N, as they should be and as they should not, by what tests call them. PEM. */
export const CERTIFICATES = {
  O: old.cert,
  N: next.cert,
  X: cross,
  'leaf(O)': leafOld,
  'leaf(N)': leafNew,
  'client(O)': leafOf('admin.conf', old).cert,
  'client(N)': leafOf('admin.conf', next).cert,
  'member(N)': leafOf('etcd/server', next).cert,

  'O of another key': kubeadmAuthority(7).cert,
  'N of another key': namesake.cert,
  'N of another key without ids': again(namesake, withoutIds),
  'N without ids': again(next, withoutIds),
  'leaf(N) without key id': remake(leafNew, next.key, (parts) => ({ extensions: without(parts, Oid.authorityKeyId) })),
  'leaf(N) with the key id of another': remake(
    leafNew,
    next.key,
    withExtension(Oid.authorityKeyId, sequence(implicit(0, Buffer.alloc(20, 1))), false),
  ),
  'leaf(N) by another key': remake(leafNew, stranger.key, () => ({})),

  'leaf(N) ended': remake(leafNew, next.key, lasting(-90, -1)),
  'leaf(N) not begun': remake(leafNew, next.key, lasting(1, 90)),
  'O ended': again(old, lasting(-900, -1)),
  'N ended': again(next, lasting(-900, -1)),
  'N renewed': again(next, lasting(-1, 4000)),
  'X ended': remake(cross, old.key, lasting(-90, -1)),

  'leaf of leaf(O)': remake(leafNew, leafKey, (parts) => ({
    issuer: nameOf(leafOld),
    subject: printable('pretender'),
    ...withExtension(Oid.authorityKeyId, sequence(implicit(0, readKeyId(leafOld))), false)(parts),
  })),
  'N that is no authority': again(next, withExtension(Oid.basicConstraints, sequence())),
  'N without basic constraints': again(next, (parts) => ({ extensions: without(parts, Oid.basicConstraints) })),
  'N that may not sign': again(next, withExtension(Oid.keyUsage, bitString(Buffer.of(0b1010_0000), 5))),
  'O with pathlen 0': again(old, withExtension(Oid.basicConstraints, sequence(yes(), integer(Buffer.of(0))))),
  'O with pathlen 1': again(old, withExtension(Oid.basicConstraints, sequence(yes(), integer(Buffer.of(1))))),
  'N for clients only': again(next, withExtension(Oid.extendedKeyUsage, sequence(oid(CLIENT_AUTH)), false)),
  'N for any use': again(next, withExtension(Oid.extendedKeyUsage, sequence(oid(ANY_USAGE)), false)),
  'N with a critical extension': again(next, withExtension('1.3.6.1.4.1.99999.1', octetString(Buffer.of(1)))),
  'leaf(N) for any use': remake(leafNew, next.key, withExtension(Oid.extendedKeyUsage, sequence(oid(ANY_USAGE)), false)),
  'leaf(N) of an authority': remake(leafNew, next.key, withExtension(Oid.basicConstraints, sequence(yes()))),
  'leaf(N) for agreeing on keys': remake(leafNew, next.key, withExtension(Oid.keyUsage, bitString(Buffer.of(0b0000_1000), 3))),
  'leaf(N) for signing lists': remake(leafNew, next.key, withExtension(Oid.keyUsage, bitString(Buffer.of(0b0000_0010), 1))),
  'client(N) for exchanging keys': remake(
    leafOf('admin.conf', next).cert,
    next.key,
    withExtension(Oid.keyUsage, bitString(Buffer.of(0b0010_0000), 5)),
  ),
  'leaf(N) of a name with an underscore': remake(
    leafNew,
    next.key,
    withExtension(Oid.altNames, sequence(implicit(2, Buffer.from('etcd_1.local'))), false),
  ),
  'leaf that vouches for itself': remake(leafNew, leafKey, (parts) => ({
    issuer: nameOf(leafNew),
    extensions: without(parts, Oid.authorityKeyId),
  })),
  'N with name constraints': again(
    next,
    // permittedSubtrees of one DNS name (RFC 5280, 4.2.1.10)
    withExtension(Oid.nameConstraints, sequence(explicit(0, sequence(implicit(2, Buffer.from('cluster.local')))))),
  ),
} as const;
export type CertificateName = keyof typeof CERTIFICATES;

function readKeyId(pem: string): Buffer {
  const { fields } = readCertificate(pem);
  return fields.extensions.find(({ oid: dotted }) => dotted === Oid.subjectKeyId)!.value.subarray(2);
}

export const pemsOf = (names: readonly CertificateName[]): string[] => names.map((name) => CERTIFICATES[name]);

export interface PathCase {
  readonly sentence: string;
  readonly chain: readonly CertificateName[];
  readonly roots: readonly CertificateName[];
  /** Why it is refused. @default - it is not */
  readonly because?: RegExp;
}
type Row = readonly [sentence: string, chain: readonly CertificateName[], roots: readonly CertificateName[], because?: RegExp];
const casesOf = (...rows: readonly Row[]): readonly PathCase[] =>
  rows.map(([sentence, chain, roots, because]) => ({ sentence, chain, roots, ...(because && { because }) }));

/** As servers; refused where a reason stands. */
export const SERVER_CASES: readonly PathCase[] = casesOf(
  ['the old leaf, by whoever trusts the old root', ['leaf(O)'], ['O']],
  [
    'the old leaf, by whoever trusts the new root alone',
    ['leaf(O)'],
    ['N'],
    /CN=kube-apiserver was issued by CN=kubernetes, which is neither trusted nor sent/,
  ],
  ['the old leaf, by whoever trusts both', ['leaf(O)'], ['O', 'N']],
  [
    'the new leaf, by whoever trusts the old root alone',
    ['leaf(N)'],
    ['O'],
    /issued by CN=kubernetes-g2-[0-9a-f]{8}, which is neither trusted nor sent/,
  ],
  ['the new leaf, by whoever trusts the new root', ['leaf(N)'], ['N']],
  ['the new leaf, by whoever trusts both', ['leaf(N)'], ['O', 'N']],
  ['the new leaf with X, by whoever trusts the old root', ['leaf(N)', 'X'], ['O']],
  ['the new leaf with X, by whoever trusts the new root', ['leaf(N)', 'X'], ['N']],
  ['the new leaf with X, by whoever trusts both', ['leaf(N)', 'X'], ['O', 'N']],
  [
    'the new leaf with X that has ended, by whoever trusts the old root',
    ['leaf(N)', 'X ended'],
    ['O'],
    /kubernetes-g2-.* ended 2026-11-25/,
  ],
  ['the new leaf with X that has ended, by whoever trusts the new root', ['leaf(N)', 'X ended'], ['N']],
  ['the new leaf with an ended X and a valid one, by whoever trusts the old root', ['leaf(N)', 'X ended', 'X'], ['O']],
  ['the new leaf with X and the new root, by whoever trusts the old root', ['leaf(N)', 'X', 'N'], ['O']],
  [
    'the new leaf with the new root before X, by whoever trusts the old root',
    ['leaf(N)', 'N', 'X'],
    ['O'],
    /vouches for itself and is not trusted/,
  ],
  ['the new leaf with the new root, by whoever trusts it', ['leaf(N)', 'N'], ['N']],
  ['the new leaf with X twice and a stranger between', ['leaf(N)', 'O of another key', 'X', 'X'], ['O']],

  ['a leaf that has ended', ['leaf(N) ended'], ['N'], /^CN=kube-apiserver ended 2026-11-25/],
  ['a leaf that has not begun', ['leaf(N) not begun'], ['N'], /is valid only from 2026-11-27/],
  ['a leaf whose root has ended', ['leaf(N)'], ['N ended'], /kubernetes-g2-.* ended/],
  ['a leaf whose root has ended and was renewed', ['leaf(N)'], ['N ended', 'N renewed']],
  ['a leaf whose cross-signed authority hangs on a root that has ended', ['leaf(N)', 'X'], ['O ended'], /^CN=kubernetes ended/],

  ['two roots of one name, of which the key ids tell which', ['leaf(N)'], ['N of another key', 'N']],
  [
    'two roots of one name, when the leaf tells no key id',
    ['leaf(N) without key id'],
    ['N of another key', 'N'],
    /did not sign CN=kube-apiserver: it has another key/,
  ],
  ['two roots of one name, when neither root has a key id', ['leaf(N)'], ['N of another key without ids', 'N without ids'], /did not sign/],
  ['one root of that name and of another key', ['leaf(N)'], ['N of another key'], /is there with another key id/],
  ['two old roots of one name without key ids of their own authority', ['leaf(O)'], ['O', 'O of another key']],
  ['a leaf that names no key id, under one root', ['leaf(N) without key id'], ['N']],
  ['a leaf that names another key id', ['leaf(N) with the key id of another'], ['N'], /is there with another key id/],
  ['a leaf that another key signed', ['leaf(N) by another key'], ['N'], /did not sign CN=kube-apiserver/],

  ['a leaf that a leaf signed', ['leaf of leaf(O)', 'leaf(O)'], ['O'], /^CN=kube-apiserver is not an authority/],
  ['a root that is no authority', ['leaf(N)'], ['N that is no authority'], /is not an authority/],
  ['a root that does not say that it is one', ['leaf(N)'], ['N without basic constraints'], /is not an authority/],
  ['a root that may not sign', ['leaf(N)'], ['N that may not sign'], /may not sign certificates/],
  ['a root that may not sign beside one that may', ['leaf(N)'], ['N that may not sign', 'N'], /may not sign certificates/],
  ['a root with pathlen 0 right above the leaf', ['leaf(O)'], ['O with pathlen 0']],
  ['a root with pathlen 0 above X', ['leaf(N)', 'X'], ['O with pathlen 0'], /may have 0 authorities between itself and a leaf, and has 1/],
  ['a root with pathlen 1 above X', ['leaf(N)', 'X'], ['O with pathlen 1']],
  ['a root for clients only', ['leaf(N)'], ['N for clients only'], /is not for a server: its extended key usage is clientAuth/],
  ['a root for any use, which OpenSSL does not take for one', ['leaf(N)'], ['N for any use'], /is not for a server/],
  ['a root with a critical extension that nobody knows', ['leaf(N)'], ['N with a critical extension'], /critical extension/],
  ['a leaf for any use', ['leaf(N) for any use'], ['N'], /is not for a server/],
  ['a leaf that is an authority', ['leaf(N) of an authority'], ['N']],
  ['a leaf that only agrees on keys', ['leaf(N) for agreeing on keys'], ['N']],
  ['a leaf that only signs lists', ['leaf(N) for signing lists'], ['N'], /may not be used by a server: its key usage is cRLSign/],
  ['a leaf with an underscore in a name', ['leaf(N) of a name with an underscore'], ['N']],
  ['a client', ['client(N)'], ['N'], /is not for a server: its extended key usage is clientAuth/],
  ['a member of etcd', ['member(N)', 'X'], ['O']],

  ['a leaf that vouches for itself', ['leaf that vouches for itself'], ['N'], /vouches for itself and is not trusted/],
  ['a leaf that is trusted itself, and its root is not', ['leaf(N)'], ['leaf(N)'], /is neither trusted nor sent/],
  ['X alone as a root', ['leaf(N)'], ['X'], /issued by CN=kubernetes, which is neither trusted nor sent/],
  ['X as a root beside the old one', ['leaf(N)'], ['X', 'O']],
  ['an old root that is sent and not trusted', ['leaf(O)', 'O'], ['N'], /vouches for itself and is not trusted/],
);

export const CLIENT_CASES: readonly PathCase[] = casesOf(
  ['the old client, by whoever trusts the old root', ['client(O)'], ['O']],
  ['the old client, by whoever trusts the new root alone', ['client(O)'], ['N'], /neither trusted nor sent/],
  ['the new client with X, by whoever trusts the old root', ['client(N)', 'X'], ['O']],
  ['the new client without X, by whoever trusts the old root', ['client(N)'], ['O'], /neither trusted nor sent/],
  ['a member of etcd', ['member(N)'], ['N']],
  ['a server', ['leaf(N)'], ['N'], /is not for a client: its extended key usage is serverAuth/],
  ['a root for clients only', ['client(N)'], ['N for clients only']],
  ['a client whose key only exchanges keys', ['client(N) for exchanging keys'], ['N'], /may not be used by a client/],
);
