import type { ClusterConfig } from '../config/schema';
import type { ExchangePolicy } from '../../lambdas/contract/exchange-policy';

/** What certificates hang on, from the config. */
export interface CertificateSettings {
  readonly leafValidityDays: number;
  readonly renewBeforeDays: number;
  readonly caValidityYears: number;
  readonly api: { readonly name?: string; readonly addresses: readonly string[]; readonly extraSans: readonly string[] };
}

type Certificates = NonNullable<ClusterConfig['certificates']>;

/** What certificates hang on. A balancer's own addresses are not in the config: its name is what clients use. */
export function certificateSettings(
  { leafValidityDays, renewBeforeDays, caValidityYears, extraSans }: Certificates,
  api: ClusterConfig['api'],
): CertificateSettings {
  const addresses = api?.target.kind === 'addresses' ? api.target.addresses : [];
  return { leafValidityDays, renewBeforeDays, caValidityYears, api: { ...(api && { name: api.name }), addresses, extraSans } };
}

/** When an authority is exchanged because of its age, by the authorities' own names. */
export function exchangePolicy({ authorities: { exchange, approval, rotateBeforeDays } }: Certificates): ExchangePolicy {
  const { cluster, etcd, frontProxy } = rotateBeforeDays;
  return { exchange, approval, rotateBeforeDays: { cluster, etcd, 'front-proxy': frontProxy } };
}
