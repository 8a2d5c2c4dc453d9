import { filterTemplate } from '../../local/cloud/filter-template';
import type { Resource, Template } from '../../local/cloud/template';

const template = (resources: Record<string, Resource>, outputs: Record<string, unknown> = {}): Template => ({
  Resources: resources,
  Outputs: outputs,
});
const nodeFunction = (more: Record<string, unknown> = {}): Resource => ({
  Type: 'AWS::Lambda::Function',
  Properties: { Runtime: 'nodejs24.x', Handler: 'index.handler', ...more },
});

describe('filterTemplate', () => {
  test('puts a stand-in for a refused type, keeps its order of making, and leaves the resource over', () => {
    const policy: Resource = { Type: 'AWS::SecretsManager::ResourcePolicy', Properties: { SecretId: 'x' }, DependsOn: ['Secret'] };

    const { template: filtered, leftovers } = filterTemplate(template({ Policy: policy }));

    expect(filtered.Resources['Policy']).toEqual({ Type: 'AWS::CloudFormation::WaitConditionHandle', DependsOn: ['Secret'] });
    expect(leftovers).toEqual([
      { kind: 'resource', logicalId: 'Policy', type: 'AWS::SecretsManager::ResourcePolicy', properties: { SecretId: 'x' } },
    ]);
  });

  test('leaves metric-math alarms over, but not plain ones', () => {
    const math: Resource = { Type: 'AWS::CloudWatch::Alarm', Properties: { Metrics: [{ Id: 'm1' }] } };
    const plain: Resource = { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'Errors' } };

    const { template: filtered, leftovers } = filterTemplate(template({ Math: math, Plain: plain }));

    expect(leftovers.map(({ logicalId }) => logicalId)).toEqual(['Math']);
    expect(filtered.Resources['Plain']).toEqual(plain);
  });

  test.each([
    ['AWS::S3::Bucket', 'BucketEncryption', { ServerSideEncryptionConfiguration: [] }],
    ['AWS::S3::Bucket', 'LifecycleConfiguration', { Rules: [] }],
    ['AWS::S3::Bucket', 'ObjectLockEnabled', true],
    ['AWS::S3::Bucket', 'ObjectLockConfiguration', { ObjectLockEnabled: 'Enabled' }],
    ['AWS::S3::Bucket', 'ReplicationConfiguration', { Role: 'copier', Rules: [] }],
    ['AWS::Lambda::Function', 'ReservedConcurrentExecutions', 2],
  ])('leaves over that %s wants %s', (type, property, value) => {
    const { leftovers } = filterTemplate(template({ It: { Type: type, Properties: { [property]: value } } }));

    expect(leftovers).toEqual([{ kind: 'property', logicalId: 'It', type, property, value }]);
  });

  test('runs Node functions by the project’s own runtime', () => {
    const { template: filtered } = filterTemplate(template({ Work: nodeFunction({ Timeout: 3 }) }));

    expect(filtered.Resources['Work']?.Properties).toEqual({ Runtime: 'provided.al2023', Handler: 'index.handler', Timeout: 3 });
  });

  test('keeps the provider of a custom resource, and functions in other languages, as they are', () => {
    const resources = {
      Provider: nodeFunction(),
      Snake: { Type: 'AWS::Lambda::Function', Properties: { Runtime: 'python3.13' } },
      Custom: { Type: 'Custom::AutoDelete', Properties: { ServiceToken: { 'Fn::GetAtt': ['Provider', 'Arn'] } } },
    };

    const { template: filtered } = filterTemplate(template(resources));

    expect(filtered.Resources).toEqual(resources);
  });

  test('says the ARN of a secret where AWS means it by Ref, wherever it stands', () => {
    const resources = {
      Secret: { Type: 'AWS::SecretsManager::Secret' },
      Work: nodeFunction({ Environment: { SECRET: { Ref: 'Secret' } } }),
    };

    const { template: filtered } = filterTemplate(
      template(resources, { Arn: { Value: { Ref: 'Secret' } }, Other: { Value: { Ref: 'Work' } } }),
    );

    expect(filtered.Resources['Work']?.Properties?.['Environment']).toEqual({ SECRET: { 'Fn::GetAtt': ['Secret', 'Id'] } });
    expect(filtered.Outputs).toEqual({ Arn: { Value: { 'Fn::GetAtt': ['Secret', 'Id'] } }, Other: { Value: { Ref: 'Work' } } });
  });

  test('puts the address block of a VPC in place of the attribute', () => {
    const vpc: Resource = { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } };
    const group: Resource = { Type: 'AWS::EC2::SecurityGroup', Properties: { From: { 'Fn::GetAtt': ['Vpc', 'CidrBlock'] } } };

    const { template: filtered } = filterTemplate(template({ Vpc: vpc, Group: group }));

    expect(filtered.Resources['Group']?.Properties).toEqual({ From: '10.0.0.0/16' });
  });

  test('leaves the given template untouched', () => {
    const given = template({ Policy: { Type: 'AWS::SSM::Document' }, Work: nodeFunction() });
    const before = structuredClone(given);

    filterTemplate(given);

    expect(given).toEqual(before);
  });
});
