import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface StartScheduleProps {
  /** Name of the cluster that it works for. */
  readonly clusterName: string;

  /** The function or the runbook that is started. */
  readonly target: IFunction | IStateMachine;

  /** What the target does, in a few words: `take a snapshot`. */
  readonly purpose: string;

  /** When: an expression of EventBridge Scheduler, in UTC. */
  readonly expression: string;

  /** What the target is started with. */
  readonly input: ScheduleTargetInput;

  /** Where an event goes whose run could not be started. */
  readonly deadLetterQueue: IQueue;

  /**
   * Whether starting a run that could not be started is tried again, for a quarter of an hour.
   *
   * @default true
   */
  readonly retry?: boolean;
}

/** Starts one function or one runbook by the clock, with a role that can start nothing else. */
export class StartSchedule extends Construct {
  constructor(scope: Construct, id: string, props: StartScheduleProps) {
    const { clusterName, target, purpose, expression, input, deadLetterQueue, retry = true } = props;
    super(scope, id);
    // A group of its own, so that no other cluster's schedule can assume the role. Its name is fixed: kept, it would be in the way.
    const scheduleGroup = new ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'Role', {
      description: `kube-lifeboat ${clusterName}: ${purpose} by schedule`,
      // Scheduler names the group, not the schedule, as the source of its request.
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': scheduleGroup.scheduleGroupArn },
        },
      }),
    });
    // CDK's own target would allow every version and alias too (`:*`).
    const { arn, action } = startOf(target);
    role.addToPolicy(new PolicyStatement({ actions: [action], resources: [arn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetterQueue.queueArn] }));
    new Schedule(this, 'Schedule', {
      description: `kube-lifeboat ${clusterName}: ${purpose}`,
      schedule: ScheduleExpression.expression(expression),
      scheduleGroup,
      target: {
        bind: () => ({
          arn,
          role,
          input,
          // Only for starting the run, which is answered at once; a run that fails is Lambda's to repeat.
          retryPolicy: retry
            ? { maximumRetryAttempts: 5, maximumEventAgeInSeconds: Duration.minutes(15).toSeconds() }
            : { maximumRetryAttempts: 0, maximumEventAgeInSeconds: Duration.minutes(1).toSeconds() },
          deadLetterConfig: { arn: deadLetterQueue.queueArn },
        }),
      },
    });
  }
}

const startOf = (target: IFunction | IStateMachine): { readonly arn: string; readonly action: string } =>
  'functionArn' in target
    ? { arn: target.functionArn, action: 'lambda:InvokeFunction' }
    : { arn: target.stateMachineArn, action: 'states:StartExecution' };
