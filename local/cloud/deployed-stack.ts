import { readFileSync } from 'node:fs';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { arnOf } from './arns';
import type { ClientConfig } from './clients';
import { clientConfig } from './clients';
import type { SynthesizedStack } from './deploy';
import { REGION } from './emulator';
import { resolveIntrinsics } from './intrinsics';
import type { StackPlace } from './reconcile';
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
  /** A value of the template with Ref, Fn::Join and Fn::GetAtt of ARNs and queue names replaced. */
  resolve(value: unknown): unknown;
}

/** @throws when the stack was not deployed by this cloud */
export async function readStack(place: Omit<StackPlace, 'region'>, stack: SynthesizedStack | undefined): Promise<DeployedStack> {
  const { endpoint, name, outputs } = place;
  if (stack === undefined) throw new Error(`stack ${name} was not deployed here`);
  const template: unknown = JSON.parse(readFileSync(stack.templateFile, 'utf8'));
  if (!isTemplate(template)) throw new Error(`${stack.templateFile} is no template`);
  const config = clientConfig(endpoint, stack.region);
  const ids = new Map(await physicalIds(config, name));
  await nameSecretsByArn(config, template, ids);
  return stackOf(name, template, ids, { region: stack.region, outputs });
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
export function stackOf(
  name: string,
  template: Template,
  ids: ReadonlyMap<string, string>,
  { region, outputs }: Pick<StackPlace, 'region' | 'outputs'> = { region: REGION, outputs: {} },
): DeployedStack {
  const idOf = (logicalId: string): string => {
    const id = ids.get(logicalId);
    if (id === undefined) throw new Error(`the deployed stack ${name} has no resource ${logicalId}`);
    return id;
  };
  const arn = (logicalId: string) => arnOf(template.Resources[logicalId]?.Type ?? 'nothing', idOf(logicalId), region);
  const attributeOf = (logicalId: string, attribute: string): string => {
    if (attribute === 'Arn') return arn(logicalId);
    // The id of a queue is its URL.
    if (attribute === 'QueueName') return idOf(logicalId).replace(/^.*\//, '');
    throw new Error(`${attribute} of ${logicalId} is not known here: only Arn and QueueName are`);
  };
  return {
    name,
    template,
    idOf,
    arnOf: arn,
    resolve: (value) => resolveIntrinsics(value, { region, outputs, physicalIds: ids, attributeOf }),
  };
}
