import { foreignRequests, requestOf } from './foreign-requests';
import type { Grant } from './grants';
import type { FunctionRights, StackRights } from './stack-rights';

const grant = (action: string, resource: string, condition?: Grant['condition']): Grant => ({
  effect: 'Allow',
  action,
  resource,
  condition,
});
const functionWith = (...grants: Grant[]): FunctionRights => ({ label: 'F', name: 'f', arn: 'f', role: 'r', grants });
const stackWith = (...grants: Grant[]): StackRights => ({
  ...{ stack: 'S', functions: [functionWith(...grants)] },
  ...{ schedules: [], guards: new Map(), keys: new Map(), rotations: new Map(), machines: new Map() },
});
const clusters = { mine: 'prod', theirs: 'prod-eu' };
const prefixOf = (cluster: string) => ({ StringLike: { 's3:prefix': [`clusters/${cluster}/*`] } });

test('asks for every action on everything of theirs, with the keys that either side wants', () => {
  const mine = functionWith(grant('s3:ListBucket', 'arn:aws:s3:::a', prefixOf('prod')));
  const theirs = stackWith(grant('s3:ListBucket', 'arn:aws:s3:::b', prefixOf('prod-eu')), grant('s3:GetObject', 'arn:aws:s3:::b/x/*'));

  const requests = foreignRequests(mine, theirs, clusters);

  expect(requests.map(({ action, resource, context }) => `${action} ${resource} ${context['s3:prefix'] as string}`)).toEqual([
    's3:ListBucket arn:aws:s3:::b clusters/prod/20260101T000000Z-00000000',
    's3:ListBucket arn:aws:s3:::b clusters/prod-eu/20260101T000000Z-00000000',
    's3:ListBucket arn:aws:s3:::b/x/20260101T000000Z-00000000 clusters/prod/20260101T000000Z-00000000',
    's3:ListBucket arn:aws:s3:::a clusters/prod-eu/20260101T000000Z-00000000',
  ]);
});

test('asks for what both name alike with their keys alone, and for no right on everything', () => {
  const tagged = (cluster: string) => ({ StringEquals: { 'ssm:resourceTag/cluster': [cluster] } });
  const mine = functionWith(grant('ssm:SendCommand', 'arn:i/*', tagged('prod')), grant('ssm:CancelCommand', '*'));
  const theirs = stackWith(grant('ssm:SendCommand', 'arn:i/*', tagged('prod-eu')), grant('ssm:CancelCommand', '*'));

  expect(foreignRequests(mine, theirs, clusters)).toEqual([
    { action: 'ssm:SendCommand', resource: 'arn:i/20260101T000000Z-00000000', context: { 'ssm:resourceTag/cluster': 'prod-eu' } },
  ]);
});

test('asks for their prefix in my own bucket', () => {
  const mine = functionWith(grant('s3:PutObject', 'arn:aws:s3:::a/clusters/prod/x.json'), grant('s3:PutObject', 'arn:aws:s3:::a/other'));

  expect(foreignRequests(mine, stackWith(), clusters).map(({ resource }) => resource)).toEqual(['arn:aws:s3:::a/clusters/prod-eu/x.json']);
});

test('fills a wildcard of a log group with one of its streams', () => {
  expect(requestOf(grant('logs:PutLogEvents', 'arn:aws:logs:r:1:log-group:/g:*')).resource).toBe(
    'arn:aws:logs:r:1:log-group:/g:log-stream:20260101T000000Z-00000000',
  );
});
