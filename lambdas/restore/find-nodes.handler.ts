import { SSMClient } from '@aws-sdk/client-ssm';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { Env } from '../contract/env';
import { NodeTags } from '../contract/restore';
import { SsmNodes } from '../nodes/ssm-nodes';
import type { FoundNodes } from './find-nodes';
import { FindNodesEvent, findNodes, parseRequest } from './find-nodes';

const nodes = new SsmNodes(new SSMClient(BRISK), requireEnv(Env.clusterName));

export async function handler(event: unknown): Promise<FoundNodes> {
  const { input, execution } = parseEvent(FindNodesEvent, event);
  const registered = nodes.registered.bind(nodes);
  return findNodes({ registered }, requireJson(Env.nodeTags, NodeTags), parseRequest(input), execution);
}
