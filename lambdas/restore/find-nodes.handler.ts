import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { BRISK } from '../aws/brisk';
import { parseEvent, requireEnv, requireJson } from '../aws/environment';
import { executionStatus } from '../aws/execution-status';
import { restoreNotes } from '../aws/s3-restore-notes';
import { Env } from '../contract/env';
import { NodeTags } from '../contract/restore';
import { SsmNodes } from '../nodes/ssm-nodes';
import type { FoundNodes } from './find-nodes';
import { FindNodesEvent, findNodes, parseRequest } from './find-nodes';

const cluster = requireEnv(Env.clusterName);
const nodes = new SsmNodes(new SSMClient(BRISK), cluster);
const files = restoreNotes(new S3Client(BRISK), requireEnv(Env.stateBucket), cluster);

export async function handler(event: unknown): Promise<FoundNodes> {
  const { input, ...own } = parseEvent(FindNodesEvent, event);
  const edges = { registered: nodes.registered.bind(nodes), readNote: files.read.bind(files), statusOf: executionStatus };
  return findNodes(edges, requireJson(Env.nodeTags, NodeTags), parseRequest(input), own);
}
