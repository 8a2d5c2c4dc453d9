import type { Template } from 'aws-cdk-lib/assertions';
import { ExchangeOutcome } from '../../../lambdas/contract/rotate-authority';
import { problemsOf, readDefinition } from '../../support/asl';
import { arnOf, inVpc, only, statementsOf, templateOf } from '../synth';
import type { Statement } from '../synth';

const template: Template = templateOf(inVpc({ certificates: {}, alarms: { email: 'night@example.com' } }));
const DECIDES = 'CertificatesExchangeExchangeAuthorityRole';
const LOOKS = 'CertificatesExchangeLookAroundRole';

const [, machine] = only(template, 'AWS::StepFunctions::StateMachine', 'CertificatesExchange');
interface Choice {
  readonly Next: string;
  readonly Or?: readonly { readonly StringEquals: string }[];
}
interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly Choice[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string; readonly ResultPath?: string }[];
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly IntervalSeconds?: number; readonly MaxAttempts?: number }[];
  readonly SecondsPath?: string;
  readonly ResultPath?: string;
  readonly ItemsPath?: string;
  readonly Parameters?: Readonly<Record<string, unknown>>;
}
const { States, StartAt, TimeoutSeconds } = readDefinition(machine.Properties['DefinitionString']) as {
  readonly States: Readonly<Record<string, State>>;
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
};

describe('the states of an exchange', () => {
  test('are such as Step Functions takes, without an end of their time', () => {
    expect(problemsOf(machine.Properties['DefinitionString'])).toEqual([]);
    expect(machine.Properties['StateMachineName']).toBe('lifeboat-prod-rotate-ca');
    expect(StartAt).toBe('Begin');
    // A soak takes a week, and an approval two.
    expect(TimeoutSeconds ?? Infinity).toBeGreaterThan(30 * 86_400);
  });

  test('go by what the last one says: a wait, a look at the nodes, a step or the end', () => {
    expect(States['Begin']?.Next).toBe(States['Step']?.Next);
    const whereto = States[States['Step']?.Next ?? ''];
    expect(whereto?.Choices?.map(({ Next }) => Next)).toEqual(['Outcome', 'Patience']);
    expect(States['Patience']).toMatchObject({ SecondsPath: '$.seconds', Next: whereto?.Default });
    expect(States[whereto?.Default ?? '']).toMatchObject({
      Choices: [{ StringEquals: 'look', Next: 'CertificateFacts' }],
      Default: 'Step',
    });
  });

  test('hand on what the nodes told to the next step, in which whoever did not is no failure', () => {
    expect(States['CertificateFacts']).toMatchObject({
      Type: 'Map',
      ItemsPath: '$.state.asked',
      ResultPath: '$.state.facts',
      Next: 'Step',
    });
    expect(States['Step']?.Parameters).toEqual({ do: 'step', 'state.$': '$.state' });
  });

  test('know who drives: the name and the ARN of the execution', () => {
    expect(States['Begin']?.Parameters).toEqual({
      do: 'begin',
      ...{ 'input.$': '$$.Execution.Input', 'execution.$': '$$.Execution.Name', 'driver.$': '$$.Execution.Id' },
    });
  });

  test('try a step again for ten minutes while nobody looks beside the cluster', () => {
    const { IntervalSeconds = 0, MaxAttempts = 0 } =
      States['Step']?.Retry?.find(({ ErrorEquals }) => ErrorEquals.includes('FunctionCallFailed')) ?? {};

    expect(IntervalSeconds * MaxAttempts).toBe(600);
  });

  test('end well for every outcome but those that somebody has to mend', () => {
    const well = States['Outcome']?.Choices?.[0]?.Or?.map(({ StringEquals }) => StringEquals) ?? [];

    expect(ExchangeOutcome.options.filter((outcome) => !well.includes(outcome))).toEqual(['REFUSED', 'HALTED']);
    expect(States[States['Outcome']?.Default ?? '']?.Type).toBe('Fail');
    for (const outcome of well) expect(ExchangeOutcome.options).toContain(outcome);
  });

  test.each(['Begin', 'TellFailure'])('leave no failure of %s without its name', (name) => {
    const caught = States[name]?.Catch?.at(-1);

    expect(caught?.ErrorEquals).toEqual(['States.ALL']);
    expect(States[caught?.Next ?? '']?.Type).toBe('Fail');
  });

  test.each(['Step', 'CertificateFacts'])('tell people of a failure of %s, with what it was about, as of any other end', (name) => {
    const caught = States[name]?.Catch?.at(-1);

    expect(caught).toMatchObject({ ErrorEquals: ['States.ALL'], Next: 'TellFailure', ResultPath: '$.failure' });
    expect(States['TellFailure']).toMatchObject({
      Parameters: { do: 'fail', 'state.$': '$.state', 'failure.$': '$.failure' },
      Next: States[States['Step']?.Next ?? '']?.Choices?.[0]?.Next,
    });
  });
});

const of = (role: string): Statement[] =>
  statementsOf(template, role).filter(({ Action }) => !/^(logs:|sqs:SendMessage|ec2:)/.test([Action].flat()[0] ?? ''));
const resourcesOf = (role: string, action: string): unknown[] =>
  of(role)
    .filter(({ Action }) => [Action].flat().includes(action))
    .flatMap(({ Resource }) => Resource);
const idOf = (type: string, prefix: string): string => only(template, type, prefix)[0];
const authorities = ['cluster', 'etcd', 'frontproxy'].map((name) => ({
  Ref: idOf('AWS::SecretsManager::Secret', `CertificatesPki${name}`),
}));
const accounts = { Ref: idOf('AWS::SecretsManager::Secret', 'CertificatesPkiserviceaccounts') };
const ownClient = { Ref: idOf('AWS::SecretsManager::Secret', 'EtcdClientSecret') };
const nodeSets = expect.stringMatching(/:secret:lifeboat\/prod\/pki\/nodes\/\*$/) as string;

describe('who decides', () => {
  test('changes the secrets of authorities and of service accounts alone, by moving a label, and renews the own client of etcd', () => {
    expect(resourcesOf(DECIDES, 'secretsmanager:UpdateSecretVersionStage')).toEqual([...authorities, accounts]);
    expect(resourcesOf(DECIDES, 'secretsmanager:PutSecretValue')).toEqual([...authorities, accounts, ownClient]);
  });

  test('has the sets of nodes rotated, and reads no key of them', () => {
    expect(resourcesOf(DECIDES, 'secretsmanager:RotateSecret')).toEqual([nodeSets]);
    expect(resourcesOf(DECIDES, 'secretsmanager:GetSecretValue')).toEqual([...authorities, accounts, ownClient]);
  });

  test('calls who looks, who makes secrets for nodes and who rotates, asks whether an execution of this machine runs, starts the next one, and sends nothing to nodes', () => {
    expect(resourcesOf(DECIDES, 'lambda:InvokeFunction')).toEqual(
      ['CertificatesAdopt', 'CertificatesExchangeLookAround', 'CertificatesRotationRotateCertificates'].map((name) =>
        arnOf(idOf('AWS::Lambda::Function', name)),
      ),
    );
    expect(JSON.stringify(resourcesOf(DECIDES, 'states:DescribeExecution'))).toMatch(/:execution:lifeboat-prod-rotate-ca:\*/);
    expect(JSON.stringify(resourcesOf(DECIDES, 'states:StartExecution'))).toMatch(/:stateMachine:lifeboat-prod-rotate-ca"\]/);
    expect(of(DECIDES).flatMap(({ Action }) => Action)).not.toContain('ssm:SendCommand');
  });

  test('writes its report, the generations and the lock of the control plane and nothing else into the bucket, and tells people', () => {
    const written = resourcesOf(DECIDES, 's3:PutObject').map((each) => /clusters\/prod\/[^"]+/.exec(JSON.stringify(each))?.[0]);
    expect(written.sort()).toEqual([
      'clusters/prod/locks/control-plane.json',
      'clusters/prod/pki/exchanges/*.json',
      'clusters/prod/pki/generations.json',
    ]);
    expect(of(DECIDES).flatMap(({ Action }) => Action)).not.toContain('s3:DeleteObject');
    expect(resourcesOf(DECIDES, 'sns:Publish')).toEqual([{ Ref: idOf('AWS::SNS::Topic', '') }]);
  });
});

describe('who looks', () => {
  test('reads the sets of nodes and the client of etcd, and no authority', () => {
    expect(resourcesOf(LOOKS, 'secretsmanager:GetSecretValue')).toEqual([ownClient, nodeSets]);
    for (const { Ref } of authorities) expect(JSON.stringify(of(LOOKS))).not.toContain(Ref);
  });

  test('changes nothing in AWS', () => {
    const actions = new Set(of(LOOKS).flatMap(({ Action }) => Action));

    expect([...actions].sort()).toEqual(['kms:Decrypt', 'secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']);
  });

  test('stands in the network of the cluster, and who decides does not', () => {
    const network = (name: string): unknown => only(template, 'AWS::Lambda::Function', name)[1].Properties['VpcConfig'];

    expect(network('CertificatesExchangeLookAround')).toBeDefined();
    expect(network('CertificatesExchangeExchangeAuthority')).toBeUndefined();
  });
});
