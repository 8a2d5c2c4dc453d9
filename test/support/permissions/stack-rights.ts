import type { DeployedStack } from '../../../local/cloud';
import type { Resource } from '../../../local/cloud/template';
import { isRecord } from '../../../local/cloud/template';
import type { Grant } from './grants';
import { grantsOf } from './grants';

/** A function of a stack and everything that its role may do. */
export interface FunctionRights {
  /** Its construct, the same in every stack: `BackupTakeSnapshot`. */
  readonly label: string;
  readonly name: string;
  readonly arn: string;
  readonly role: string;
  readonly grants: readonly Grant[];
}

/** A schedule, what it starts, and everything that its role may do. */
export interface ScheduleRights {
  readonly label: string;
  readonly target: string;
  readonly deadLetters: string;
  readonly trust: unknown;
  readonly grants: readonly Grant[];
}

/** Who may do what in one deployed stack, by the template that CDK synthesized. */
export interface StackRights {
  readonly stack: string;
  readonly functions: readonly FunctionRights[];
  readonly schedules: readonly ScheduleRights[];
  /** The policies of buckets, secrets, queues and keys, by ARN. */
  readonly guards: ReadonlyMap<string, unknown>;
  /** ARNs of keys, by the ARN of the bucket or secret that they encrypt. */
  readonly keys: ReadonlyMap<string, string>;
  /** ARNs of the functions that rotate secrets, by the ARN of the secret. */
  readonly rotations: ReadonlyMap<string, string>;
  /** The machines that get commands, by their ARN. */
  readonly machines: ReadonlyMap<string, MachineTags>;
}

export type MachineTags = Readonly<Record<string, string>>;

/** What the template does not name, since it comes into being when the stack is at work. */
export type LaterThings = Pick<StackRights, 'guards' | 'keys' | 'rotations' | 'machines'>;

export const withLater = (stack: StackRights, later: LaterThings): StackRights => ({
  ...stack,
  guards: new Map([...stack.guards, ...later.guards]),
  keys: new Map([...stack.keys, ...later.keys]),
  rotations: new Map([...stack.rotations, ...later.rotations]),
  machines: new Map([...stack.machines, ...later.machines]),
});

type Entry = readonly [logicalId: string, resource: Resource];

export function rightsOf(stack: DeployedStack): StackRights {
  const entries = Object.entries(stack.template.Resources);
  const ofType = (type: string) => entries.filter(([, { Type }]) => Type === type);
  return {
    stack: stack.name,
    functions: ofType('AWS::Lambda::Function').map((entry) => functionRights(stack, entry)),
    schedules: ofType('AWS::Scheduler::Schedule').map((entry) => scheduleRights(stack, entry)),
    guards: new Map(entries.flatMap((entry) => guardsOf(stack, entry))),
    keys: new Map(entries.flatMap((entry) => keysOf(stack, entry))),
    rotations: new Map(),
    machines: new Map(),
  };
}

/** CDK ends a logical id in eight hexadecimal digits that hash its path. */
const labelOf = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');
const propertiesOf = ({ Properties = {} }: Resource) => Properties;
const recordOf = (value: unknown) => (isRecord(value) ? value : {});

function functionRights(stack: DeployedStack, [logicalId, resource]: Entry): FunctionRights {
  const roleId = logicalIdOf(propertiesOf(resource)['Role']);
  return {
    label: labelOf(logicalId),
    name: stack.idOf(logicalId),
    arn: stack.arnOf(logicalId),
    role: stack.idOf(roleId),
    grants: roleGrants(stack, roleId),
  };
}

function scheduleRights(stack: DeployedStack, [logicalId, resource]: Entry): ScheduleRights {
  const target = recordOf(propertiesOf(resource)['Target']);
  const roleId = logicalIdOf(target['RoleArn']);
  return {
    label: labelOf(logicalId),
    target: String(stack.resolve(target['Arn'])),
    deadLetters: String(stack.resolve(recordOf(target['DeadLetterConfig'])['Arn'])),
    trust: stack.resolve(propertiesOf(stack.template.Resources[roleId] ?? resource)['AssumeRolePolicyDocument']),
    grants: roleGrants(stack, roleId),
  };
}

/** @throws for a role whose rights are not all in policies of the template */
function roleGrants(stack: DeployedStack, roleId: string): Grant[] {
  const role = propertiesOf(stack.template.Resources[roleId] ?? { Type: 'none' });
  for (const elsewhere of ['ManagedPolicyArns', 'Policies', 'PermissionsBoundary'])
    if (elsewhere in role) throw new Error(`role ${roleId} has ${elsewhere}, whose rights are not judged: give it an AWS::IAM::Policy`);
  return Object.values(stack.template.Resources)
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .map(propertiesOf)
    .filter(({ Roles }) => Array.isArray(Roles) && Roles.some((item) => recordOf(item)['Ref'] === roleId))
    .flatMap(({ PolicyDocument }) => grantsOf(stack.resolve(PolicyDocument)));
}

function logicalIdOf(value: unknown): string {
  const { 'Fn::GetAtt': attribute, Ref: ref } = recordOf(value);
  const found: unknown = Array.isArray(attribute) ? attribute[0] : ref;
  if (typeof found !== 'string') throw new Error(`${JSON.stringify(value)} is no resource of the template`);
  return found;
}

function guardsOf(stack: DeployedStack, [logicalId, resource]: Entry): [string, unknown][] {
  const { Bucket, Queues, SecretId, PolicyDocument, ResourcePolicy, KeyPolicy } = propertiesOf(resource);
  switch (resource.Type) {
    case 'AWS::S3::BucketPolicy':
      return [[stack.arnOf(logicalIdOf(Bucket)), stack.resolve(PolicyDocument)]];
    case 'AWS::SQS::QueuePolicy':
      return (Array.isArray(Queues) ? Queues : []).map((queue) => [stack.arnOf(logicalIdOf(queue)), stack.resolve(PolicyDocument)]);
    case 'AWS::SecretsManager::ResourcePolicy':
      return [[stack.arnOf(logicalIdOf(SecretId)), stack.resolve(ResourcePolicy)]];
    case 'AWS::KMS::Key':
      return [[stack.arnOf(logicalId), stack.resolve(KeyPolicy)]];
    default:
      return [];
  }
}

function keysOf(stack: DeployedStack, [logicalId, resource]: Entry): [string, string][] {
  const { BucketEncryption, KmsKeyId } = propertiesOf(resource);
  const found =
    resource.Type === 'AWS::S3::Bucket' ? JSON.stringify(BucketEncryption ?? {}).includes('KMSMasterKeyID') : KmsKeyId !== undefined;
  if (!found || !['AWS::S3::Bucket', 'AWS::SecretsManager::Secret'].includes(resource.Type)) return [];
  return [[stack.arnOf(logicalId), String(stack.resolve(KmsKeyId ?? masterKeyOf(BucketEncryption)))]];
}

function masterKeyOf(encryption: unknown): unknown {
  const rules = recordOf(encryption)['ServerSideEncryptionConfiguration'];
  const [first] = (Array.isArray(rules) ? rules : []) as unknown[];
  return recordOf(recordOf(first)['ServerSideEncryptionByDefault'])['KMSMasterKeyID'];
}
