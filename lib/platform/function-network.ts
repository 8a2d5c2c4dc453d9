import { ArnFormat, Fn, Stack, Validations } from 'aws-cdk-lib';
import { CfnVPCEndpoint, Peer, Port, SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { ISecurityGroup, ISubnet, IVpc } from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { nodeSecretName } from '../../lambdas/contract/certificates';
import { etcdClientSecretName } from '../../lambdas/contract/secrets';

export interface FunctionNetworkProps {
  /** Name of the cluster whose members the functions reach from here. */
  readonly clusterName: string;

  /** The VPC, which must exist already. */
  readonly vpcId: string;

  /** Subnets in which functions get their network interfaces, one per availability zone. */
  readonly subnetIds: readonly string[];

  /** Security groups of the functions: etcd must accept them, and they must be let out to TCP 443. */
  readonly securityGroupIds: readonly string[];

  /**
   * Route tables of the subnets that get a gateway endpoint for S3.
   *
   * @default - the VPC has a way to S3 already
   */
  readonly s3RouteTableIds?: readonly string[];

  /**
   * Whether to make an interface endpoint for Secrets Manager.
   *
   * @default false - the VPC has a way to Secrets Manager already
   */
  readonly createSecretsManagerEndpoint?: boolean;

  /**
   * Whether functions read the secrets of control-plane nodes through that endpoint, too.
   *
   * @default false
   */
  readonly readsNodeSecrets?: boolean;
}

/**
 * Where functions run: inside the cluster's VPC, with no way to the internet.
 *
 * The Secrets Manager endpoint takes no private DNS name: that would send every other workload of the VPC through it, and there
 * can be only one per VPC. Instead functions are told its own name by the SDK's `AWS_ENDPOINT_URL_SECRETS_MANAGER`, and nobody else.
 *
 * ## Limitations
 *
 * A gateway endpoint serves everything that is routed by its route tables, so its policy is left open; who may do what in S3
 * is decided by roles and bucket policies.
 */
export class FunctionNetwork extends Construct {
  readonly vpc: IVpc;
  readonly subnets: ISubnet[];
  readonly securityGroups: ISecurityGroup[];
  /** What the SDK in a function must be told to find its endpoints. */
  readonly environment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: FunctionNetworkProps) {
    if (props.subnetIds.length === 0) throw new RangeError('subnetIds is empty, give at least 1 subnet');
    if (props.securityGroupIds.length === 0) throw new RangeError('securityGroupIds is empty, give at least 1 security group');
    super(scope, id);
    // Subnets are always named by their ids, so nobody asks for the zone.
    this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', { vpcId: props.vpcId, availabilityZones: ['unknown'] });
    this.subnets = props.subnetIds.map((subnetId) => {
      const subnet = Subnet.fromSubnetId(this, subnetId, subnetId);
      const reason = 'Route tables are only used where the config names them, for the S3 endpoint.';
      Validations.of(subnet).acknowledge({ id: 'Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId', reason });
      return subnet;
    });
    this.securityGroups = props.securityGroupIds.map((groupId) =>
      SecurityGroup.fromSecurityGroupId(this, groupId, groupId, { mutable: false }),
    );
    if (props.s3RouteTableIds !== undefined) this.makeS3Endpoint(props.s3RouteTableIds);
    this.environment =
      props.createSecretsManagerEndpoint === true ? { AWS_ENDPOINT_URL_SECRETS_MANAGER: this.makeSecretsManagerEndpoint(props) } : {};
  }

  private makeS3Endpoint(routeTableIds: readonly string[]): void {
    new CfnVPCEndpoint(this, 'S3', {
      vpcEndpointType: 'Gateway',
      serviceName: `com.amazonaws.${Stack.of(this).region}.s3`,
      vpcId: this.vpc.vpcId,
      routeTableIds: [...routeTableIds],
    });
  }

  /** Makes the endpoint for the secrets of this cluster, and nothing else, and returns its URL. */
  private makeSecretsManagerEndpoint({ clusterName, readsNodeSecrets = false }: FunctionNetworkProps): string {
    const stack = Stack.of(this);
    const group = new SecurityGroup(this, 'SecretsManagerGroup', {
      vpc: this.vpc,
      description: `kube-lifeboat ${clusterName}: functions to Secrets Manager`,
      allowAllOutbound: false,
    });
    for (const { securityGroupId } of this.securityGroups) {
      group.addIngressRule(Peer.securityGroupId(securityGroupId), Port.tcp(443), 'from functions');
    }
    // Secrets Manager adds a hyphen and six characters of its own to a name.
    const names = [`${etcdClientSecretName(clusterName)}-??????`, ...(readsNodeSecrets ? [nodeSecretName(clusterName, '*')] : [])];
    const endpoint = new CfnVPCEndpoint(this, 'SecretsManager', {
      vpcEndpointType: 'Interface',
      serviceName: `com.amazonaws.${stack.region}.secretsmanager`,
      vpcId: this.vpc.vpcId,
      subnetIds: this.subnets.map(({ subnetId }) => subnetId),
      securityGroupIds: [group.securityGroupId],
      privateDnsEnabled: false,
      policyDocument: new PolicyDocument({
        statements: [
          new PolicyStatement({
            principals: [new AnyPrincipal()],
            actions: ['secretsmanager:GetSecretValue'],
            resources: names.map((resourceName) =>
              stack.formatArn({ service: 'secretsmanager', resource: 'secret', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME }),
            ),
            conditions: { StringEquals: { 'aws:PrincipalAccount': stack.account } },
          }),
        ],
      }),
    });
    // An entry reads `<hosted zone>:<name>`, the regional name first.
    return `https://${Fn.select(1, Fn.split(':', Fn.select(0, endpoint.attrDnsEntries)))}`;
  }
}
