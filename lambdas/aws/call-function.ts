import { InvokeCommand } from '@aws-sdk/client-lambda';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { z } from 'zod';
import { jsonOf } from '../contract/json';
import { messageOf } from '../contract/lifeboat-error';
import { FunctionCallFailed } from './errors';

/**
 * Asks another function of the lifeboat, which stands where this one does not, and waits for its answer.
 *
 * @throws FunctionCallFailed with the other function's own words
 */
export async function callFunction<T>(client: LambdaClient, name: string, payload: object, answer: z.ZodType<T>): Promise<T> {
  let text: string;
  try {
    const said = await client.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload) }));
    text = said.Payload?.transformToString() ?? '';
    if (said.FunctionError !== undefined) throw new Error(text);
  } catch (error) {
    throw new FunctionCallFailed(`${name} did not answer: ${messageOf(error)}`, { cause: error });
  }
  const parsed = answer.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new FunctionCallFailed(`${name} answered something else than it should: deploy the stack again`, { cause: parsed.error });
}
