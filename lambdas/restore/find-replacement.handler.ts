import { SSMClient } from '@aws-sdk/client-ssm';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { Env } from '../contract/env';
import { NodeTags } from '../contract/restore';
import { SsmNodes } from '../nodes/ssm-nodes';
import type { FoundReplacement } from './find-replacement';
import { FindReplacementEvent, findReplacement } from './find-replacement';

const nodes = new SsmNodes(new SSMClient(BRISK), requireEnv(Env.clusterName));

export async function handler(event: unknown): Promise<FoundReplacement> {
  const { controlPlane } = requireJson(Env.nodeTags, NodeTags);
  return findReplacement({ registered: nodes.registered.bind(nodes) }, controlPlane, parseEvent(FindReplacementEvent, event));
}
