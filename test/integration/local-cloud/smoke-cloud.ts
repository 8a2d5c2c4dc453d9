import path from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import type { LocalCloud } from '../../../local/cloud';
import { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { startLocalCloud } from '../../../local/cloud';
import { commandEnvironment } from '../../../local/cloud/clients';

/** The stack of app/app.ts in a cloud of its own. */
export interface SmokeCloud {
  readonly cloud: LocalCloud;
  readonly bucket: string;
  readonly probe: string;
  readonly probeArn: string;
  readonly secret: string;
  /** A role that Scheduler and Step Functions may take on to call the probe. */
  readonly callerArn: string;
  /** An S3 client with the role of the probe, as code in it has one. */
  s3OfProbe(): Promise<S3Client>;
  /** The `aws` command line, answering JSON. */
  aws(...args: string[]): Promise<unknown>;
}

const Credentials = z.object({ AWS_ACCESS_KEY_ID: z.string(), AWS_SECRET_ACCESS_KEY: z.string(), AWS_SESSION_TOKEN: z.string() });
const Answer = z.object({ environment: Credentials });

export async function startSmokeCloud(): Promise<SmokeCloud> {
  const cloud = await startLocalCloud();
  const app = `npx tsx ${path.relative(process.cwd(), path.join(__dirname, 'app/app.ts'))}`;
  const { outputs } = await cloud.deployApp({ app, configPath: 'given.json' }).catch(async (error: unknown) => {
    await cloud.stop();
    throw error;
  });
  const { BucketName = '', ProbeName = '', ProbeArn = '', SecretRef = '', CallerArn = '' } = outputs['Smoke'] ?? {};
  return {
    cloud,
    bucket: BucketName,
    probe: ProbeName,
    probeArn: ProbeArn,
    secret: SecretRef,
    callerArn: CallerArn,
    s3OfProbe: async () => {
      const answer = await cloud.invoke(ProbeName, {});
      const { environment } = Answer.parse(answer.outcome === 'returned' ? answer.result : undefined);
      const credentials = {
        accessKeyId: environment.AWS_ACCESS_KEY_ID,
        secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
        sessionToken: environment.AWS_SESSION_TOKEN,
      };
      return new S3Client({ ...cloud.clientConfig(), endpoint: cloud.faults.endpoint, credentials });
    },
    aws: async (...args) => {
      const env = { PATH: process.env['PATH'], HOME: cloud.folder, ...commandEnvironment(cloud.endpoint) };
      const { stdout } = await promisify(execFile)('aws', [...args, '--output', 'json'], { env });
      return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as unknown);
    },
  };
}
