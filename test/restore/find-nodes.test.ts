import { findNodes, parseRequest } from '../../lambdas/restore/find-nodes';
import type { RegisteredNode } from '../../lambdas/nodes/ssm-nodes';
import { plan, storedPlan } from './plans';

const TAGS = { controlPlane: { key: 'role', value: 'master' }, drill: { key: 'role', value: 'drill' } };
const node = (number: number): RegisteredNode => ({
  instanceId: `i-0000000${number}`,
  host: `host-${number}`,
  address: `10.0.0.${number}`,
  online: true,
});
const named = (...numbers: number[]) => numbers.map((number) => ({ instanceId: `i-0000000${number}`, host: `host-${number}` }));
const known = { master: [node(1), node(2), node(3)], drill: [node(8)] };
const MACHINE = 'arn:aws:states:eu-central-1:111122223333:execution:lifeboat-prod-restore';

/** What is left of `run-0`, a restore that was aborted. */
interface Left {
  readonly plan?: string | undefined;
  readonly report?: string;
  readonly status?: string | undefined;
}
const left: Left = { plan: storedPlan({ restoreId: 'run-0' }), status: 'ABORTED' };
const find = (
  input: unknown,
  registered: Readonly<Record<string, readonly RegisteredNode[]>> = known,
  { plan: stored, report, status }: Left = left,
) => {
  const notes: Readonly<Record<string, string | undefined>> = { 'run-0/plan.json': stored, 'run-0/report.json': report };
  const edges = {
    registered: ({ value }: { readonly value: string }) => Promise.resolve(registered[value] ?? []),
    readNote: (restoreId: string, file: string) => Promise.resolve(notes[`${restoreId}/${file}`]),
    statusOf: (arn: string) => Promise.resolve(arn === `${MACHINE}:run-0` ? status : undefined),
  };
  return findNodes(edges, TAGS, parseRequest(input), { execution: 'run-1', arn: `${MACHINE}:run-1` });
};

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

describe('an earlier execution', () => {
  const reported = (outcome: string): Left => ({ ...left, report: JSON.stringify({ outcome }) });
  const elsewhere = plan({ restoreId: 'run-0', mode: 'elsewhere', members: [{ ...plan().members[0]!, ...named(8)[0]! }], apiNodes: [] });

  test('is undone under its own name, on the nodes of its own plan', async () => {
    const five = { ...known, master: [...known.master, node(4), node(5)] };
    const nodes = [1, 2, 3].map((number) => ({ instanceId: `i-0000000${number}`, host: `master-${number}` }));

    expect(await find({ rollBack: 'run-0' }, five)).toMatchObject({ mode: 'roll-back', restoreId: 'run-0', lock: 'control-plane' });
    expect(await find({ rollBack: 'run-0' }, five)).toMatchObject({ nodes, asked: nodes });
    expect(await find({ rollBack: 'run-0', nodes: ['i-00000002'] }, five)).toMatchObject({ nodes: [nodes[1]], asked: [nodes[1]] });
  });

  test('that worked elsewhere is undone there, without being told where', async () => {
    const { nodes, lock } = await find({ rollBack: 'run-0' }, known, { ...left, plan: JSON.stringify(elsewhere) });

    expect({ nodes, lock }).toEqual({ nodes: named(8), lock: 'drill' });
  });

  test('is undone on nodes with an API server alone too', async () => {
    const stored = storedPlan({ restoreId: 'run-0', members: plan().members.slice(0, 2) });

    expect((await find({ rollBack: 'run-0' }, known, { ...left, plan: stored })).nodes).toHaveLength(3);
  });

  test('keeps a node that is gone among its own, and the lock of what it was about', async () => {
    const gone = { drill: [{ ...node(1) }] };

    expect(await find({ rollBack: 'run-0' }, gone)).toMatchObject({ lock: 'control-plane', nodes: plan().apiNodes });
  });

  test.each(['RESTORED', 'UNHARMED', 'ROLLED_BACK', 'NEEDS_HANDS', 'a word of a later version'])(
    'that ended as %s is undone',
    async (outcome) => {
      expect(await find({ rollBack: 'run-0' }, known, { ...reported(outcome), status: undefined })).toMatchObject({ mode: 'roll-back' });
    },
  );

  test.each<[sentence: string, left: Left, message: string, input?: object]>([
    [
      'that still runs',
      { ...left, status: 'RUNNING' },
      `restore run-0 still runs, and would do again what is undone: let it come to its end, or stop it (aws stepfunctions stop-execution --execution-arn ${MACHINE}:run-0)`,
    ],
    ['that never was', { status: undefined }, 'there is no plan of a restore run-0'],
    ['that ended before its plan', { status: 'ABORTED' }, 'there is no plan of a restore run-0'],
    ['whose plan is damaged', { ...left, plan: '{"version":1}' }, 'plan.json of restore run-0 does not parse'],
    ['that was a drill to its end', reported('DRILLED'), 'restore run-0 ended as DRILLED: its machines were put back then'],
    ['that was a dry run', reported('DRY_RUN'), 'restore run-0 ended as DRY_RUN: it stopped nothing'],
    [
      'on a node that was none of its own',
      left,
      'i-00000008 is no node of restore run-0, which worked on i-00000001, i-00000002, i-00000003',
      { nodes: ['i-00000001', 'i-00000008'] },
    ],
  ])('%s is refused', async (_sentence, stored, message, input = {}) => {
    await expect(find({ rollBack: 'run-0', ...input }, known, stored)).rejects.toThrow(message);
  });

  test('of whose nodes none is known any more is refused, and so is one of them that is named', async () => {
    await expect(find({ rollBack: 'run-0' }, { drill: [node(8)] })).rejects.toThrow(
      'systems manager knows none of i-00000001, i-00000002, i-00000003 any more',
    );
    await expect(find({ rollBack: 'run-0', nodes: ['i-00000003'] }, { master: [node(1)] })).rejects.toThrow(
      'i-00000003 carries neither role=master nor role=drill',
    );
  });
});

test('an instance with both tags is refused whatever is asked, since a drill would stop what serves', async () => {
  const both = { master: [node(1), node(2)], drill: [node(2), node(8)] };

  for (const input of [{}, { drill: true }, { nodes: ['i-00000001'] }, { rollBack: 'run-0' }])
    await expect(find(input, both)).rejects.toThrow('i-00000002 carries role=master and role=drill');
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
