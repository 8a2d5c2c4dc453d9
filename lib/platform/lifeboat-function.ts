import { join } from 'node:path';
import { Duration, Size, Validations } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogLevel, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { BundlingOptions } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { Env } from '../../lambdas/contract/env';
import type { EnvName } from '../../lambdas/contract/env';
import type { FunctionNetwork } from './function-network';

/** What every function of a cluster shares. */
export interface FunctionDefaults {
  /** Name of the cluster that the function works for. */
  readonly clusterName: string;

  /** Where events go that failed for good. */
  readonly deadLetterQueue: IQueue;

  /**
   * Where the function runs.
   *
   * @default - outside any VPC, which only reaches endpoints that are open to the internet or on the same machine
   */
  readonly network?: FunctionNetwork;

  /**
   * How long its log is kept.
   *
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;
}

export interface LifeboatFunctionProps extends FunctionDefaults {
  /** The handler's file, relative to the repository: `lambdas/backup/take-snapshot.handler.ts`. */
  readonly entry: string;

  /** What it does, in one line, for people in the console. */
  readonly description: string;

  /**
   * Whether the bundle speaks to etcd, and so needs etcd's protocol files beside it.
   *
   * @default false
   */
  readonly speaksToEtcd?: boolean;

  /**
   * Memory, from 128 MiB to 10240 MiB; a full processor comes with every 1769 MiB.
   *
   * @default Size.mebibytes(256)
   */
  readonly memory?: Size;

  /**
   * How long a run may take, at most 15 minutes.
   *
   * @default Duration.minutes(1)
   */
  readonly timeout?: Duration;

  /**
   * The function's own disk, from 512 MiB to 10 GiB.
   *
   * @default Size.mebibytes(512)
   */
  readonly disk?: Size;

  /**
   * How many runs there can be at once, taken out of the account's quota.
   *
   * @default - as many as the account has left
   */
  readonly reservedConcurrency?: number;

  /**
   * How often Lambda repeats an asynchronous run that failed, at most twice.
   *
   * @default 0
   */
  readonly retryAttempts?: number;

  /**
   * How long an asynchronous event may wait for its run.
   *
   * @default Duration.minutes(30)
   */
  readonly maxEventAge?: Duration;
}

const REPOSITORY = join(__dirname, '..', '..');
const LONGEST_RUN = Duration.minutes(15);
const LARGEST_DISK = Size.gibibytes(10);

/**
 * A function of the lifeboat: bundled with the SDK that the lock file names, with a role, a log and a dead-letter queue of its own.
 *
 * Its log is not encrypted by the cluster's key: nothing secret is ever logged, and a run that fails because the key was
 * disabled must still be able to say so. It is not traced by X-Ray: each run reports the seconds of its own steps.
 */
export class LifeboatFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: LifeboatFunctionProps) {
    const {
      timeout = Duration.minutes(1),
      disk = Size.mebibytes(512),
      memory = Size.mebibytes(256),
      network,
      retryAttempts = 0,
      speaksToEtcd = false,
    } = props;
    if (timeout.toSeconds() > LONGEST_RUN.toSeconds())
      throw new RangeError(`timeout is ${timeout.toHumanString()}, give at most 15 minutes`);
    if (disk.toMebibytes() > LARGEST_DISK.toMebibytes()) throw new RangeError(`disk is ${disk.toMebibytes()} MiB, give at most 10240 MiB`);

    const logGroup = new LogGroup(scope, `${id}Logs`, { retention: props.logRetention ?? RetentionDays.ONE_YEAR });
    const role = new Role(scope, `${id}Role`, {
      description: `kube-lifeboat ${props.clusterName}: ${props.description}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    logGroup.grantWrite(role);
    if (network !== undefined) grantNetworkInterfaces(role);
    super(scope, id, {
      description: `kube-lifeboat ${props.clusterName}: ${props.description}`,
      entry: join(REPOSITORY, props.entry),
      projectRoot: REPOSITORY,
      depsLockFilePath: join(REPOSITORY, 'package-lock.json'),
      handler: speaksToEtcd ? 'lib/index.handler' : 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      bundling: bundling(speaksToEtcd),
      role,
      logGroup,
      timeout,
      memorySize: memory.toMebibytes(),
      ephemeralStorageSize: disk,
      reservedConcurrentExecutions: props.reservedConcurrency,
      retryAttempts,
      maxEventAge: props.maxEventAge ?? Duration.minutes(30),
      onFailure: { bind: (_scope, handler) => sendTo(props.deadLetterQueue, handler.addToRolePolicy.bind(handler)) },
      environment: { NODE_OPTIONS, MALLOC_ARENA_MAX: MALLOC_ARENAS, [Env.clusterName]: props.clusterName, ...network?.environment },
      ...(network !== undefined && { vpc: network.vpc, vpcSubnets: { subnets: network.subnets }, securityGroups: network.securityGroups }),
    });
  }

  /** Sets a variable of the contract. */
  setEnvironment(name: EnvName, value: string): void {
    this.addEnvironment(name, value);
  }
}

const bundling = (speaksToEtcd: boolean): BundlingOptions => ({
  bundleAwsSDK: true,
  // Stack traces are read by people at night; the bundle is read by nobody.
  minify: false,
  sourceMap: true,
  sourcesContent: false,
  logLevel: LogLevel.WARNING,
  commandHooks: {
    beforeBundling: () => [],
    beforeInstall: () => [],
    afterBundling: (input, output) => [
      `node "${input}/lib/platform/portable-source-map.mjs" "${output}/index.js.map" "${input}"`,
      ...(speaksToEtcd ? etcdLayout(input, output) : []),
    ],
  },
});

const NODE_OPTIONS = [
  '--enable-source-maps',
  // gRPC gives an address as TLS server name: harmless, and in every cold start's log, since most members are named by address.
  '--disable-warning=DEP0123',
  // MiB. Left alone, the young generation of a process that streams gigabytes grows to 64 MiB and stays there.
  '--max-semi-space-size=4',
  // Four helpers of the garbage collector, Node's default, take 1.3 s of the one or two processors for 500 MB; one takes 0.7.
  '--v8-pool-size=1',
].join(' ');
/** glibc opens up to eight heaps a processor for threads that compress in turns, and gives little back. */
const MALLOC_ARENAS = '2';

/** etcd3 reads `../proto/rpc.proto` beside its bundle when it is loaded: https://github.com/microsoft/etcd3/blob/master/src/connection-pool.ts */
const etcdLayout = (input: string, output: string): string[] => [
  `mkdir -p "${output}/lib" "${output}/proto"`,
  `mv "${output}/index.js" "${output}/index.js.map" "${output}/lib/"`,
  `cp "${input}"/node_modules/etcd3/proto/*.proto "${output}/proto/"`,
];

/** CDK's own destination adds rights to read the queue's attributes, which nobody uses. */
function sendTo(queue: IQueue, addToRolePolicy: (statement: PolicyStatement) => void): { destination: string } {
  addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
  return { destination: queue.queueArn };
}

/**
 * What Lambda needs to place a function in a VPC, which it checks with the function's role, and only for `*`:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html. The code itself is refused the same actions.
 */
function grantNetworkInterfaces(role: Role): void {
  const actions = [
    'ec2:AssignPrivateIpAddresses',
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:UnassignPrivateIpAddresses',
  ];
  role.addToPolicy(new PolicyStatement({ actions, resources: ['*'] }));
  role.addToPolicy(
    new PolicyStatement({
      effect: Effect.DENY,
      actions,
      resources: ['*'],
      // Lambda sets the key on every call that code makes with the role, and on none that it makes itself.
      conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
    }),
  );
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Lambda accepts a function in a VPC only when its role has the network interface actions on *; the Deny on lambda:SourceFunctionArn beside them takes them from the code that runs.',
  });
}
