import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { NodeCommands, nodeDocumentName } from '../../lambdas/contract/node-commands';
import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import { acknowledgeWildcard } from '../platform/acknowledge';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';

type Tag = { readonly key: string; readonly value: string };

export interface NodeSendingProps {
  /** What every function of the cluster shares; outside any VPC, since Systems Manager is reached by its public endpoint. */
  readonly functions: FunctionDefaults;

  /** An instance must carry one of these to get anything. */
  readonly tags: readonly Tag[];
}

/** The one function that runs documents on nodes, for every runbook of the cluster. */
export class NodeSending extends Construct {
  readonly nodeCommand: LifeboatFunction;
  private readonly clusterName: string;

  constructor(scope: Construct, id: string, { functions, tags }: NodeSendingProps) {
    super(scope, id);
    this.nodeCommand = new LifeboatFunction(this, 'NodeCommand', {
      ...functions,
      entry: 'lambdas/nodes/node-command.handler.ts',
      description: 'run a document on a control-plane node and read what became of it',
    });
    this.clusterName = functions.clusterName;
    this.grantSend(this.nodeCommand, Object.keys(NodeCommands) as NodeCommandName[], tags);
  }

  /** Lets a function send some documents to the machines that carry one of the tags, and read what becomes of them. */
  grantSend(handler: LifeboatFunction, commands: readonly NodeCommandName[], tags: readonly Tag[]): void {
    const stack = Stack.of(this);
    const sendable = commands.map((name) =>
      stack.formatArn({ service: 'ssm', resource: 'document', resourceName: nodeDocumentName(this.clusterName, name) }),
    );
    handler.addToRolePolicy(new PolicyStatement({ actions: ['ssm:SendCommand'], resources: sendable }));
    const instances = [
      stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' }),
      stack.formatArn({ service: 'ssm', resource: 'managed-instance', resourceName: '*', arnFormat: ArnFormat.SLASH_RESOURCE_NAME }),
    ];
    for (const { key, value } of tags) {
      const conditions = { StringEquals: { [`ssm:resourceTag/${key}`]: value } };
      handler.addToRolePolicy(new PolicyStatement({ actions: ['ssm:SendCommand'], resources: instances, conditions }));
    }
    for (const instance of instances)
      acknowledgeWildcard(handler, instance, 'Instances come and go; only those with the tag of this cluster are sent anything.');
    // Whether a node is still there is asked while a document runs: the status of the command does not tell.
    const actions = ['ssm:GetCommandInvocation', 'ssm:CancelCommand', 'ssm:DescribeInstanceInformation'];
    const reading =
      'Reading and cancelling a command and listing managed instances have no rights on single resources; command ids are random and known to nobody else.';
    handler.addToRolePolicy(new PolicyStatement({ actions, resources: ['*'] }));
    acknowledgeWildcard(handler, '*', reading);
  }

  /** Lets a function list the nodes that Systems Manager knows. */
  grantFind(handler: LifeboatFunction): void {
    handler.addToRolePolicy(new PolicyStatement({ actions: ['ssm:DescribeInstanceInformation'], resources: ['*'] }));
    acknowledgeWildcard(handler, '*', 'Listing managed instances has no rights on single resources.');
  }
}
