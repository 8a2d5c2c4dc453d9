import { findReplacement } from '../../lambdas/restore/find-replacement';
import { instance } from './replacements';

const tag = { key: 'lifeboat', value: 'prod' };
const registered = [1, 2, 3].map((number) => ({
  instanceId: instance(number),
  host: `host-${number}`,
  address: `10.0.0.${number}`,
  online: true,
}));
const find = (input: unknown) => findReplacement({ registered: async () => registered }, tag, { input, execution: 'run-1' });

test('the whole control plane is asked, by its own lock', async () => {
  expect(await find({ node: instance(2) })).toEqual({
    request: { node: instance(2), force: false, allowEven: false, approval: 'required', approvalSeconds: 14_400, waitForNodesSeconds: 180 },
    restoreId: 'run-1',
    lock: 'control-plane',
    asked: [1, 2, 3].map((number) => ({ instanceId: instance(number), host: `host-${number}` })),
  });
});

test.each<[sentence: string, input: unknown, words: string]>([
  ['no node is named', undefined, 'node: '],
  ['there is a field that nobody knows', { node: instance(1), snapshot: 'latest' }, 'snapshot'],
  ['the node has another tag', { node: instance(9) }, 'i-00000009 does not carry lifeboat=prod'],
])('it is refused when %s', async (_sentence, input, words) => {
  await expect(find(input)).rejects.toMatchObject({ name: 'RestoreRefused', message: expect.stringContaining(words) as string });
});
