/** By their numbers: RFC 5246, 7.2; RFC 6066, 9; RFC 7301, 3.2; RFC 8446, 6. */
const ALERTS: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

export const alertName = (description: number): string => ALERTS[description] ?? `alert ${description}`;

/** What the operator of a server that ends a handshake with this alert can do. */
export function fixOfAlert(description: number): string {
  switch (alertName(description)) {
    case 'protocol_version':
      return 'it does not speak TLS 1.2, in which alone a server tells whom it accepts before it asks who calls: let it speak TLS 1.2 too';
    case 'handshake_failure':
    case 'insufficient_security':
      return 'it has no cipher suite or kind of certificate in common with this side: let it offer ECDHE with AES-GCM';
    case 'unrecognized_name':
      return 'it serves nothing under this name: give the name in its certificate';
    default:
      return 'its own log tells more';
  }
}
