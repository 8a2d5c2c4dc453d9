import { Stack } from 'aws-cdk-lib';
import { FunctionNetwork } from '../../../lib/platform/function-network';
import { network } from '../config/configs';
import { inVpc, only, statementsOf, templateOf, testApp } from '../synth';

const ENDPOINT = 'AWS::EC2::VPCEndpoint';
const GROUP = 'AWS::EC2::SecurityGroup';
const environmentOf = (template: ReturnType<typeof templateOf>) =>
  (only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot')[1].Properties.Environment as { Variables: Record<string, unknown> })
    .Variables;

describe('in a VPC whose endpoints the stack makes', () => {
  const template = templateOf(inVpc());
  const [endpointId, endpoint] = only(template, ENDPOINT, 'NetworkSecretsManager');
  const [groupId, group] = only(template, GROUP);

  test('functions have their interfaces in the named subnets and groups', () => {
    expect(only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot')[1].Properties.VpcConfig).toEqual({
      SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      SecurityGroupIds: ['sg-0123456789abcdef0'],
    });
  });

  test('S3 is routed by the named route tables', () => {
    expect(only(template, ENDPOINT, 'NetworkS3')[1].Properties).toMatchObject({
      VpcEndpointType: 'Gateway',
      ServiceName: 'com.amazonaws.eu-central-1.s3',
      VpcId: 'vpc-0123456789abcdef0',
      RouteTableIds: ['rtb-0123456789abcdef0'],
    });
  });

  test('Secrets Manager is reached by an endpoint that nobody else is led to', () => {
    expect(endpoint.Properties).toMatchObject({
      VpcEndpointType: 'Interface',
      ServiceName: 'com.amazonaws.eu-central-1.secretsmanager',
      VpcId: 'vpc-0123456789abcdef0',
      SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      SecurityGroupIds: [{ 'Fn::GetAtt': [groupId, 'GroupId'] }],
      PrivateDnsEnabled: false,
    });
    const name = { 'Fn::Select': [1, { 'Fn::Split': [':', { 'Fn::Select': [0, { 'Fn::GetAtt': [endpointId, 'DnsEntries'] }] }] }] };
    expect(environmentOf(template).AWS_ENDPOINT_URL_SECRETS_MANAGER).toEqual({ 'Fn::Join': ['', ['https://', name]] });
  });

  test('the endpoint passes reads of the one secret, by principals of this account', () => {
    expect(endpoint.Properties.PolicyDocument).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: '*' },
          Action: 'secretsmanager:GetSecretValue',
          Resource: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:lifeboat/prod/etcd-client-??????',
          Condition: { StringEquals: { 'aws:PrincipalAccount': '111122223333' } },
        },
      ],
    });
  });

  test('the endpoint lets in functions by TCP 443 and nothing out', () => {
    expect(group.Properties.SecurityGroupIngress).toEqual([
      { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, SourceSecurityGroupId: 'sg-0123456789abcdef0', Description: 'from functions' },
    ]);
    expect(group.Properties.SecurityGroupEgress).toEqual([expect.objectContaining({ CidrIp: '255.255.255.255/32', IpProtocol: 'icmp' })]);
  });
});

test('in a VPC that has its endpoints already none is made, and the SDK is told nothing', () => {
  const template = templateOf(inVpc({ network: network() }));

  template.resourceCountIs(ENDPOINT, 0);
  template.resourceCountIs(GROUP, 0);
  expect(environmentOf(template)).not.toHaveProperty('AWS_ENDPOINT_URL_SECRETS_MANAGER');
  expect(only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot')[1].Properties).toHaveProperty('VpcConfig');
});

test('outside a VPC functions have neither interfaces nor rights to make them', () => {
  const template = templateOf(inVpc({ network: undefined }));

  expect(only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot')[1].Properties).not.toHaveProperty('VpcConfig');
  expect(JSON.stringify(statementsOf(template, 'BackupTakeSnapshotRole'))).not.toContain('ec2:');
  template.resourceCountIs(ENDPOINT, 0);
});

test.each([
  ['subnetIds is empty, give at least 1 subnet', { subnetIds: [] }],
  ['securityGroupIds is empty, give at least 1 security group', { securityGroupIds: [] }],
])('%s', (message, wrong) => {
  const props = { clusterName: 'a', vpcId: 'vpc-01234567', subnetIds: ['subnet-01234567'], securityGroupIds: ['sg-01234567'], ...wrong };

  expect(() => new FunctionNetwork(new Stack(testApp(), 'Test'), 'Network', props)).toThrow(message);
});
