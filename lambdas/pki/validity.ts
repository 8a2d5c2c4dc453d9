import { BadLeafInput } from './errors';

/** Clocks of nodes may be behind by as much; kubeadm does the same (CertificateValidityBackdate). */
const BACKDATE_MS = 5 * 60_000;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Set when the signer ends before the wish: nothing outlives who signed it. */
  readonly capped?: { readonly wished: Date };
}

/** Certificates know whole seconds only. */
const toSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000);
const later = (a: Date, b: Date): Date => (a > b ? a : b);

/**
 * From five minutes ago until the wish or the end of the signer, whichever comes first.
 *
 * @throws BadLeafInput when the certificate would have ended before it began
 */
export function validityOf(wish: Date, now: Date, signer?: Pick<Validity, 'notBefore' | 'notAfter'>): Validity {
  const wished = toSecond(wish);
  if (Number.isNaN(wished.getTime()) || wished <= now) {
    const text = Number.isNaN(wished.getTime()) ? 'no date' : wished.toISOString();
    throw new BadLeafInput(`a certificate that ends at ${text} would be of no use at ${now.toISOString()}: wish for a later end`);
  }
  const backdated = toSecond(new Date(now.getTime() - BACKDATE_MS));
  const notBefore = signer === undefined ? backdated : later(backdated, signer.notBefore);
  if (signer === undefined || wished <= signer.notAfter) return { notBefore, notAfter: wished };
  return { notBefore, notAfter: signer.notAfter, capped: { wished } };
}

/** The same day so many years later. */
export function inYears(now: Date, years: number): Date {
  const then = new Date(now);
  then.setUTCFullYear(then.getUTCFullYear() + years);
  return then;
}
