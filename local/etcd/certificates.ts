import { constants, generateKeyPairSync, privateEncrypt, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  readonly commonName: string;
  /** Kubernetes reads it as the group of a user. @default - none */
  readonly organization?: string;
  /** DNS names and IP addresses that the certificate is for. @default - none */
  readonly hosts?: readonly string[];
  /** @default - both */
  readonly usage?: 'server' | 'client';
  /** @default - an hour ago */
  readonly notBefore?: Date;
  /** A date in the past makes an expired certificate. @default - in thirty days, so that functions whose clock is moved ahead find it valid */
  readonly notAfter?: Date;
}

const HOUR_MS = 3_600_000;
const VALID_MS = 30 * 24 * HOUR_MS;
/** As kubeadm's authorities: whoever moves the clock of a test past the end of a leaf finds its authority valid. */
const AUTHORITY_VALID_MS = 10 * 365 * 24 * HOUR_MS;

interface Subject {
  readonly commonName: string;
  readonly organization?: string | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
}

/** forge's own key generation is slow; OpenSSL's inside Node takes about 50 ms. */
function newKey(): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey;
}

function publicKeyOf(key: string): forge.pki.rsa.PublicKey {
  const { n, e } = forge.pki.privateKeyFromPem(key);
  return forge.pki.setRsaPublicKey(n, e);
}

function blank({ commonName, organization, notBefore, notAfter }: Subject, key: string): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKeyOf(key);
  // Positive: a serial whose first bit is set would be read as negative (RFC 5280, 4.1.2.2).
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = notBefore ?? new Date(Date.now() - HOUR_MS);
  certificate.validity.notAfter = notAfter ?? new Date(Date.now() + VALID_MS);
  certificate.setSubject([
    ...(organization === undefined ? [] : [{ name: 'organizationName', value: organization }]),
    { name: 'commonName', value: commonName },
  ]);
  return certificate;
}

/** DigestInfo of SHA-256 up to the digest itself (RFC 8017, 9.2, note 1). */
const SHA256_DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** Signs by OpenSSL inside Node: forge's own arithmetic takes over a second a signature inside a Jest test. */
function signWith(key: string, certificate: forge.pki.Certificate): void {
  const sign = (digest: forge.md.MessageDigest | string): string => {
    const bytes = Buffer.from(typeof digest === 'string' ? digest : digest.digest().getBytes(), 'binary');
    const padded = { key, padding: constants.RSA_PKCS1_PADDING };
    return privateEncrypt(padded, Buffer.concat([SHA256_DIGEST_INFO, bytes])).toString('binary');
  };
  certificate.sign({ ...forge.pki.privateKeyFromPem(key), sign }, forge.md.sha256.create());
}

const altName = (host: string): object => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host });

/** A certificate authority of its own: what one signs, no other trusts. */
export function createAuthority(commonName = 'etcd-ca'): Certificate {
  const key = newKey();
  const certificate = blank({ commonName, notAfter: new Date(Date.now() + AUTHORITY_VALID_MS) }, key);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  signWith(key, certificate);
  return { cert: forge.pki.certificateToPem(certificate), key };
}

/**
 * Issues a leaf as kubeadm does for etcd: good by default, and bad in any one way by its options
 * (a past `notAfter`, `hosts` that nobody listens on, another authority).
 */
export function issueCertificate(authority: Certificate, options: CertificateOptions): Certificate {
  const { hosts = [], usage } = options;
  const key = newKey();
  const certificate = blank(options, key);
  certificate.setIssuer(forge.pki.certificateFromPem(authority.cert).subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: usage !== 'client', clientAuth: usage !== 'server' },
    ...(hosts.length === 0 ? [] : [{ name: 'subjectAltName', altNames: hosts.map(altName) }]),
  ]);
  signWith(authority.key, certificate);
  return { cert: forge.pki.certificateToPem(certificate), key };
}
