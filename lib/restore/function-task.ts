import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import type { TaskMetricsConfig } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ErrorName } from '../../lambdas/contract/errors';

export interface FunctionTaskProps {
  /** The function that does it. */
  readonly handler: IFunction;

  /** What the function gets; keys that end in `.$` are paths into the state. */
  readonly payload: Readonly<Record<string, unknown>>;

  /** Where its answer goes in the state; `$` makes it the whole state. */
  readonly resultPath: string;

  /**
   * The function only asks somebody; the state waits until that somebody answers with the token, which is in the payload as `token`.
   *
   * @default - the function's own answer ends the state
   */
  readonly answeredWithin?: {
    /** Where the seconds are in the state after which nobody is waited for any more. */
    readonly secondsPath: string;
  };

  /**
   * Errors of the function's own that pass by themselves.
   *
   * @default - none beside S3 and Systems Manager that did not answer
   */
  readonly wait?: { readonly errors: readonly ErrorName[]; readonly every: Duration; readonly times: number };
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html, and a function that was killed. */
const PASSING = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Runtime.ExitError',
  'Sandbox.Timedout',
  ErrorName.storeFailed,
  ErrorName.snapshotReadBroken,
  ErrorName.nodesUnreachable,
  ErrorName.ledgerContended,
];

/**
 * A state that calls one function of the lifeboat. CDK's own task would let the state machine call every version and alias of it, too.
 */
export class FunctionTask extends TaskStateBase {
  protected readonly taskMetrics?: TaskMetricsConfig;
  protected readonly taskPolicies: PolicyStatement[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: FunctionTaskProps,
  ) {
    super(scope, id, { resultPath: props.resultPath });
    this.taskPolicies = [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [props.handler.functionArn] })];
    const { wait } = props;
    if (wait !== undefined) this.addRetry({ errors: [...wait.errors], interval: wait.every, maxAttempts: wait.times, backoffRate: 1 });
    this.addRetry({ errors: PASSING, interval: Duration.seconds(2), maxAttempts: 4, backoffRate: 2 });
  }

  /** @internal */
  protected _renderTask(): unknown {
    const { handler, payload, answeredWithin } = this.props;
    if (answeredWithin === undefined) return { Resource: handler.functionArn, Parameters: payload };
    return {
      Resource: `arn:${Stack.of(this).partition}:states:::lambda:invoke.waitForTaskToken`,
      Parameters: { FunctionName: handler.functionArn, Payload: { ...payload, 'token.$': '$$.Task.Token' } },
      TimeoutSecondsPath: answeredWithin.secondsPath,
    };
  }
}
