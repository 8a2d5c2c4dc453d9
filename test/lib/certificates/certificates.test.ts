import type { Template } from 'aws-cdk-lib/assertions';
import { inVpc, only, statementsOf, templateOf } from '../synth';
import type { Statement } from '../synth';

const template: Template = templateOf(inVpc({ certificates: {} }));

const of = (role: string): Statement[] =>
  statementsOf(template, role).filter(({ Action }) => !/^(logs:|sqs:SendMessage|ec2:)/.test([Action].flat()[0] ?? ''));
const actionsOf = (role: string): string[] => of(role).flatMap(({ Action }) => Action);
const [, { Properties: tokens }] = only(template, 'AWS::SecretsManager::Secret', 'CertificatesPkiserviceaccounts');
const [tokensId] = only(template, 'AWS::SecretsManager::Secret', 'CertificatesPkiserviceaccounts');

test.each([
  ['rotate-certificates', 'CertificatesRotationRotateCertificatesRole'],
  ['repair-certificates', 'CertificatesRepairRepairCertificatesRole'],
])('%s reads the authorities, and the keys of service accounts, which nodes are given once they were exchanged', (_name, role) => {
  const text = JSON.stringify(of(role));

  expect(tokens).toMatchObject({ Name: 'lifeboat/prod/pki/service-accounts' });
  for (const authority of ['cluster', 'etcd', 'frontproxy']) {
    const [id] = only(template, 'AWS::SecretsManager::Secret', `CertificatesPki${authority}`);
    expect(text).toContain(id);
  }
  expect(text).toContain(tokensId);
  expect(JSON.stringify(of(role).filter(({ Action }) => /Put|Update/.test(JSON.stringify(Action))))).not.toContain(tokensId);
  expect(JSON.stringify(of('CertificatesAdoptAdoptRole'))).toContain(tokensId);
});

test('rotate-certificates sends its documents to the control plane, and to no machine of a drill', () => {
  const sending = of('CertificatesRotationRotateCertificatesRole').filter(({ Action }) => Action === 'ssm:SendCommand');

  const [documents, ...machines] = sending;
  expect(JSON.stringify(documents?.Resource).match(/document\/[a-z-]+/g)).toEqual(
    ['certificate-facts', 'install-certificates', 'previous-certificates'].map((name) => `document/lifeboat-prod-${name}`),
  );
  expect(machines.map(({ Condition }) => Condition)).toEqual([{ StringEquals: { 'ssm:resourceTag/lifeboat/control-plane': 'prod' } }]);
});

test.each([
  ['scan-certificates', 'CertificatesScanScanCertificatesRole'],
  ['repair-certificates', 'CertificatesRepairRepairCertificatesRole'],
])('%s writes its report, and neither lists nor decrypts anything in the bucket', (_name, role) => {
  const ofS3 = of(role).filter(({ Condition }) => JSON.stringify(Condition ?? {}).includes('kms:EncryptionContext:aws:s3:arn'));

  expect(ofS3.map(({ Action }) => Action)).toEqual(['kms:GenerateDataKey']);
  expect(actionsOf(role).filter((action) => action.startsWith('s3:'))).toEqual(['s3:PutObject']);
});

test('adopt writes its report, and reads and writes which generations there are, and nothing else in the bucket', () => {
  const role = 'CertificatesAdoptAdoptRole';
  const objects = of(role).filter(({ Action }) => JSON.stringify(Action).includes('s3:PutObject'));

  expect(objects.map(({ Action }) => Action)).toEqual(['s3:PutObject', ['s3:GetObject', 's3:PutObject']]);
  expect(objects.map(({ Resource }) => /pki\/[a-z*./]+/.exec(JSON.stringify(Resource))?.[0])).toEqual([
    'pki/adoptions/*.json',
    'pki/generations.json',
  ]);
  expect(new Set(actionsOf(role).filter((action) => action.startsWith('s3:')))).toEqual(
    new Set(['s3:PutObject', 's3:GetObject', 's3:ListBucket']),
  );
});

test('the outputs name every function that works for certificates', () => {
  const outputs = Object.keys(template.findOutputs('*')).filter((name) => name.startsWith('CertificateFunction'));

  const names = ['Adopt', 'ExchangeAuthority', 'LookAround', 'ProbeNode', 'RepairCertificates', 'RotateCertificates', 'ScanCertificates'];
  expect(outputs.sort()).toEqual(names.map((name) => `CertificateFunction${name}`));
});
