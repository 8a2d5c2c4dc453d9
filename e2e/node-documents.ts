import { GetCommandInvocationCommand, SSMClient, SendCommandCommand } from '@aws-sdk/client-ssm';
import { nodeDocumentName } from '../lambdas/contract/node-commands';
import type { NodeCommandName } from '../lambdas/contract/node-commands';
import { waitUntil } from '../local/child-process';
import type { LocalNode } from '../local/nodes';
import type { World } from './world';

const WITHIN_MS = 240_000;

/** Runs a document on one node with its defaults, as `aws ssm send-command` does; the last line of what it says, parsed. @throws where it fails */
export async function runDocument({ cloud, lifeboat }: World, node: LocalNode, command: NodeCommandName): Promise<unknown> {
  const ssm = new SSMClient(cloud.clientConfig());
  const InstanceId = node.instanceId;
  try {
    const { Command } = await ssm.send(
      new SendCommandCommand({ DocumentName: nodeDocumentName(lifeboat.cluster, command), InstanceIds: [InstanceId] }),
    );
    const read = () => ssm.send(new GetCommandInvocationCommand({ CommandId: Command?.CommandId ?? '', InstanceId }));
    await waitUntil(
      `${command} ends on ${node.name}`,
      WITHIN_MS,
      async () => !['Pending', 'InProgress', 'Delayed'].includes((await read()).Status ?? 'Pending'),
      200,
    );
    const { Status, StandardOutputContent = '', StandardErrorContent = '' } = await read();
    if (Status !== 'Success')
      throw new Error(`${command} on ${node.name} ended as ${Status}: ${StandardOutputContent}${StandardErrorContent}`);
    return JSON.parse(StandardOutputContent.trim().split('\n').at(-1) ?? '') as unknown;
  } finally {
    ssm.destroy();
  }
}
