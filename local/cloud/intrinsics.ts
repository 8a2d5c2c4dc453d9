import { ACCOUNT_ID, REGION } from './emulator';
import { isRecord } from './template';

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT_ID,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

type AttributeOf = (logicalId: string, attribute: string) => string;

/**
 * Replaces Ref, Fn::Join and Fn::GetAtt by what the deployed stack holds.
 *
 * @param attributeOf by default an attribute is taken to be the physical id
 */
export function resolveIntrinsics(value: unknown, physicalIds: ReadonlyMap<string, string>, attributeOf?: AttributeOf): unknown {
  const resolved = (inner: unknown) => resolveIntrinsics(inner, physicalIds, attributeOf);
  if (Array.isArray(value)) return value.map(resolved);
  if (!isRecord(value)) return value;
  const { Ref: ref, 'Fn::Join': join, 'Fn::GetAtt': attribute } = value;
  if (typeof ref === 'string') return PSEUDO[ref] ?? idOf(ref, physicalIds);
  if (Array.isArray(attribute)) {
    const [logicalId, name] = attribute.map(String);
    return attributeOf?.(logicalId ?? '', name ?? '') ?? idOf(logicalId ?? '', physicalIds);
  }
  if (Array.isArray(join) && Array.isArray(join[1])) return join[1].map((part) => String(resolved(part))).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item)]));
}

function idOf(logicalId: string, physicalIds: ReadonlyMap<string, string>): string {
  const found = physicalIds.get(logicalId);
  if (found === undefined) throw new Error(`the deployed stack has no resource ${logicalId}`);
  return found;
}
