// A small app that asks for everything the local cloud has to repair, filter or reconcile.
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import path from 'node:path';

const app = new App();
const stack = new Stack(app, 'Smoke', { description: `config is ${String(app.node.tryGetContext('config'))}` });

const bucket = new Bucket(stack, 'Bucket', {
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  versioned: true,
  objectLockDefaultRetention: ObjectLockRetention.governance(Duration.days(1)),
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  removalPolicy: RemovalPolicy.DESTROY,
  lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(2), noncurrentVersionExpiration: Duration.days(30) }],
});
const secret = new Secret(stack, 'Secret');
secret.addToResourcePolicy(
  new PolicyStatement({
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['secretsmanager:DeleteSecret'],
    resources: ['*'],
  }),
);

const probe = new LambdaFunction(stack, 'Probe', {
  runtime: Runtime.NODEJS_24_X,
  handler: 'index.handler',
  code: Code.fromAsset(path.join(__dirname, 'probe')),
  timeout: Duration.seconds(10),
  memorySize: 256,
  reservedConcurrentExecutions: 1,
  environment: { BUCKET: bucket.bucketName, SECRET: secret.secretArn },
});
bucket.grantPut(probe);
probe.addToRolePolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects('read/*')] }));
probe.addToRolePolicy(
  new PolicyStatement({
    actions: ['s3:ListBucket'],
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': 'read/listed/*' } },
  }),
);
probe.addToRolePolicy(
  new PolicyStatement({ effect: Effect.DENY, actions: ['s3:PutObjectRetention'], resources: [bucket.arnForObjects('never-locked/*')] }),
);
probe.addToRolePolicy(
  new PolicyStatement({ effect: Effect.DENY, actions: ['s3:PutObjectTagging'], resources: [bucket.arnForObjects('never-tagged/*')] }),
);

const caller = new Role(stack, 'Caller', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
caller.assumeRolePolicy?.addStatements(
  new PolicyStatement({ actions: ['sts:AssumeRole'], principals: [new ServicePrincipal('states.amazonaws.com')] }),
);
probe.grantInvoke(caller);

new CfnOutput(stack, 'CallerArn', { value: caller.roleArn });
new CfnOutput(stack, 'BucketName', { value: bucket.bucketName });
new CfnOutput(stack, 'ProbeName', { value: probe.functionName });
new CfnOutput(stack, 'ProbeArn', { value: probe.functionArn });
new CfnOutput(stack, 'SecretRef', { value: secret.secretArn });
