import { isRefusal } from '../../e2e/steady-clients';

test.each([
  '401 Unauthorized',
  '403 Forbidden',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'EPROTO',
])('%s: somebody is not accepted', (failure) => expect(isRefusal(failure)).toBe(true));

test.each(['ECONNRESET', 'ECONNREFUSED', '500 InternalError', '503 ServiceUnavailable', '404 NotFound', 'no answer within 20 s'])(
  '%s: nobody says that anybody is not accepted',
  (failure) => expect(isRefusal(failure)).toBe(false),
);
