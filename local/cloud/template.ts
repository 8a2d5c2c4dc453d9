/** As much of a CloudFormation template as the local cloud looks at. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly [other: string]: unknown;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
  readonly [other: string]: unknown;
}

/** Outputs by stack name, as in `cdk deploy --outputs-file`. */
export type StackOutputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Something a template asks for that the emulator's CloudFormation refuses or drops: made by reconcile.ts instead. */
export type Leftover =
  | { readonly kind: 'resource'; readonly logicalId: string; readonly type: string; readonly properties: Readonly<Record<string, unknown>> }
  | { readonly kind: 'property'; readonly logicalId: string; readonly type: string; readonly property: string; readonly value: unknown };

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
