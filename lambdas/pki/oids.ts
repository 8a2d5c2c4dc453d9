/** Object identifiers of X.509 (RFC 5280) and of PKCS #1 (RFC 8017) that this room reads or writes. */
export const Oid = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

/** How people call the parts of a name (RFC 4514, 3). */
export const ATTRIBUTE_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
};

/** In the order of their bits (RFC 5280, 4.2.1.3). */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

export const EXTENDED_USAGES = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;
export type ExtendedUsage = keyof typeof EXTENDED_USAGES;

export type SafeHash = 'sha256' | 'sha384' | 'sha512';

/** Signatures with a hash that Go still accepts, with the kind of key that makes them. */
export const SAFE_SIGNATURES: Readonly<Record<string, { readonly hash?: SafeHash; readonly by: string }>> = {
  '1.2.840.113549.1.1.10': { by: 'RSA-PSS' },
  '1.2.840.113549.1.1.11': { hash: 'sha256', by: 'RSA' },
  '1.2.840.113549.1.1.12': { hash: 'sha384', by: 'RSA' },
  '1.2.840.113549.1.1.13': { hash: 'sha512', by: 'RSA' },
  '1.2.840.10045.4.3.2': { hash: 'sha256', by: 'ECDSA' },
  '1.2.840.10045.4.3.3': { hash: 'sha384', by: 'ECDSA' },
  '1.2.840.10045.4.3.4': { hash: 'sha512', by: 'ECDSA' },
  '1.3.101.112': { by: 'Ed25519' },
};
