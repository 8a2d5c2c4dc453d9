import {
  CancelCommandCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  SSMServiceException,
  SendCommandCommand,
} from '@aws-sdk/client-ssm';
import type { InstanceInformation, SSMClient } from '@aws-sdk/client-ssm';
import { messageOf } from '../contract/lifeboat-error';
import { nodeDocumentName } from '../contract/node-commands';
import type { NodeCommandName } from '../contract/node-commands';
import { NodesUnreachable } from './errors';
import { DELIVERY_SECONDS } from './next-step';
import type { Reading } from './read-result';
import { readInvocation } from './read-result';
import type { NodeSender, Sent } from './node-sender';

export interface RegisteredNode {
  readonly instanceId: string;
  readonly host: string;
  /** In its own network, as its agent told it. */
  readonly address: string;
  /** Whether its agent was heard of in the last minutes. */
  readonly online: boolean;
}

const isNamed = (error: unknown, name: string): boolean => error instanceof SSMServiceException && error.name === name;

/** The door to the control-plane nodes of one cluster, by Systems Manager. Only the documents of the cluster's own stack are ever sent. */
export class SsmNodes implements NodeSender {
  constructor(
    private readonly ssm: SSMClient,
    private readonly cluster: string,
  ) {}

  /**
   * The nodes that carry a tag, in the order of their ids.
   *
   * @throws NodesUnreachable when Systems Manager does not answer
   */
  async registered(tag: { readonly key: string; readonly value: string }): Promise<RegisteredNode[]> {
    const found: InstanceInformation[] = [];
    let NextToken: string | undefined;
    do {
      const Filters = [{ Key: `tag:${tag.key}`, Values: [tag.value] }];
      const page = await this.call(() => this.ssm.send(new DescribeInstanceInformationCommand({ Filters, MaxResults: 50, NextToken })));
      found.push(...(page.InstanceInformationList ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return found
      .map(({ InstanceId = '', ComputerName = '', IPAddress = '', PingStatus }) => ({
        instanceId: InstanceId,
        host: ComputerName,
        address: IPAddress,
        online: PingStatus === 'Online',
      }))
      .sort((a, b) => a.instanceId.localeCompare(b.instanceId));
  }

  async send(command: NodeCommandName, instanceId: string, parameters: Readonly<Record<string, string>>): Promise<Sent | undefined> {
    const request = new SendCommandCommand({
      DocumentName: nodeDocumentName(this.cluster, command),
      InstanceIds: [instanceId],
      Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
      TimeoutSeconds: DELIVERY_SECONDS,
    });
    try {
      const { Command } = await this.ssm.send(request);
      return { commandId: Command?.CommandId ?? '', instanceId };
    } catch (error) {
      if (isNamed(error, 'InvalidInstanceId')) return undefined;
      throw this.refused(error);
    }
  }

  async read<C extends NodeCommandName>(command: C, { commandId, instanceId }: Sent): Promise<Reading<C>> {
    try {
      const answer = await this.ssm.send(new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId }));
      return readInvocation(command, {
        status: answer.Status ?? '',
        statusDetails: answer.StatusDetails ?? '',
        responseCode: answer.ResponseCode ?? -1,
        stdout: answer.StandardOutputContent ?? '',
        stderr: answer.StandardErrorContent ?? '',
      });
    } catch (error) {
      // A command that was sent just now is not known everywhere yet.
      if (isNamed(error, 'InvocationDoesNotExist')) return { outcome: 'running', delivered: false, because: 'Pending' };
      throw this.refused(error);
    }
  }

  /**
   * An agent reports every 5 minutes, and is called ConnectionLost some minutes after it should have
   * (github.com/aws/amazon-ssm-agent: agent/health, issue 210). A machine that was stopped is not listed any more at once (issue 407).
   */
  async isOnline(instanceId: string): Promise<boolean> {
    const Filters = [{ Key: 'InstanceIds', Values: [instanceId] }];
    const { InstanceInformationList = [] } = await this.call(() => this.ssm.send(new DescribeInstanceInformationCommand({ Filters })));
    return InstanceInformationList.some(({ InstanceId, PingStatus }) => InstanceId === instanceId && PingStatus === 'Online');
  }

  async cancel({ commandId, instanceId }: Sent): Promise<void> {
    await this.call(() => this.ssm.send(new CancelCommandCommand({ CommandId: commandId, InstanceIds: [instanceId] })));
  }

  private async call<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw this.refused(error);
    }
  }

  private refused(cause: unknown): NodesUnreachable {
    return new NodesUnreachable(
      `systems manager refused a request for the nodes of ${this.cluster} (${messageOf(cause)}): see that the function reaches ssm and may send the documents lifeboat-${this.cluster}-*`,
      { cause },
    );
  }
}
