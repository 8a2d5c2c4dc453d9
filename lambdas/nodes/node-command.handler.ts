import { SSMClient } from '@aws-sdk/client-ssm';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv } from '../aws/environment';
import { Env } from '../contract/env';
import type { NodeRun } from './node-command';
import { NodeCommandEvent, judgeNodes, readFromNode, sendToNode } from './node-command';
import { SsmNodes } from './ssm-nodes';

const sender = new SsmNodes(new SSMClient(BRISK), requireEnv(Env.clusterName));
const edges = { sender, now: () => new Date() };

export async function handler(event: unknown): Promise<NodeRun | { readonly nodes: number }> {
  const step = parseEvent(NodeCommandEvent, event);
  switch (step.do) {
    case 'send':
      return sendToNode(edges, step);
    case 'read':
      return readFromNode(edges, step);
    case 'judge':
      return judgeNodes(step);
  }
}
