import { readFileSync } from 'node:fs';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { arnOf } from './arns';
import type { ClientConfig } from './clients';
import { resolveIntrinsics } from './intrinsics';
import { physicalIds } from './reconcile';
import type { Template } from './template';
import { isRecord } from './template';

/** A stack as CDK synthesized it, with the names that its resources got when it was deployed. */
export interface DeployedStack {
  readonly name: string;
  readonly template: Template;
  /** What `Ref` of a resource gives on AWS. */
  idOf(logicalId: string): string;
  arnOf(logicalId: string): string;
  /** A value of the template with Ref, Fn::Join and Fn::GetAtt of ARNs replaced. */
  resolve(value: unknown): unknown;
}

/** @throws when the template is missing: the stack was not deployed by this cloud */
export async function readStack(config: ClientConfig, name: string, templateFile: string | undefined): Promise<DeployedStack> {
  if (templateFile === undefined) throw new Error(`stack ${name} was not deployed here`);
  const template: unknown = JSON.parse(readFileSync(templateFile, 'utf8'));
  if (!isTemplate(template)) throw new Error(`${templateFile} is no template`);
  const ids = new Map(await physicalIds(config.endpoint, name));
  await nameSecretsByArn(config, template, ids);
  return stackOf(name, template, ids);
}

const isTemplate = (value: unknown): value is Template => isRecord(value) && isRecord(value['Resources']);

/** Ref of a secret is its ARN on AWS, and the emulator's CloudFormation gives its name. */
async function nameSecretsByArn(config: ClientConfig, { Resources }: Template, ids: Map<string, string>): Promise<void> {
  const client = new SecretsManagerClient(config);
  try {
    for (const [logicalId, { Type }] of Object.entries(Resources)) {
      if (Type !== 'AWS::SecretsManager::Secret') continue;
      const { ARN = '' } = await client.send(new DescribeSecretCommand({ SecretId: ids.get(logicalId) }));
      ids.set(logicalId, ARN);
    }
  } finally {
    client.destroy();
  }
}

/** The same from a template and names that are at hand. */
export function stackOf(name: string, template: Template, ids: ReadonlyMap<string, string>): DeployedStack {
  const idOf = (logicalId: string): string => {
    const id = ids.get(logicalId);
    if (id === undefined) throw new Error(`the deployed stack ${name} has no resource ${logicalId}`);
    return id;
  };
  const arn = (logicalId: string) => arnOf(template.Resources[logicalId]?.Type ?? 'nothing', idOf(logicalId));
  const attributeOf = (logicalId: string, attribute: string): string => {
    if (attribute !== 'Arn') throw new Error(`${attribute} of ${logicalId} is not known here: only Arn is`);
    return arn(logicalId);
  };
  return { name, template, idOf, arnOf: arn, resolve: (value) => resolveIntrinsics(value, ids, attributeOf) };
}
