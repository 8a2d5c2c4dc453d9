import { CloudWatchLogsClient, FilterLogEventsCommand, ResourceNotFoundException } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import type { ClientConfig } from './clients';

/** What a function answered: its result, or the name and message of the error that it threw. */
export type InvokeResult =
  | { readonly outcome: 'returned'; readonly result: unknown; readonly logTail: string }
  | { readonly outcome: 'failed'; readonly error: { readonly name: string; readonly message: string }; readonly logTail: string };

const FunctionError = z.object({ errorType: z.string().default('Unknown'), errorMessage: z.string().default('') });

/**
 * Calls a deployed function and waits for its answer. Never tries twice: a second call would do the work again.
 *
 * @throws when the function cannot be called at all, or does not answer within the time limit
 */
export async function invoke(config: ClientConfig, functionName: string, payload: unknown, timeoutMs: number): Promise<InvokeResult> {
  const client = new LambdaClient({ ...config, maxAttempts: 1, requestHandler: { requestTimeout: timeoutMs } });
  try {
    const answer = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload ?? {}), LogType: 'Tail' }),
      { abortSignal: AbortSignal.timeout(timeoutMs) },
    );
    const text = answer.Payload?.transformToString() ?? '';
    const body: unknown = text === '' ? null : JSON.parse(text);
    const logTail = Buffer.from(answer.LogResult ?? '', 'base64').toString();
    if (answer.FunctionError === undefined) return { outcome: 'returned', result: body, logTail };
    const { errorType, errorMessage } = FunctionError.parse(body);
    return { outcome: 'failed', error: { name: errorType, message: errorMessage }, logTail };
  } finally {
    client.destroy();
  }
}

/** Everything that a function has logged so far, oldest first; nothing when it never ran. */
export async function functionLogs(config: ClientConfig, functionName: string): Promise<string[]> {
  const lambda = new LambdaClient(config);
  const logs = new CloudWatchLogsClient(config);
  const lines: string[] = [];
  try {
    const { LoggingConfig } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    const logGroupName = LoggingConfig?.LogGroup ?? `/aws/lambda/${functionName}`;
    let nextToken: string | undefined;
    do {
      const page = await logs.send(new FilterLogEventsCommand({ logGroupName, nextToken }));
      lines.push(...(page.events ?? []).map(({ message = '' }) => message));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
  } finally {
    lambda.destroy();
    logs.destroy();
  }
  return lines;
}
