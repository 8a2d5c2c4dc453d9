import { z } from 'zod';

const texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const ConditionValue = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Condition = z.record(
  z.string(),
  z.record(
    z.string(),
    z.union([ConditionValue, z.array(ConditionValue)]).transform((value) => [value].flat()),
  ),
);
// Strict: a NotAction or NotResource cannot be taken apart into single rights, so it must not pass unseen.
const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Resource: texts,
  Condition: Condition.optional(),
});
const Document = z.object({ Statement: z.array(Statement) });

/** By operator, by key: the values that satisfy it. */
export type Condition = z.output<typeof Condition>;

/** One action on one resource pattern: the smallest thing that a policy can give or take. */
export interface Grant {
  readonly effect: 'Allow' | 'Deny';
  readonly action: string;
  readonly resource: string;
  readonly condition?: Condition;
}

/** Takes a policy apart, however its statements were merged. @throws ZodError for what cannot be taken apart */
export function grantsOf(document: unknown): Grant[] {
  return Document.parse(document).Statement.flatMap(({ Effect: effect, Action, Resource, Condition: condition }) =>
    Action.flatMap((action) => Resource.map((resource) => ({ effect, action, resource, ...(condition && { condition }) }))),
  );
}

/** The grant as a policy of its own. */
export const policyOf = ({ effect, action, resource, condition }: Grant) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: effect, Action: action, Resource: resource, ...(condition && { Condition: condition }) }],
});

/** `s3:GetObject on arn:… when s3:prefix is clusters/a/*` */
export function textOf({ effect, action, resource, condition = {} }: Grant): string {
  const when = Object.values(condition).flatMap((keys) => Object.entries(keys).map(([key, values]) => `${key} is ${values.join(' or ')}`));
  return [effect === 'Deny' ? `no ${action}` : action, 'on', resource, ...(when.length === 0 ? [] : ['when', when.join(' and ')])].join(
    ' ',
  );
}
