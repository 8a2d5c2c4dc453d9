import { ConfigError } from '../../../lib/config/config-error';
import { parseConfig } from '../../../lib/config/load-config';

export interface Json {
  [key: string]: unknown;
}

/** The smallest cluster that parses. */
export const cluster = (overrides: Json = {}): Json => ({ name: 'prod', etcd: { endpoints: ['https://10.0.1.10:2379'] }, ...overrides });

export const network = (overrides: Json = {}): Json => ({
  vpcId: 'vpc-0123456789abcdef0',
  subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  securityGroupIds: ['sg-0123456789abcdef0'],
  ...overrides,
});

export const api = (overrides: Json = {}): Json => ({
  name: 'api.k8s.example.com',
  zoneId: 'Z0123456789ABCDEFGHIJ',
  target: { addresses: ['203.0.113.10'] },
  ...overrides,
});

export const file = (...clusters: unknown[]): Json => ({ clusters });

export const parse = (config: unknown) => parseConfig(JSON.stringify(config));

/** The lines of the error that a config is refused with, without the one that counts them. */
export function mistakesIn(config: unknown): string[] {
  return mistakesInText(JSON.stringify(config));
}

export function mistakesInText(text: string): string[] {
  try {
    parseConfig(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}
