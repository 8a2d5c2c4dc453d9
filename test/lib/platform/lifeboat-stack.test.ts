import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnResource } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ClusterDirectoryEntry } from '../../../lambdas/contract/env';
import { LifeboatStack } from '../../../lib/platform/lifeboat-stack';
import { api, cluster, file, network, parse } from '../config/configs';
import type { Json } from '../config/configs';
import { Match, acknowledgeWarnings, inVpc, only, stacksOf, templateOf, testApp } from '../synth';

const example = (name: string) =>
  JSON.parse(readFileSync(join(__dirname, '..', '..', '..', 'examples', `${name}.lifeboat.json`), 'utf8')) as Json;

describe('cdk-nag', () => {
  test.each(['demo', 'production'])('finds nothing in the %s example', (name) => {
    expect(() => stacksOf(example(name)).app.synth()).not.toThrow();
  });

  test('would have found a bucket without logs and TLS', () => {
    const { app, stacks } = stacksOf(file(inVpc()));
    new Bucket(stacks[0]!, 'Bad');

    expect(() => app.synth()).toThrow(/AwsSolutions-S1\b[^]*AwsSolutions-S10\b/);
  });
});

test('a cluster is one stack, named and tagged for it', () => {
  const { stacks } = stacksOf(file(inVpc({ tags: { team: 'platform' } })));
  const tags = Match.arrayWith([
    { Key: 'lifeboat/cluster', Value: 'prod' },
    { Key: 'team', Value: 'platform' },
  ]);

  expect(stacks.map(({ stackName }) => stackName)).toEqual(['Lifeboat-prod']);
  expect(stacks[0]).toMatchObject({ account: '111122223333', region: 'eu-central-1' });
  for (const type of [
    'AWS::S3::Bucket',
    'AWS::KMS::Key',
    'AWS::SecretsManager::Secret',
    'AWS::Lambda::Function',
    'AWS::SQS::Queue',
    'AWS::IAM::Role',
  ]) {
    Template.fromStack(stacks[0]!).allResourcesProperties(type, { Tags: tags });
  }
});

describe('a copy in another region', () => {
  const { app, stacks } = stacksOf(file(inVpc({ tags: { team: 'platform' }, backup: { replica: { region: 'eu-west-1' } } })));
  const replica = stacks[0]!.replica!;

  test('is a stack of that region and the same account, named, tagged and protected like the cluster', () => {
    expect(replica).toMatchObject({ stackName: 'LifeboatReplica-prod', account: '111122223333', region: 'eu-west-1' });
    expect(replica.terminationProtection).toBe(true);
    const tags = Match.arrayWith([
      { Key: 'lifeboat/cluster', Value: 'prod' },
      { Key: 'team', Value: 'platform' },
    ]);
    for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key']) Template.fromStack(replica).allResourcesProperties(type, { Tags: tags });
  });

  test('is deployed before the cluster, which reads its outputs then and imports nothing', () => {
    const dependencies = app
      .synth()
      .getStackByName('Lifeboat-prod')
      .dependencies.map(({ id }) => id);

    expect(dependencies).toContain('LifeboatReplica-prod');
    expect(JSON.stringify(Template.fromStack(stacks[0]!).toJSON())).not.toMatch(/Fn::ImportValue|Custom::/);
    expect(JSON.stringify(Template.fromStack(replica).toJSON())).not.toMatch(/Fn::GetStackOutput|"Export"|Custom::/);
  });

  test('is told in the directory and the outputs of the cluster', () => {
    const template = Template.fromStack(stacks[0]!);
    const [watch] = only(template, 'AWS::Lambda::Function', 'ReplicaWatch');

    expect(template.findOutputs('WatchReplicaFunctionName')).toEqual({ WatchReplicaFunctionName: { Value: { Ref: watch } } });
    expect(JSON.stringify(only(template, 'AWS::SSM::Parameter')[1].Properties.Value)).toContain(
      JSON.stringify('"replica":{"bucket":"').slice(1, -1),
    );
  });

  test('needs no account', () => {
    const [parsed] = parse(file(cluster({ region: 'eu-central-1', backup: { replica: { region: 'eu-west-1' } } }))).clusters;
    const stack = new LifeboatStack(testApp(), parsed!);
    acknowledgeWarnings(stack);

    expect(() => Template.fromStack(stack)).not.toThrow();
    expect(stack.replica?.region).toBe('eu-west-1');
  });

  test('is no stack when nobody asks for it', () => {
    expect(stacksOf(file(inVpc())).stacks[0]?.replica).toBeUndefined();
  });
});

test.each([
  [undefined, true],
  [true, true],
  [false, false],
])('terminationProtection %s in the config is %s on the stack', (terminationProtection, expected) => {
  expect(stacksOf(file(inVpc({ terminationProtection }))).stacks[0]?.terminationProtection).toBe(expected);
});

test('logs are kept as long as the config says', () => {
  templateOf(inVpc({ logs: { retentionDays: 30 } })).allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
});

describe('what the stack tells', () => {
  const template = templateOf(inVpc());
  const ids = {
    bucket: only(template, 'AWS::S3::Bucket', 'StateBucket')[0],
    secret: only(template, 'AWS::SecretsManager::Secret')[0],
    run: only(template, 'AWS::Lambda::Function', 'BackupTakeSnapshot')[0],
    log: only(template, 'AWS::Logs::LogGroup', 'BackupTakeSnapshot')[0],
    prune: only(template, 'AWS::Lambda::Function', 'RetentionPruneSnapshots')[0],
    pruneLog: only(template, 'AWS::Logs::LogGroup', 'RetentionPruneSnapshots')[0],
    watch: only(template, 'AWS::Lambda::Function', 'WatchWatchMembers')[0],
    watchLog: only(template, 'AWS::Logs::LogGroup', 'WatchWatchMembers')[0],
    materialize: only(template, 'AWS::Lambda::Function', 'MaterializeMaterializeSnapshot')[0],
    materializeLog: only(template, 'AWS::Logs::LogGroup', 'MaterializeMaterializeSnapshot')[0],
    drill: only(template, 'AWS::Lambda::Function', 'DrillDrillInFunction')[0],
    drillLog: only(template, 'AWS::Logs::LogGroup', 'DrillDrillInFunction')[0],
    queue: only(template, 'AWS::SQS::Queue')[0],
    replace: only(template, 'AWS::StepFunctions::StateMachine', 'ReplaceMember')[0],
    restore: only(template, 'AWS::StepFunctions::StateMachine', 'RestoreStateMachine')[0],
    node: only(template, 'AWS::Logs::LogGroup', 'NodesNodeCommand')[0],
    members: only(template, 'AWS::Logs::LogGroup', 'ReplaceMemberChangeMembers')[0],
  };

  test('is in its outputs', () => {
    const values = Object.entries(template.findOutputs('*')).map(([name, output]) => [name, (output as { Value: unknown }).Value]);

    expect(Object.fromEntries(values)).toEqual({
      StateBucketName: { Ref: ids.bucket },
      TakeSnapshotFunctionName: { Ref: ids.run },
      PruneSnapshotsFunctionName: { Ref: ids.prune },
      WatchMembersFunctionName: { Ref: ids.watch },
      MaterializeSnapshotFunctionName: { Ref: ids.materialize },
      DrillFunctionName: { Ref: ids.drill },
      EtcdClientSecretArn: { Ref: ids.secret },
      RestoreStateMachineArn: { Ref: ids.restore },
      ReplaceMemberStateMachineArn: { Ref: ids.replace },
      DeadLetterQueueUrl: { Ref: ids.queue },
    });
  });

  test('is in one parameter, by which the command line finds everything', () => {
    const { Properties } = only(template, 'AWS::SSM::Parameter')[1];
    const join = (Properties.Value as { 'Fn::Join': [string, (string | { Ref: string })[]] })['Fn::Join'];
    const text = join[1].map((part) => (typeof part === 'string' ? part : part.Ref)).join(join[0]);

    expect(Properties).toMatchObject({ Name: '/lifeboat/prod', Type: 'String' });
    expect(JSON.parse(text)).toEqual({
      version: 1,
      cluster: 'prod',
      stateBucket: ids.bucket,
      etcdClientSecretArn: ids.secret,
      takeSnapshotFunction: ids.run,
      takeSnapshotLogGroup: ids.log,
      pruneSnapshotsFunction: ids.prune,
      pruneSnapshotsLogGroup: ids.pruneLog,
      watchMembersFunction: ids.watch,
      watchMembersLogGroup: ids.watchLog,
      materializeSnapshotFunction: ids.materialize,
      materializeSnapshotLogGroup: ids.materializeLog,
      drillFunction: ids.drill,
      drillLogGroup: ids.drillLog,
      deadLetterQueueUrl: ids.queue,
      restoreStateMachine: ids.restore,
      replaceMemberStateMachine: ids.replace,
      restoreLogGroups: expect.objectContaining({ 'node-command': ids.node, 'change-members': ids.members }) as Record<string, string>,
    } satisfies ClusterDirectoryEntry);
  });

  test('names the log of every function that only runbooks call, whichever of them it is', () => {
    const { Properties } = only(template, 'AWS::SSM::Parameter')[1];
    const logs = Object.keys(template.findResources('AWS::Logs::LogGroup')).filter((id) => /^(Restore|ReplaceMember|Nodes).*Logs/.test(id));

    for (const id of logs) expect(JSON.stringify(Properties.Value)).toContain(`{"Ref":"${id}"}`);
    expect(logs).toHaveLength(11);
  });
});

describe('two clusters', () => {
  const other = inVpc({ name: 'other', etcd: { endpoints: ['https://10.0.1.20:2379'] }, network: network() });
  const { app, stacks } = stacksOf(file(inVpc(), other));
  const [first, second] = stacks.map((stack) => JSON.stringify(Template.fromStack(stack).toJSON()));

  test('share no stack, import nothing and depend on nothing of each other', () => {
    const dependencies = app.synth().stacks.map((stack) => [stack.stackName, stack.dependencies.map(({ id }) => id)]);

    expect(Object.fromEntries(dependencies)).toEqual({
      'Lifeboat-prod': ['Lifeboat-prod.assets'],
      'Lifeboat-other': ['Lifeboat-other.assets'],
    });
    for (const template of [first, second]) expect(template).not.toMatch(/Fn::ImportValue|Fn::GetStackOutput|"Export"/);
  });

  test('never name each other, in a prefix, a secret or a parameter', () => {
    expect(first).toContain('clusters/prod/');
    expect(second).toContain('clusters/other/');
    expect(first).not.toMatch(/clusters\/other|lifeboat\/other|Lifeboat-other|10\.0\.1\.20/);
    expect(second).not.toMatch(/clusters\/prod|lifeboat\/prod|Lifeboat-prod|10\.0\.1\.10/);
  });

  test('refer only to resources of their own', () => {
    for (const stack of stacks) {
      const resources = stack.node.findAll().filter((node) => CfnResource.isCfnResource(node));
      const own = new Set(resources.map((resource) => String(stack.resolve(resource.logicalId))));
      const refs = [...JSON.stringify(Template.fromStack(stack).toJSON()).matchAll(/"(?:Ref":|Fn::GetAtt":\[)"([^"]+)"/g)].map(
        ([, id]) => id!,
      );
      const foreign = refs.filter((id) => !own.has(id) && !id.startsWith('AWS::') && id !== 'BootstrapVersion');

      expect(refs.length).toBeGreaterThan(20);
      expect(foreign).toEqual([]);
    }
  });
});

test('warns of what the config asks for in vain', () => {
  const [parsed] = parse(file(cluster({ api: api() }))).clusters;
  const warnings = new LifeboatStack(testApp(), parsed!).node.metadata.filter(({ type }) => type === 'aws:cdk:warning');

  expect(warnings.map(({ data }) => String(data))).toEqual([
    expect.stringContaining('alarms are made and tell nobody'),
    expect.stringContaining('functions outside a VPC cannot reach the private address of https://10.0.1.10:2379'),
  ]);
});
