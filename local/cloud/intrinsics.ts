import { ACCOUNT_ID } from './emulator';
import type { StackOutputs } from './template';
import { isRecord } from './template';

/** What references of a deployed stack lead to. */
export interface Deployed {
  readonly region: string;
  /** By logical id. */
  readonly physicalIds: ReadonlyMap<string, string>;
  /** Of this stack and of those that it refers to. */
  readonly outputs: StackOutputs;
  /** @default - every attribute is taken to be the physical id */
  readonly attributeOf?: (logicalId: string, attribute: string) => string;
}

const pseudoParameters = (region: string): Readonly<Record<string, string>> => ({
  'AWS::AccountId': ACCOUNT_ID,
  'AWS::Region': region,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
});

/** Replaces Ref, Fn::Join, Fn::GetAtt and Fn::GetStackOutput by what the deployed stack holds. */
export function resolveIntrinsics(value: unknown, deployed: Deployed): unknown {
  const resolved = (inner: unknown) => resolveIntrinsics(inner, deployed);
  if (Array.isArray(value)) return value.map(resolved);
  if (!isRecord(value)) return value;
  const { Ref: ref, 'Fn::Join': join, 'Fn::GetAtt': attribute, 'Fn::GetStackOutput': output } = value;
  if (typeof ref === 'string') return pseudoParameters(deployed.region)[ref] ?? idOf(ref, deployed);
  if (Array.isArray(attribute)) {
    const [logicalId = '', name = ''] = attribute.map(String);
    return deployed.attributeOf?.(logicalId, name) ?? idOf(logicalId, deployed);
  }
  if (isRecord(output)) return outputOf(String(output['StackName']), String(output['OutputName']), deployed);
  if (Array.isArray(join) && Array.isArray(join[1])) return join[1].map((part) => String(resolved(part))).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item)]));
}

function idOf(logicalId: string, { physicalIds }: Deployed): string {
  const found = physicalIds.get(logicalId);
  if (found === undefined) throw new Error(`the deployed stack has no resource ${logicalId}`);
  return found;
}

function outputOf(stackName: string, name: string, { outputs }: Deployed): string {
  const found = outputs[stackName]?.[name];
  if (found === undefined) throw new Error(`the deployed stack ${stackName} has no output ${name}`);
  return found;
}
