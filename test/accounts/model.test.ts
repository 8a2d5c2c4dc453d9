import fc from 'fast-check';
import { RotationMode } from '../../lambdas/contract/authority-rotation';
import { idOf } from './accounts-pki';
import * as model from './pair-model';
import type { Course, Setting } from './pair-model';

// Whatever happens to a cluster while the key pair of its service accounts is exchanged, in any order.
const EVENTS = {
  work: { weight: 8, act: (course) => model.work(course) },
  'files of one node': { weight: 4, act: (course, node) => model.write(course, node) },
  'files of all': { weight: 4, act: (course) => course.nodes.forEach((each) => model.write(course, each)) },
  'start of one API server': { weight: 3, act: (course, node) => node.lost || model.restart(course, node) },
  'a look': { weight: 12, act: (course) => model.move(course) },
  approval: { weight: 2, act: (course) => model.approve(course) },
  'a token': { weight: 6, act: (course, _, pick) => model.giveToken(course, pick) },
  'a minute': { weight: 3, act: (course) => model.pass(course, 60) },
  'half an hour': { weight: 3, act: (course) => model.pass(course, 1_800) },
  'the time of a soak': { weight: 3, act: (course) => model.pass(course, 3_800) },
  'loss of a node': { weight: 1, act: (course, node) => model.lose(course, node) },
  'return of a node': { weight: 4, act: (course) => course.nodes.forEach((each) => model.comeBack(course, each, false)) },
  'return from an old disk': { weight: 1, act: (course) => course.nodes.forEach((each) => model.comeBack(course, each, true)) },
  'image of a disk': { weight: 1, act: (_, node) => (node.image = node.files) },
  'a node that joins': { weight: 1, act: (course) => model.join(course) },
  // Seldom, or nothing would ever come to its end.
  abort: { weight: 1, act: (course, _, pick) => pick % 4 === 0 && model.abort(course) },
} satisfies Readonly<
  Record<string, { readonly weight: number; readonly act: (course: Course, node: Course['nodes'][number], pick: number) => unknown }>
>;
type EventName = keyof typeof EVENTS;

const acts = fc.array(
  fc.record({
    event: fc.oneof(...Object.entries(EVENTS).map(([name, { weight }]) => ({ weight, arbitrary: fc.constant(name as EventName) }))),
    pick: fc.nat(997),
  }),
  { minLength: 40, maxLength: 160, size: 'max' },
);
type Acts = typeof acts extends fc.Arbitrary<infer T> ? T : never;

/** What went wrong first, and how it ended by itself when nobody disturbs it any more. */
function run(setting: Setting, sequence: Acts): { readonly fault: string | undefined; readonly end: 'closed' | 'aborted' | 'under-way' } {
  const course = model.begin(setting);
  for (const { event, pick } of sequence) {
    const node = course.nodes[pick % course.nodes.length];
    if (node === undefined) continue;
    EVENTS[event].act(course, node, Math.floor(pick / course.nodes.length));
    const fault = model.faultOf(course);
    if (fault !== undefined) return { fault: `${event}: ${fault}`, end: 'under-way' };
  }
  for (let round = 0; round < 20 && course.document.rotation !== undefined; round++) {
    course.nodes.forEach((each) => model.comeBack(course, each, false));
    model.work(course);
    model.approve(course);
    model.pass(course, 4_000);
    model.move(course);
    const fault = model.faultOf(course);
    if (fault !== undefined) return { fault: `afterwards: ${fault}`, end: 'under-way' };
  }
  if (course.document.rotation !== undefined) return { fault: undefined, end: 'under-way' };
  return { fault: undefined, end: course.document.issuing === idOf(1) ? 'aborted' : 'closed' };
}

/** What was thought to be a fault once, each node being the first one. */
const courses: readonly (readonly EventName[])[] = [
  // An old disk comes back while the others are without its key, and are about to be given it again.
  [
    ...([
      'a look',
      'files of all',
      'half an hour',
      'a look',
      'approval',
      'files of all',
      'the time of a soak',
      'a look',
      'files of all',
    ] as const),
    ...(['loss of a node', 'abort', 'return from an old disk', 'the time of a soak', 'a look', 'a token', 'work'] as const),
  ],
  // An old disk comes back when it was decided that its key goes, and before the others were told.
  [
    ...(['approval', 'a look', 'work', 'a look', 'files of all', 'the time of a soak', 'a look'] as const),
    ...(['loss of a node', 'return from an old disk', 'a token', 'work'] as const),
  ],
];
const examples = courses.map((course): [Acts] => [course.map((event) => ({ event, pick: 0 }))]);

test.each(RotationMode.options)('whoever has a token that is still good is refused by nobody, and it comes to an end, %s', (mode) => {
  fc.assert(
    fc.property(acts, (sequence) => {
      const { fault, end } = run({ mode }, sequence);
      expect(fault).toBeUndefined();
      expect(end).not.toBe('under-way');
    }),
    { numRuns: 200, examples },
  );
});

const drawn = fc.sample(acts, { numRuns: 200, seed: 20_261_127 });

test.each(RotationMode.options)('both ends are reached, or this would try little, %s', (mode) => {
  const ends = drawn.map((sequence) => run({ mode }, sequence).end);

  for (const end of ['closed', 'aborted'] as const) expect(ends.filter((each) => each === end).length).toBeGreaterThan(10);
});

test.each(['soak', 'API servers', 'missing nodes'] as const)('the model notices when nobody looks at: %s', (blind) => {
  expect(drawn.some((sequence) => run({ mode: 'planned', blind }, sequence).fault !== undefined)).toBe(true);
});
