import type { Leftover, Resource, Template } from './template';
import { isRecord } from './template';

/** Types the emulator's CloudFormation refuses (MiniStack 1.5.33). It refuses the whole template when it holds one. */
const REFUSED_TYPES: ReadonlySet<string> = new Set([
  'AWS::CloudTrail::Trail',
  'AWS::Budgets::Budget',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::EC2::EIP',
  'AWS::EC2::Instance',
  'AWS::EC2::NatGateway',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::IAM::Group',
  'AWS::IAM::ServiceLinkedRole',
  'AWS::Logs::QueryDefinition',
  'AWS::Route53::HealthCheck',
  'AWS::Route53::RecordSetGroup',
  'AWS::SSM::Association',
  'AWS::SSM::Document',
  'AWS::SecretsManager::ResourcePolicy',
  'AWS::SecretsManager::RotationSchedule',
  'AWS::StepFunctions::Activity',
  'AWS::StepFunctions::StateMachineAlias',
  'AWS::StepFunctions::StateMachineVersion',
]);

/** Properties it accepts and then forgets, as far as reconcile.ts makes up for them. The lock comes before its defaults. */
const DROPPED_PROPERTIES: Readonly<Record<string, readonly string[]>> = {
  'AWS::S3::Bucket': [
    'BucketEncryption',
    'LifecycleConfiguration',
    'ObjectLockEnabled',
    'ObjectLockConfiguration',
    'OwnershipControls',
    'ReplicationConfiguration',
  ],
  'AWS::Lambda::Function': ['ReservedConcurrentExecutions'],
};

const isMetricMath = ({ Type, Properties }: Resource): boolean =>
  Type === 'AWS::CloudWatch::Alarm' && Properties?.['Metrics'] !== undefined;

/** A stand-in of a type that the emulator takes, so that DependsOn and Ref still find the resource. */
const standIn = ({ DependsOn }: Resource): Resource => ({
  Type: 'AWS::CloudFormation::WaitConditionHandle',
  ...(DependsOn === undefined ? {} : { DependsOn }),
});

function leftoversOf(logicalId: string, resource: Resource): Leftover[] {
  const { Type: type, Properties: properties = {} } = resource;
  if (REFUSED_TYPES.has(type) || isMetricMath(resource)) return [{ kind: 'resource', logicalId, type, properties }];
  return (DROPPED_PROPERTIES[type] ?? [])
    .filter((property) => properties[property] !== undefined)
    .map((property) => ({ kind: 'property', logicalId, type, property, value: properties[property] }));
}

/**
 * Functions that answer a custom resource. They stay on the emulator's own Node executor, which knows where
 * CloudFormation waits for the answer; under provided.al2023 the deployment would hang.
 */
function customResourceProviders(template: Template): ReadonlySet<string> {
  const tokens = Object.values(template.Resources).map(({ Properties }) => Properties?.['ServiceToken']);
  return new Set(tokens.map((token) => (isRecord(token) && Array.isArray(token['Fn::GetAtt']) ? String(token['Fn::GetAtt'][0]) : '')));
}

/** AWS's own Node runtime turns into the project's bootstrap: the emulator's gives every error the same name. */
function withLocalRuntime(resource: Resource): Resource {
  const runtime = resource.Properties?.['Runtime'];
  if (resource.Type !== 'AWS::Lambda::Function' || typeof runtime !== 'string' || !runtime.startsWith('nodejs')) return resource;
  return { ...resource, Properties: { ...resource.Properties, Runtime: 'provided.al2023' } };
}

/** References that the emulator answers wrongly, said in a way that it answers rightly. */
function withWorkingReferences(value: unknown, resources: Template['Resources']): unknown {
  if (Array.isArray(value)) return value.map((item) => withWorkingReferences(item, resources));
  if (!isRecord(value)) return value;
  // Ref of a secret is its ARN on AWS and its name in the emulator.
  const { Ref: ref, 'Fn::GetAtt': attribute } = value;
  if (typeof ref === 'string' && resources[ref]?.Type === 'AWS::SecretsManager::Secret') return { 'Fn::GetAtt': [ref, 'Id'] };
  // The address block of a VPC is not an attribute that the emulator knows.
  if (Array.isArray(attribute) && attribute[1] === 'CidrBlock') {
    const vpc = resources[String(attribute[0])];
    if (vpc?.Type === 'AWS::EC2::VPC') return vpc.Properties?.['CidrBlock'];
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withWorkingReferences(item, resources)]));
}

const isTemplate = (value: unknown): value is Template => isRecord(value) && isRecord(value['Resources']);

/** Splits a template into what the emulator's CloudFormation makes and what is left over for SDK calls afterwards. */
export function filterTemplate(template: Template): { readonly template: Template; readonly leftovers: readonly Leftover[] } {
  const providers = customResourceProviders(template);
  const leftovers: Leftover[] = [];
  const resources: Record<string, Resource> = {};
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    const found = leftoversOf(logicalId, resource);
    leftovers.push(...found);
    if (found.some(({ kind }) => kind === 'resource')) resources[logicalId] = standIn(resource);
    else resources[logicalId] = providers.has(logicalId) ? resource : withLocalRuntime(resource);
  }
  const working = withWorkingReferences({ ...template, Resources: resources }, template.Resources);
  if (!isTemplate(working)) throw new Error('a template without resources cannot be deployed');
  return { template: working, leftovers };
}
