import path from 'node:path';
import { pythonPath } from '../tools';
import { ACCOUNT_ID, REGION } from './emulator';

/** What any @aws-sdk client takes to talk to the local cloud as the account's root. */
export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Only S3 clients look at it: bucket names are no host names on loopback. */
  readonly forcePathStyle: true;
}

export const clientConfig = (endpoint: string, region = REGION): ClientConfig => ({
  endpoint,
  region,
  credentials: { accessKeyId: ACCOUNT_ID, secretAccessKey: 'local' },
  forcePathStyle: true,
});

/** The same for command line tools: `cdk`, `aws`. */
export const commandEnvironment = (endpoint: string): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: ACCOUNT_ID,
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** For the AWS command line of the set-up, with nothing of the caller's own settings; `home` is where it looks for its files. */
export const awsEnvironment = (endpoint: string, home: string): NodeJS.ProcessEnv => ({
  PATH: [path.dirname(pythonPath()), process.env['PATH']].join(path.delimiter),
  HOME: home,
  ...commandEnvironment(endpoint),
});
