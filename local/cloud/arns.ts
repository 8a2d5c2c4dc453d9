import { ACCOUNT_ID } from './emulator';

const regional = (service: string, region: string, resource: string): string => `arn:aws:${service}:${region}:${ACCOUNT_ID}:${resource}`;

/** How the ARN of a resource is made of its physical id: https://docs.aws.amazon.com/service-authorization/latest/reference/ */
const ARNS: Readonly<Record<string, (id: string, region: string) => string>> = {
  'AWS::IAM::Role': (id) => `arn:aws:iam::${ACCOUNT_ID}:role/${id}`,
  'AWS::KMS::Key': (id, region) => regional('kms', region, `key/${id}`),
  'AWS::Lambda::Function': (id, region) => regional('lambda', region, `function:${id}`),
  'AWS::Logs::LogGroup': (id, region) => regional('logs', region, `log-group:${id}:*`),
  'AWS::S3::Bucket': (id) => `arn:aws:s3:::${id}`,
  'AWS::Scheduler::ScheduleGroup': (id, region) => regional('scheduler', region, `schedule-group/${id}`),
  'AWS::SecretsManager::Secret': (id) => id,
  'AWS::SNS::Topic': (id) => id,
  'AWS::StepFunctions::StateMachine': (id) => id,
  // The id of a queue is its URL.
  'AWS::SQS::Queue': (id, region) => regional('sqs', region, id.slice(id.lastIndexOf('/') + 1)),
};

/** @throws for a type whose ARNs nobody here needed so far */
export function arnOf(type: string, physicalId: string, region: string): string {
  const arn = ARNS[type];
  if (arn === undefined) throw new Error(`no ARN is known for ${type} ${physicalId}: add the type to local/cloud/arns.ts`);
  return arn(physicalId, region);
}
