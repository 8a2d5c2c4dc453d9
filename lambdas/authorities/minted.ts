import { createPrivateKey } from 'node:crypto';
import type { RotationMode } from '../contract/authority-rotation';
import type { AuthoritySecret, Generation } from '../contract/certificates';
import { inspect } from '../pki/inspect';
import { readCertificate } from '../pki/read-certificate';
import { isSignedBy } from '../pki/signed-by';
import { GenerationRefused } from './errors';

/** PEM texts: a new root, its key, and its name and key signed by the generation that signs now. */
export interface Minted {
  readonly certificate: string;
  readonly key: string;
  /** Missing in compromise mode: nothing that the old key signed is to be believed. */
  readonly cross?: string;
}

/**
 * Takes what was minted, if it can be the next generation of this authority.
 *
 * Neither name nor key may have been there before: under one name OpenSSL and Node try the wrong key, and nobody could tell by a handshake which
 * of the two a server trusts; an old key under a new name would be distrusted in name only.
 *
 * @throws GenerationRefused with all that speaks against it
 */
export function readMinted(
  { certificate, key, cross }: Minted,
  { authority, generations }: AuthoritySecret,
  old: Generation,
  mode: RotationMode,
): Pick<Generation, 'id' | 'certificate' | 'key' | 'cross'> {
  const root = inspect(certificate, 'the new root');
  const same = (what: 'name' | 'key'): string[] =>
    generations
      .filter((each) => {
        const view = inspect(each.certificate, `generation ${each.id.slice(0, 16)}…`);
        return what === 'name' ? view.subject.der === root.subject.der : view.publicKeySha256 === root.publicKeySha256;
      })
      .map(({ id }) => `has the ${what} of generation ${id.slice(0, 16)}… (${root.subject.text})`);
  const wrong = [
    ...(root.isCa && isSignedBy(certificate, certificate) ? [] : ['is no authority that signed itself']),
    ...(readCertificate(certificate).x509.checkPrivateKey(createPrivateKey(key)) ? [] : ['was given with the key of another']),
    ...same('name'),
    ...same('key'),
    ...(mode === 'planned' ? crossFaults(certificate, cross, old) : []),
    ...(mode === 'compromise' && cross !== undefined ? ['comes with a certificate by the old key, which somebody else has'] : []),
  ];
  if (wrong.length > 0)
    throw new GenerationRefused(`what was minted for the ${authority} authority ${wrong.join('; and it ')}: mint another by newAuthority`);
  return { id: root.sha256, certificate, key, ...(cross !== undefined && { cross }) };
}

function crossFaults(certificate: string, cross: string | undefined, old: Generation): string[] {
  if (cross === undefined) return ['comes without the certificate by the old key: who trusts only that would refuse its leaves'];
  const [root, crossed] = [inspect(certificate), inspect(cross, 'the cross certificate')];
  const own = crossed.subject.der === root.subject.der && crossed.publicKeySha256 === root.publicKeySha256;
  return [
    ...(own ? [] : [`comes with a cross certificate for ${crossed.subject.text} with another name or key`]),
    ...(isSignedBy(cross, old.certificate) ? [] : [`comes with a cross certificate that ${old.id.slice(0, 16)}… did not sign`]),
  ];
}
