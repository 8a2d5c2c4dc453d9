import { createPrivateKey, sign } from 'node:crypto';
import { readDer, valuesIn } from '../../lambdas/pki/der';
import { oidOf } from '../../lambdas/pki/der';
import { pemBlocks, printPem } from '../../lambdas/pki/pem';
import { bitString, explicit, nothing, octetString, oid, sequence, yes } from '../../lambdas/pki/write-der';

/** The parts of a certificate as DER; extensions by their object identifier. */
export interface Parts {
  readonly version: Buffer;
  readonly serial: Buffer;
  readonly algorithm: Buffer;
  readonly outerAlgorithm: Buffer;
  readonly issuer: Buffer;
  readonly validity: Buffer;
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  readonly extensions: readonly (readonly [oid: string, extension: Buffer])[];
}

export const algorithm = (dotted: string): Buffer => sequence(oid(dotted), nothing());
export const extension = (dotted: string, value: Buffer, critical = false): readonly [string, Buffer] => [
  dotted,
  sequence(oid(dotted), ...(critical ? [yes()] : []), octetString(value)),
];
/** A string of any tag, short enough for a length of one byte. */
export const string = (tag: number, contents: Buffer | string): Buffer =>
  Buffer.concat([Buffer.of(tag, Buffer.from(contents as string, 'latin1').length), Buffer.from(contents as string, 'latin1')]);

const partsOf = (pem: string): Parts => {
  const [signed, outer] = valuesIn(readDer(pemBlocks(pem)[0]!.der).contents);
  const [version, serial, inner, issuer, validity, subject, publicKey, extensions] = valuesIn(signed!.contents);
  return {
    version: version!.whole,
    serial: serial!.whole,
    algorithm: inner!.whole,
    outerAlgorithm: outer!.whole,
    issuer: issuer!.whole,
    validity: validity!.whole,
    subject: subject!.whole,
    publicKey: publicKey!.whole,
    extensions: valuesIn(readDer(extensions!.contents).contents).map(({ whole, contents }) => [
      oidOf(valuesIn(contents)[0]!.contents),
      whole,
    ]),
  };
};

/** The certificate with other parts, signed anew by whatever hash: how every defect is made. */
export function remake(pem: string, key: string, change: (parts: Parts) => Partial<Parts>, hash = 'sha256'): string {
  const good = partsOf(pem);
  const parts = { ...good, ...change(good) };
  const { version, serial, algorithm: inner, issuer, validity, subject, publicKey } = parts;
  const extensions = explicit(3, sequence(...parts.extensions.map(([, whole]) => whole)));
  const signed = sequence(version, serial, inner, issuer, validity, subject, publicKey, extensions);
  const signature = bitString(sign(hash, signed, createPrivateKey(key)));
  return printPem({ label: 'CERTIFICATE', der: sequence(signed, parts.outerAlgorithm, signature) });
}

export const without = ({ extensions }: Parts, ...oids: readonly string[]): Parts['extensions'] =>
  extensions.filter(([one]) => !oids.includes(one));
export const replacing = (parts: Parts, ...others: Parts['extensions']): Parts['extensions'] => [
  ...without(parts, ...others.map(([one]) => one)),
  ...others,
];
