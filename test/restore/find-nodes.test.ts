import { findNodes, parseRequest } from '../../lambdas/restore/find-nodes';
import type { RegisteredNode } from '../../lambdas/nodes/ssm-nodes';

const TAGS = { controlPlane: { key: 'role', value: 'master' }, drill: { key: 'role', value: 'drill' } };
const node = (number: number): RegisteredNode => ({ instanceId: `i-0000000${number}`, host: `host-${number}`, online: true });
const named = (...numbers: number[]) => numbers.map((number) => ({ instanceId: `i-0000000${number}`, host: `host-${number}` }));
const known = { master: [node(1), node(2), node(3)], drill: [node(8)] };
const find = (input: unknown, registered: Readonly<Record<string, readonly RegisteredNode[]>> = known) =>
  findNodes({ registered: ({ value }) => Promise.resolve(registered[value] ?? []) }, TAGS, parseRequest(input), 'run-1');

test('without a word all of the control plane is restored, under the name of the execution', async () => {
  expect(await find({})).toMatchObject({
    mode: 'in-place',
    lock: 'control-plane',
    restoreId: 'run-1',
    nodes: named(1, 2, 3),
    asked: named(1, 2, 3),
  });
  expect(await find(undefined)).toMatchObject({ mode: 'in-place' });
});

test('a part of the control plane is restored in place, and the rest is asked how it is', async () => {
  expect(await find({ nodes: ['i-00000002'] })).toMatchObject({ mode: 'in-place', nodes: named(2), asked: named(2, 1, 3) });
});

test('nodes of their own are restored elsewhere, under a lock of their own', async () => {
  expect(await find({ nodes: ['i-00000008'] })).toMatchObject({ mode: 'elsewhere', lock: 'drill', nodes: named(8), asked: named(8) });
});

test('a drill takes the nodes with its tag', async () => {
  expect(await find({ drill: true })).toMatchObject({ mode: 'drill', lock: 'drill', nodes: named(8) });
});

test('an earlier execution is undone under its own name', async () => {
  expect(await find({ rollBack: 'run-0' })).toMatchObject({
    mode: 'roll-back',
    restoreId: 'run-0',
    lock: 'control-plane',
    nodes: named(1, 2, 3),
  });
  expect(await find({ rollBack: 'run-0', nodes: ['i-00000008'] })).toMatchObject({ mode: 'roll-back', lock: 'drill', nodes: named(8) });
});

test.each<[sentence: string, input: unknown, message: string]>([
  [
    'a drill on a member of the control plane',
    { drill: true, nodes: ['i-00000001'] },
    'i-00000001 carries role=master: a drill runs on nodes with role=drill only',
  ],
  [
    'members and others together',
    { nodes: ['i-00000001', 'i-00000008'] },
    'nodes holds members of the control plane (i-00000001) and others',
  ],
  ['a node that nobody knows', { nodes: ['i-0000000f'] }, 'i-0000000f carries neither role=master nor role=drill'],
  ['a field that does not exist', { snapshots: 'latest' }, 'Unrecognized key: "snapshots"'],
  ['a snapshot that is none', { snapshot: 'yesterday' }, 'snapshot: '],
  ['an instance that is none', { nodes: ['master-1'] }, 'nodes.0: is not an instance id such as i-0123456789abcdef0'],
  [
    'a roll-back with a snapshot',
    { rollBack: 'run-0', snapshot: '20261123T182815Z-0a1b2c3d' },
    'snapshot: says nothing together with rollBack',
  ],
  ['a name that would leave its folder', { rollBack: '../x' }, 'rollBack: is not 1 to 80 of A-Z'],
  ['no object at all', 'latest', 'input: '],
])('%s is refused by name', async (_sentence, input, message) => {
  await expect((async () => find(input))()).rejects.toThrow(message);
});

test('no node at all is refused with the tag that nobody carries', async () => {
  await expect(find({}, {})).rejects.toThrow('systems manager knows no node with the tag role=master');
  await expect(find({ drill: true }, { master: [node(1)] })).rejects.toThrow('role=drill');
});
