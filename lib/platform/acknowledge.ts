import { Stack, Validations } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';

/** Acknowledges one resource with a wildcard in the policy of a role, or of a function's role; the finding's id spells it as the template does. */
export function acknowledgeWildcard(holder: IFunction | IRole, resource: string, reason: string): void {
  const id = `AwsSolutions-IAM5[Resource::${spelled(Stack.of(holder).resolve(resource))}]`;
  Validations.of('role' in holder ? (holder.role ?? holder) : holder).acknowledge({ id, reason });
}

/** `{"Fn::Join":["",[{"Fn::GetAtt":["B","Arn"]},"/x*"]]}` as cdk-nag writes it: `<B.Arn>/x*`; what it does not know stays as it is. */
function spelled(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, Ref: ref } = value as Intrinsic;
  if (join !== undefined) return join[1].map(spelled).join(join[0]);
  if (attribute !== undefined) return `<${attribute.join('.')}>`;
  return ref === undefined ? JSON.stringify(value) : `<${ref}>`;
}

interface Intrinsic {
  readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
  readonly 'Fn::GetAtt'?: readonly string[];
  readonly Ref?: string;
}
