import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { awsEnvironment } from '../../../local/cloud/clients';
import type { LocalCloud } from '../../../local/cloud';
import type { LocalNode } from '../../../local/nodes';
import { projectRoot } from '../../../local/tools';
import { grantsOf } from '../../support/permissions/grants';
import type { FunctionRights } from '../../support/permissions/stack-rights';

const NAME = 'control-plane-nodes';

export type SessionCredentials = Readonly<Record<'accessKeyId' | 'secretAccessKey' | 'sessionToken', string>>;

/** The role of the instances, with the policy that docs/security.md gives an operator for the certificates. */
export interface NodeRole {
  readonly rights: FunctionRights;
  /** What EC2 gives an instance: a session that is named after it. */
  readonly sessionOf: (node: LocalNode) => SessionCredentials;
}

/** Makes the role, and has every node use it instead of the root of the account. */
export async function giveNodeRole(cloud: LocalCloud, nodes: readonly LocalNode[], cluster: string, keyArn: string): Promise<NodeRole> {
  const policy = documentedPolicy({ 'prod-eu': cluster, '111122223333': cloud.accountId, 'eu-central-1': cloud.region, 'KEY-ARN': keyArn });
  const env = awsEnvironment(cloud.endpoint, cloud.folder);
  const aws = async (...args: string[]) => (await promisify(execFile)('aws', [...args, '--output', 'json'], { env })).stdout;
  const arn = `arn:aws:iam::${cloud.accountId}:role/${NAME}`;
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com', AWS: cloud.accountId }, Action: 'sts:AssumeRole' }],
  });
  await aws('iam', 'create-role', '--role-name', NAME, '--assume-role-policy-document', trust);
  await aws('iam', 'put-role-policy', '--role-name', NAME, '--policy-name', 'documented', '--policy-document', policy);
  const sessions = new Map<string, SessionCredentials>();
  for (const node of nodes) {
    const { Credentials } = Assumed.parse(
      JSON.parse(await aws('sts', 'assume-role', '--role-arn', arn, '--role-session-name', node.instanceId)),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials;
    const keys = { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, AWS_SESSION_TOKEN: SessionToken };
    node.register({ env: { ...node.env, ...keys } });
    sessions.set(node.instanceId, { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });
  }
  return {
    rights: { label: 'NodeRole', name: NAME, arn, role: NAME, grants: grantsOf(JSON.parse(policy)) },
    sessionOf: ({ instanceId }) => {
      const session = sessions.get(instanceId);
      if (session === undefined) throw new Error(`${instanceId} has no session of ${NAME}`);
      return session;
    },
  };
}

const Assumed = z.object({
  Credentials: z.object({ AccessKeyId: z.string(), SecretAccessKey: z.string(), SessionToken: z.string() }),
});

/** The policy as operators copy it, with their own names in the place of those of the example. */
function documentedPolicy(names: Readonly<Record<string, string>>): string {
  const text = readFileSync(path.join(projectRoot, 'docs/security.md'), 'utf8');
  const blocks = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) => json);
  const [policy, ...others] = blocks.filter((json) => json.includes('/pki/nodes/'));
  if (policy === undefined || others.length > 0) throw new Error('docs/security.md has not one policy for the certificates of nodes');
  return Object.entries(names).reduce((json, [example, own]) => json.replaceAll(example, own), policy);
}
