import { parseEvent } from '../aws/environment';
import { resolveName } from '../ports/resolver';
import { ProbeRequest } from '../contract/api-record';
import type { ProbeReport } from '../contract/api-record';
import { answerOf } from '../kubernetes/api-answer';
import { look } from './look';

export function handler(event: unknown): Promise<ProbeReport> {
  return look({ answerOf, resolve: resolveName }, parseEvent(ProbeRequest, event));
}
