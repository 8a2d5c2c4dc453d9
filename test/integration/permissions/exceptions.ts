import type { Exception } from '../../support/permissions/judge';

/** Rights that no call in the local cloud uses. One that is used after all, or that nobody has, fails the test. */
export const exceptions: readonly Exception[] = [
  {
    action: 'logs:*',
    because: 'Lambda itself writes what a function prints, with the function’s role; the emulator writes it without asking anybody.',
  },
  {
    action: 'sqs:SendMessage',
    because:
      'Lambda itself sends a run that failed for good to the dead-letter queue, with the function’s role; the emulator sends it without asking. That it arrives is a scenario.',
  },
];

/** What no call of the functions for certificates uses besides. */
export const certificateExceptions: readonly Exception[] = [
  ...exceptions,
  {
    action: 'ssm:SendCommand',
    on: ':managed-instance/',
    because: 'Nodes outside EC2 are managed instances, whose ids begin with mi-; here all are instances of EC2.',
  },
  {
    action: 'ssm:CancelCommand',
    because: 'A document is cancelled on a node that has been silent for two minutes, which is tried in test/nodes.',
  },
  ...(['cluster', 'front-proxy'] as const).flatMap((authority) =>
    ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage', 'kms:GenerateDataKey'].map((action) => ({
      action,
      on: `/pki/authorities/${authority}`,
      of: 'CertificatesExchangeExchangeAuthority',
      because: 'Every authority is exchanged in the same way; API servers that only pretend show nothing of theirs, and etcd is real.',
    })),
  ),
  ...['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage', 'kms:GenerateDataKey'].map((action) => ({
    action,
    on: '/pki/service-accounts',
    of: 'CertificatesExchangeExchangeAuthority',
    because: 'The key pair is exchanged as authorities are; API servers that only pretend sign no tokens.',
  })),
];

/** The policy of the nodes has nothing that is not used. */
export const nodeExceptions: readonly Exception[] = [];
