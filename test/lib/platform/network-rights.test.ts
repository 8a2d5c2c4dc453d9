import { stackOf } from '../../../local/cloud/deployed-stack';
import type { Template } from '../../../local/cloud/template';
import { simulate } from '../../support/permissions/simulate';
import { rightsOf } from '../../support/permissions/stack-rights';
import { inVpc, templateOf } from '../synth';

// The local cloud has no VPC, so what the template says of network interfaces is simulated only.
const template = templateOf(inVpc({ certificates: {} })).toJSON() as Template;
const stack = stackOf('Lifeboat-prod', template, new Map(Object.keys(template.Resources).map((id) => [id, id])));
const { functions } = rightsOf(stack);
const inNetwork = functions.filter(({ grants }) => grants.some(({ action }) => action.startsWith('ec2:')));
const ETCD_CLIENT = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:lifeboat/prod/etcd-client-??????';
const arn = 'arn:aws:ec2:eu-central-1:111122223333:network-interface/eni-0a1b2c3d4e5f60718';

test('functions that speak to etcd run in the VPC, and those that do not need it do not', () => {
  expect(inNetwork.map(({ label }) => label)).toContain('BackupTakeSnapshot');
  expect(inNetwork.map(({ label }) => label)).not.toContain('RetentionPruneSnapshots');
});

test.each(inNetwork.map((one) => [one.label, one] as const))(
  'Lambda can place %s in the VPC, and its code can touch no network',
  async (_label, one) => {
    const actions = [...new Set(one.grants.map(({ action }) => action).filter((action) => action.startsWith('ec2:')))];
    expect(actions.length).toBeGreaterThan(3);
    for (const action of actions) {
      const ask = async (context: Record<string, string>) => {
        const request = { action, resource: action.startsWith('ec2:Describe') ? '*' : arn, context };
        return (await simulate({ account: '111122223333', ...one }, request, undefined)).verdict;
      };

      expect([action, await ask({}), await ask({ 'lambda:SourceFunctionArn': one.arn })]).toEqual([action, 'allowed', 'denied']);
    }
  },
);

test('every secret that code in the VPC may read is let through by the endpoint for it, and no other', () => {
  const endpoints = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::EC2::VPCEndpoint');
  const policies = endpoints.flatMap(({ Properties = {} }) => stack.resolve(Properties['PolicyDocument'] ?? []));
  const letThrough = (policies as { Statement: { Resource: string | string[] }[] }[]).flatMap(({ Statement }) =>
    Statement.flatMap(({ Resource }) => Resource),
  );
  const readable = inNetwork.flatMap(({ grants }) =>
    grants.filter(({ action }) => action === 'secretsmanager:GetSecretValue').map(({ resource }) => resource),
  );
  // The template knows the secret that it makes by its logical id.
  const named = readable.map((resource) => (resource.startsWith('arn:') ? resource : ETCD_CLIENT));

  expect([...new Set(letThrough)].sort()).toEqual([...new Set(named)].sort());
  expect(letThrough).toHaveLength(2);
});
