import type { CurrentZone, Desired, Evidence, Policy, RecordPlan, RecordSet } from '../../lambdas/dns/plan-record';
import { TTL_SECONDS, planApiRecord } from '../../lambdas/dns/plan-record';
import { heritageText } from '../../lambdas/dns/ownership';

export const NAME = 'api.k8s.example.com';
const POLICY: Policy = { cluster: 'prod', name: NAME, visibility: 'private', adopt: false };
const WELL: Evidence = { answering: 3, withoutName: [] };
export const NODES: Desired = { kind: 'addresses', addresses: ['10.0.1.10', '10.0.2.10', '10.0.3.10'] };
export const BALANCER = {
  kind: 'alias' as const,
  dnsName: 'api-0a.elb.eu-central-1.amazonaws.com',
  zoneId: 'Z3F0SRJ5LGBH90',
  dualstack: false,
} satisfies Desired;

export const a = (values: string[], change: Partial<RecordSet> = {}): RecordSet => ({
  name: `${NAME}.`,
  type: 'A',
  ttl: TTL_SECONDS,
  values,
  ...change,
});
export const txt = (name: string, ...values: string[]): RecordSet => ({ name, type: 'TXT', ttl: 300, values });
export const foreign = (owner: string) =>
  `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=service/kube-system/api"`;
export const OURS = txt(`a-${NAME}.`, heritageText('prod'));
export const zone = (...records: RecordSet[]): CurrentZone => ({ name: 'k8s.example.com.', visibility: 'private', records });
export const alias = (dnsName: string, change: Partial<RecordSet['alias']> = {}): RecordSet => ({
  ...{ name: NAME, type: 'A', values: [] },
  alias: { dnsName, zoneId: 'Z3F0SRJ5LGBH90', evaluateTargetHealth: true, ...change },
});
export const plan = (
  current: CurrentZone,
  desired: Desired = NODES,
  evidence: Partial<Evidence> = {},
  policy: Partial<Policy> = {},
): RecordPlan => planApiRecord(current, desired, { ...WELL, ...evidence }, { ...POLICY, ...policy });
export const nodes = a(['10.0.1.10', '10.0.2.10', '10.0.3.10']);
